-- The segments that connect to one or several segments, one row per ordered pair, strongest first.
--
-- Takes root ids or nucleus ids: a number, a text, a list, or `(SELECT list(...) FROM ...)`. Autapses and sides
-- without a segment are left out. Most presynaptic segments are orphan pieces of axon. An axon in five pieces is five
-- rows, and `pre_nucleus_id` is NULL in each. Only rows with `pre_axon_proofread` show who the input comes from. Pairs
-- with fewer than `min_syn` synapses are left out.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- scope: all, cells
-- macro: input_partners(ids, min_syn := 1)
-- example: FROM input_partners(287566, min_syn := 2) ORDER BY n_syn DESC, pre_pt_root_id LIMIT 5
-- warning: a row is a segment, not a cell; who the input comes from is known only if the presynaptic cell is typed or proofread
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
    FROM input_synapses(ids) AS s
    WHERE NOT s.is_autapse AND s.pre_pt_root_id NOT IN (0, 1)
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
)

SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size,
    k.mean_size,
    k.median_size,
    CASE
        WHEN _has_proofreading() THEN a.pt_root_id IS NOT NULL
    END AS pre_axon_proofread, -- Whether the presynaptic axon was proofread; NULL without a table of proofreading
    coalesce(
        c.pre_n_nuclei_on_root, 0
    ) AS pre_n_nuclei_on_root, -- Number of nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    c.* EXCLUDE (pre_pt_root_id, pre_n_nuclei_on_root, pre_depth_um, pre_x_nm, pre_y_nm, pre_z_nm)
FROM pairs AS k
LEFT JOIN _pre_cells AS c ON c.pre_pt_root_id = k.pre_pt_root_id
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = k.pre_pt_root_id
WHERE k.n_syn >= _given(min_syn, 'min_syn')
ORDER BY k.n_syn DESC, k.pre_pt_root_id ASC, k.post_pt_root_id ASC
