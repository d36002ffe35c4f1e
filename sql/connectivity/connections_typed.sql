-- Connected pairs of segments with what is known of both ends, one row per ordered pair.
--
-- An end gets an identity (nucleus, class, type, area, depth, layer) only if its segment holds exactly one nucleus: on
-- orphan pieces there is nobody, on merged cells it is unknown whose synapse it is; `pre_n_nuclei` and `post_n_nuclei`
-- tell these apart. Counting rows counts segments: an axon in five pieces is five of them. `pre_axon_proofread` says
-- whether the pair may be interpreted as an output of its presynaptic cell.
--
-- Fast: a filter on `post_pt_root_id`. A filter on types or nuclei alone forms all pairs first: for the inputs of one
-- cell take its `pt_root_id` from `cells`; its outputs, if they may be interpreted, are in `connections_proofread`; what
-- connects cells with cells is in `cell_connections`.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: for inputs, only the fraction with a proofread or typed presynaptic cell says who they come from
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
    coalesce(pre.pre_n_nuclei, 0) AS pre_n_nuclei, -- Nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    pre.* EXCLUDE (pre_pt_root_id, pre_n_nuclei, pre_x_nm, pre_y_nm, pre_z_nm),
    coalesce(post.post_n_nuclei, 0) AS post_n_nuclei, -- Nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged
    post.* EXCLUDE (post_pt_root_id, post_n_nuclei, post_x_nm, post_y_nm, post_z_nm),
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
