-- Every ordered pair of two lists of cells with its number of synapses, zero included, one row per pair.
--
-- Takes root ids or nucleus ids. Pairs without a synapse are rows with n_syn = 0, so cells without a connection do not
-- vanish from a matrix or from a denominator. A segment and itself is no pair: there the counts are NULL, which averages
-- leave out. `min_syn` and `min_size` (of a single synapse) set weaker pairs to 0. From Python,
-- `wh.matrix(pre_ids, post_ids)` gives arrays, faster.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- macro: connection_matrix(pre_ids, post_ids, min_syn := 1, min_size := 0)
-- example: SELECT avg((n_syn > 0)::INTEGER) AS probability FROM connection_matrix([424569, 355515], [287566, 449862])
-- warning: without proofread presynaptic axons a zero says nothing
-- cite: microns2025, turner2022
-- questions: Q30, Q31, Q44
WITH pairs AS (
    SELECT
        s.pre_pt_root_id,
        s.post_pt_root_id,
        count(*) AS n_syn,
        sum(s.size)::BIGINT AS sum_size
    FROM synapses_between(pre_ids, post_ids) AS s
    WHERE s.size >= min_size
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
)

SELECT
    a.root AS pre_pt_root_id, -- Presynaptic segment
    b.root AS post_pt_root_id, -- Postsynaptic segment
    CASE WHEN a.root <> b.root THEN coalesce(k.n_syn, 0) END AS n_syn, -- Number of synapses; NULL for a segment and itself
    CASE WHEN a.root <> b.root THEN coalesce(k.sum_size, 0) END AS sum_size -- Summed cleft size; NULL for a segment and itself [voxel]
FROM _roots(pre_ids) AS a
CROSS JOIN _roots(post_ids) AS b
LEFT JOIN pairs AS k ON k.pre_pt_root_id = a.root AND k.post_pt_root_id = b.root AND k.n_syn >= min_syn
ORDER BY a.root ASC, b.root ASC
