-- What is known of a segment, one row per segment with a nucleus; only a segment with one nucleus is a cell.
-- grain: pt_root_id
-- store: pt_root_id
-- requires: nucleus_detection_v0
WITH roots AS (
    SELECT
        n.pt_root_id,
        count(*) AS n_nuclei,
        CASE WHEN count(*) = 1 THEN any_value(n.nucleus_id) END AS nucleus_id,
        CASE WHEN count(*) = 1 THEN any_value(n.x_nm) END AS x_nm,
        CASE WHEN count(*) = 1 THEN any_value(n.y_nm) END AS y_nm,
        CASE WHEN count(*) = 1 THEN any_value(n.z_nm) END AS z_nm
    FROM _nuclei AS n
    WHERE n.pt_root_id NOT IN (0, 1)
    GROUP BY n.pt_root_id
)

SELECT
    r.pt_root_id, -- Segment in this version
    r.n_nuclei, -- Number of nuclei on the segment
    r.nucleus_id, -- The cell, if the segment has one nucleus
    k.cell_class,
    k.cell_type,
    k.mtype,
    a.tag AS visual_area, -- Visual area the nucleus lies in
    depth_um(r.x_nm, r.y_nm) AS depth_um, -- Depth of the nucleus below the pia [um]
    layer_of(depth_um(r.x_nm, r.y_nm)) AS layer, -- Cortical layer at that depth
    r.x_nm, -- Centroid of the nucleus, x [nm]
    r.y_nm, -- Centroid of the nucleus, y [nm]
    r.z_nm -- Centroid of the nucleus, z [nm]
FROM roots AS r
LEFT JOIN _labels AS k ON k.nucleus_id = r.nucleus_id
LEFT JOIN _areas AS a ON a.nucleus_id = r.nucleus_id
