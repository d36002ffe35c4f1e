-- What is known of a presynaptic segment, columns named for that end of a synapse, one row per segment with a nucleus.
-- grain: pre_pt_root_id
-- requires: nucleus_detection_v0
SELECT
    c.pt_root_id AS pre_pt_root_id, -- Presynaptic segment in this version
    c.n_nuclei AS pre_n_nuclei_on_root, -- Number of nuclei on the presynaptic segment: 0 = piece or afferent, 1 = cell, more = merged
    c.nucleus_id AS pre_nucleus_id, -- The presynaptic cell, if its segment has exactly one nucleus
    c.cell_class AS pre_cell_class, -- Class of the presynaptic cell: excitatory, inhibitory, nonneuron
    c.cell_type AS pre_cell_type, -- Type of the presynaptic cell, by the precedence of `cells`
    c.mtype AS pre_mtype, -- Morphological type of the presynaptic cell
    c.visual_area AS pre_visual_area, -- Visual area of the presynaptic soma
    c.depth_um AS pre_depth_um, -- Depth of the presynaptic soma below the pia [um]
    c.layer AS pre_layer, -- Layer of the presynaptic soma
    c.x_nm AS pre_x_nm,
    c.y_nm AS pre_y_nm,
    c.z_nm AS pre_z_nm
FROM _root_cells AS c
