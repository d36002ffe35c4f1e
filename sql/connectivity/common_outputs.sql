-- Segments that both of two cells connect to: their common targets, one row per partner, strongest first.
--
-- Takes two root ids or nucleus ids. Partners are cells (segments with exactly one nucleus); `segments := true` adds
-- orphan pieces and merged cells. The two cells themselves are never listed.
--
-- The result depends on the axons of the two cells. If one was not proofread, common targets are missing, and some may
-- belong to another cell. If one was not fully extended, the answer is a lower bound.
-- grain: post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- scope: all, proofread, cells
-- macro: common_outputs(a, b, segments := false)
-- example: FROM common_outputs(424569, 355515) ORDER BY ALL
-- cite: microns2025, turner2022
-- questions: Q36, Q59
WITH of_a AS (
    SELECT p.* FROM output_partners(a) AS p
    WHERE _given_flag(segments, 'segments') IS NOT NULL
),

of_b AS (
    SELECT p.* FROM output_partners(b) AS p
)

SELECT
    p.post_pt_root_id,
    p.post_nucleus_id,
    p.post_cell_class,
    p.post_cell_type,
    p.n_syn AS n_syn_a, -- Number of synapses with `a`
    q.n_syn AS n_syn_b, -- Number of synapses with `b`
    p.sum_size AS sum_size_a, -- Summed cleft size of the synapses with `a` [voxel]
    q.sum_size AS sum_size_b -- Summed cleft size of the synapses with `b` [voxel]
FROM of_a AS p
JOIN of_b AS q ON q.post_pt_root_id = p.post_pt_root_id
WHERE
    (_given_flag(segments, 'segments') OR p.post_nucleus_id IS NOT NULL)
    AND p.post_pt_root_id <> root_of(a)
    AND p.post_pt_root_id <> root_of(b)
ORDER BY p.n_syn + q.n_syn DESC, p.post_pt_root_id ASC
