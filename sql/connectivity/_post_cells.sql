-- What is known of a postsynaptic segment, columns named for that end of a synapse, one row per segment with a nucleus.
-- grain: post_pt_root_id
-- requires: nucleus_detection_v0
SELECT
    c.pt_root_id AS post_pt_root_id, -- Postsynaptic segment in this version
    c.n_nuclei AS post_n_nuclei_on_root, -- Number of nuclei on the postsynaptic segment: 0 = piece or afferent, 1 = cell, more = merged
    c.nucleus_id AS post_nucleus_id, -- The postsynaptic cell, if its segment has exactly one nucleus
    c.cell_class AS post_cell_class, -- Class of the postsynaptic cell: excitatory, inhibitory, nonneuron
    c.cell_type AS post_cell_type, -- Type of the postsynaptic cell, by the precedence of `cells`
    c.mtype AS post_mtype, -- Morphological type of the postsynaptic cell
    c.visual_area AS post_visual_area, -- Visual area of the postsynaptic soma
    c.depth_um AS post_depth_um, -- Depth of the postsynaptic soma below the pia [um]
    c.layer AS post_layer, -- Layer of the postsynaptic soma
    c.x_nm AS post_x_nm,
    c.y_nm AS post_y_nm,
    c.z_nm AS post_z_nm
FROM _root_cells AS c
