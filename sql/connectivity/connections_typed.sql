-- Connected pairs of segments with what is known of both ends, one row per ordered pair.
--
-- An end has a nucleus, class, type, area, depth and layer only if its segment has exactly one nucleus. An orphan
-- piece has no cell. Of merged cells it is unknown whose synapse it is. `pre_n_nuclei_on_root` and
-- `post_n_nuclei_on_root` tell these apart. The number of rows is a number of segments: an axon in five pieces is five
-- rows. `pre_axon_proofread` says whether the pair may be interpreted as an output of its presynaptic cell.
--
-- Fast: a filter on `post_pt_root_id`. A filter on types or nuclei alone forms all pairs first. For the inputs of one
-- cell, take its `pt_root_id` from `cells`. For outputs that may be interpreted, use `connections_proofread`. For
-- connections between cells, use `cell_connections`.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: who an input comes from is known only if the presynaptic cell is typed or proofread: report that fraction
-- cite: microns2025, turner2022
-- questions: Q22, Q23, Q27, Q41, Q42, Q46
-- example: SELECT post_cell_class, pre_axon_proofread, sum(n_syn)::BIGINT AS n_syn FROM connections_typed GROUP BY ALL ORDER BY ALL
SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size,
    k.mean_size,
    a.pt_root_id IS NOT NULL AS pre_axon_proofread, -- Whether the presynaptic axon was proofread
    coalesce(
        pre.pre_n_nuclei_on_root, 0
    ) AS pre_n_nuclei_on_root, -- Number of nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    pre.* EXCLUDE (pre_pt_root_id, pre_n_nuclei_on_root, pre_x_nm, pre_y_nm, pre_z_nm),
    coalesce(
        post.post_n_nuclei_on_root, 0
    ) AS post_n_nuclei_on_root, -- Number of nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    post.* EXCLUDE (post_pt_root_id, post_n_nuclei_on_root, post_x_nm, post_y_nm, post_z_nm),
    distance_um(
        post.post_x_nm - pre.pre_x_nm, post.post_y_nm - pre.pre_y_nm, post.post_z_nm - pre.pre_z_nm
    ) AS soma_distance_um, -- Distance between the two nuclei; NULL unless both ends are single cells [um]
    lateral_um(
        post.post_x_nm - pre.pre_x_nm, post.post_y_nm - pre.pre_y_nm, post.post_z_nm - pre.pre_z_nm
    ) AS soma_lateral_um -- The same along the cortical sheet, without depth [um]
FROM connections AS k
LEFT JOIN _pre_cells AS pre ON pre.pre_pt_root_id = k.pre_pt_root_id
LEFT JOIN _post_cells AS post ON post.post_pt_root_id = k.post_pt_root_id
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = k.pre_pt_root_id
