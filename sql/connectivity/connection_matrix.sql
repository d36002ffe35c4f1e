-- Every ordered pair of two lists of cells with its number of synapses, zero included, one row per pair.
--
-- Takes root ids or nucleus ids. A pair without a synapse is a row with n_syn = 0, so that no cell vanishes from a
-- matrix or from a denominator. A segment with itself is no pair: its counts are NULL, and averages leave it out.
--
-- Rows are sorted by the label of the presynaptic cell, then of the postsynaptic cell, so a matrix of them shows its
-- types as blocks. `by` chooses the label, as in `partner_types`. Synapses smaller than
-- `min_size` [voxel] are not counted. Pairs with fewer than `min_syn` synapses become 0. In Python,
-- `wh.matrix(pre_ids, post_ids)` gives arrays, and is faster.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- macro: connection_matrix(pre_ids, post_ids, min_syn := 1, min_size := 0, by := 'cell_type')
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
    WHERE s.size >= _given(min_size, 'min_size')
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
)

SELECT
    a.root AS pre_pt_root_id, -- Presynaptic segment
    b.root AS post_pt_root_id, -- Postsynaptic segment
    CASE WHEN a.root <> b.root THEN coalesce(k.n_syn, 0) END AS n_syn, -- Number of synapses; NULL for a segment and itself
    CASE WHEN a.root <> b.root THEN coalesce(k.sum_size, 0) END AS sum_size, -- Summed cleft size; NULL for a segment and itself [voxel]
    pre_l.label AS pre_label, -- What `by` says of the presynaptic cell; NULL = unknown
    post_l.label AS post_label -- What `by` says of the postsynaptic cell; NULL = unknown
FROM (
    SELECT r.root
    FROM _roots(pre_ids) AS r
    WHERE _given(min_syn, 'min_syn') IS NOT NULL
) AS a
CROSS JOIN _roots(post_ids) AS b
LEFT JOIN _root_cells AS pre ON pre.pt_root_id = a.root
LEFT JOIN _root_cells AS post ON post.pt_root_id = b.root
LEFT JOIN _labels_by("by") AS pre_l ON pre_l.nucleus_id = pre.nucleus_id
LEFT JOIN _labels_by("by") AS post_l ON post_l.nucleus_id = post.nucleus_id
LEFT JOIN pairs AS k ON k.pre_pt_root_id = a.root AND k.post_pt_root_id = b.root AND k.n_syn >= min_syn
ORDER BY pre_label ASC NULLS LAST, a.root ASC, post_label ASC NULLS LAST, b.root ASC
