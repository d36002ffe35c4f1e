-- Connected pairs of segments with what is known of both ends, one row per ordered pair.
--
-- An end gets an identity (nucleus, class, type, area, depth, layer) only if its segment holds exactly one nucleus: on
-- orphan pieces there is nobody, on merged cells it is unknown whose synapse it is; `pre_n_nuclei` and `post_n_nuclei`
-- tell these apart. Counting rows counts segments: an axon in five pieces is five of them. `pre_axon_proofread` says
-- whether the pair may be interpreted as an output of its presynaptic cell.
--
-- Fast: a filter on `post_pt_root_id`. A filter on types or nuclei alone forms all pairs first: for the inputs of one
-- cell take its `pt_root_id` from `cells`; its outputs, if they may be interpreted, are in `connections_proofread`.
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
    coalesce(pre.n_nuclei, 0) AS pre_n_nuclei, -- Nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    pre.nucleus_id AS pre_nucleus_id, -- The presynaptic cell, if its segment has exactly one nucleus
    pre.cell_class AS pre_cell_class, -- Class of the presynaptic cell: excitatory, inhibitory, nonneuron
    pre.cell_type AS pre_cell_type, -- Type of the presynaptic cell, by the precedence of `cells`
    pre.mtype AS pre_mtype, -- Morphological type of the presynaptic cell
    pre.visual_area AS pre_visual_area, -- Visual area of the presynaptic soma
    pre.depth_um AS pre_depth_um, -- Depth of the presynaptic soma below the pia [um]
    pre.layer AS pre_layer, -- Layer of the presynaptic soma
    coalesce(post.n_nuclei, 0) AS post_n_nuclei, -- Nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    post.nucleus_id AS post_nucleus_id, -- The postsynaptic cell, if its segment has exactly one nucleus
    post.cell_class AS post_cell_class, -- Class of the postsynaptic cell: excitatory, inhibitory, nonneuron
    post.cell_type AS post_cell_type, -- Type of the postsynaptic cell, by the precedence of `cells`
    post.mtype AS post_mtype, -- Morphological type of the postsynaptic cell
    post.visual_area AS post_visual_area, -- Visual area of the postsynaptic soma
    post.depth_um AS post_depth_um, -- Depth of the postsynaptic soma below the pia [um]
    post.layer AS post_layer, -- Layer of the postsynaptic soma
    sqrt(
        (post.x_nm - pre.x_nm) ** 2 + (post.y_nm - pre.y_nm) ** 2 + (post.z_nm - pre.z_nm) ** 2
    ) / 1000 AS soma_distance_um, -- Distance between the two nuclei; NULL unless both ends are single cells [um]
    lateral_um(
        post.x_nm - pre.x_nm, post.y_nm - pre.y_nm, post.z_nm - pre.z_nm
    ) AS soma_lateral_um -- The same along the cortical sheet, without depth [um]
FROM connections AS k
LEFT JOIN _root_cells AS pre ON pre.pt_root_id = k.pre_pt_root_id
LEFT JOIN _root_cells AS post ON post.pt_root_id = k.post_pt_root_id
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = k.pre_pt_root_id
