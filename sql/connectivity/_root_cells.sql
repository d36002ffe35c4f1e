-- Who a segment is, one row per segment with a nucleus; only a segment with one nucleus is somebody.
-- grain: pt_root_id
-- requires: nucleus_detection_v0
SELECT
    r.pt_root_id, -- Segment in this version
    r.n_nuclei, -- Number of nuclei on the segment
    c.nucleus_id, -- The cell, if the segment has one nucleus
    c.cell_class,
    c.cell_type,
    c.mtype,
    c.visual_area,
    c.depth_um,
    c.layer,
    c.x_nm,
    c.y_nm,
    c.z_nm
FROM _root_nuclei AS r
LEFT JOIN cells AS c ON c.pt_root_id = r.pt_root_id AND c.is_single_soma
