-- The segments that one or several segments connect to, one row per ordered pair, strongest first.
--
-- Takes root ids or nucleus ids: a number, a text, a list, or `(SELECT list(...) FROM ...)`. Autapses and sides
-- without a segment are left out. Targets without a nucleus are orphan pieces of dendrite; they stay, with
-- `post_nucleus_id` NULL. Outputs may be interpreted only if the axon was proofread, and how complete they are depends
-- on its strategy. Pairs with fewer than `min_syn` synapses are left out.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- scope: all, proofread, cells
-- macro: output_partners(ids, min_syn := 1)
-- example: FROM output_partners(424569) ORDER BY n_syn DESC, post_pt_root_id LIMIT 5
-- warning: outputs of axons that were not proofread (`pre_strategy_axon` NULL) are not to be interpreted
-- cite: microns2025, turner2022
-- questions: Q21, Q23, Q26
WITH pairs AS (
    SELECT
        s.pre_pt_root_id,
        s.post_pt_root_id,
        count(*) AS n_syn, -- Number of synapses of the pair
        sum(s.size)::BIGINT AS sum_size, -- Summed cleft size [voxel]
        avg(s.size) AS mean_size, -- Mean cleft size [voxel]
        median(s.size) AS median_size -- Median cleft size [voxel]
    FROM output_synapses(ids) AS s
    WHERE NOT s.is_autapse AND s.post_pt_root_id NOT IN (0, 1)
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
)

SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size,
    k.mean_size,
    k.median_size,
    a.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread (values in `proofreading`); NULL if it was not
    coalesce(
        c.post_n_nuclei_on_root, 0
    ) AS post_n_nuclei_on_root, -- Number of nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    c.* EXCLUDE (post_pt_root_id, post_n_nuclei_on_root, post_depth_um, post_x_nm, post_y_nm, post_z_nm)
FROM pairs AS k
LEFT JOIN _post_cells AS c ON c.post_pt_root_id = k.post_pt_root_id
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = k.pre_pt_root_id
WHERE k.n_syn >= _given(min_syn, 'min_syn')
ORDER BY k.n_syn DESC, k.post_pt_root_id ASC, k.pre_pt_root_id ASC
