-- Segments that connect to both of two cells: their common inputs, one row per partner, strongest first.
--
-- Takes two root ids or nucleus ids. Partners are cells (segments with exactly one nucleus); `segments := true` adds
-- orphan pieces and merged cells. The two cells themselves are never listed.
--
-- The result depends on the partners' axons. If nobody proofread a partner's axon, parts of it may be missing, so the
-- partner is not listed although it reaches both cells. Other parts may belong to other cells, so the partner is
-- listed although it does not. `connections_proofread` has proofread axons only.
-- grain: pre_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- scope: all, cells
-- macro: common_inputs(a, b, segments := false)
-- example: FROM common_inputs(287566, 449862) ORDER BY ALL
-- cite: microns2025, turner2022
-- questions: Q36, Q59
WITH of_a AS (
    SELECT p.* FROM input_partners(a) AS p
    WHERE _given_flag(segments, 'segments') IS NOT NULL
),

of_b AS (
    SELECT p.* FROM input_partners(b) AS p
)

SELECT
    p.pre_pt_root_id,
    p.pre_nucleus_id,
    p.pre_cell_class,
    p.pre_cell_type,
    p.n_syn AS n_syn_a, -- Number of synapses with `a`
    q.n_syn AS n_syn_b, -- Number of synapses with `b`
    p.sum_size AS sum_size_a, -- Summed cleft size of the synapses with `a` [voxel]
    q.sum_size AS sum_size_b -- Summed cleft size of the synapses with `b` [voxel]
FROM of_a AS p
JOIN of_b AS q ON q.pre_pt_root_id = p.pre_pt_root_id
WHERE
    (_given_flag(segments, 'segments') OR p.pre_nucleus_id IS NOT NULL)
    AND p.pre_pt_root_id <> root_of(a)
    AND p.pre_pt_root_id <> root_of(b)
ORDER BY p.n_syn + q.n_syn DESC, p.pre_pt_root_id ASC
