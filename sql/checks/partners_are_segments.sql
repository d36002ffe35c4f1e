-- Roots 0 (outside the segmentation) and 1 (never looked up) are no partners; as one they would have millions of synapses.
-- requires: synapses_pni_2
SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn
FROM connections AS k
WHERE k.pre_pt_root_id IN (0, 1) OR k.post_pt_root_id IN (0, 1) OR k.pre_pt_root_id = k.post_pt_root_id
