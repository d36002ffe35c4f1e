-- Synapses from proofread axons of cells onto other cells, one row per cleft.
--
-- Both ends are cells by one of the two rules. A view that uses this filters by the rule that it follows.
-- grain: id
-- scope: all, proofread, neurons
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
SELECT
    s.id,
    pre.nucleus_id AS pre_nucleus_id,
    post.nucleus_id AS post_nucleus_id,
    s.size
FROM _axon_synapses AS s
JOIN _population AS pre ON pre.pt_root_id = s.pre_pt_root_id AND pre.strategy_axon IS NOT NULL
JOIN _population AS post ON post.pt_root_id = s.post_pt_root_id
WHERE s.b = _proofread_bucket() AND s.pre_pt_root_id <> s.post_pt_root_id
