-- Nuclei with their look-up root, one row per nucleus.
--
-- The centroid of some nuclei lies on a wrong segment (a hole, a merge, the nucleus itself cut out). For these,
-- somebody placed a better point by hand. The root under that point is the root of the cell, as in CAVE's
-- nucleus_detection_lookup_v1.
-- grain: nucleus_id
-- requires: nucleus_detection_v0
SELECT
    n.id AS nucleus_id, -- The cell: `id` in nucleus_detection_v0, the same in every version
    coalesce(a.pt_root_id, n.pt_root_id) AS pt_root_id, -- Segment of the cell in this version, at the look-up point; 0 and 1 mean none
    n.pt_root_id AS orig_root_id, -- Segment under the centroid of the nucleus, which for some cells is the wrong one
    CASE
        WHEN a.pt_root_id IS NULL THEN 'centroid' ELSE 'alternative point'
    END AS root_source, -- Which point gave pt_root_id: centroid, or alternative point (nucleus_alternative_points)
    coalesce(a.pt_supervoxel_id, n.pt_supervoxel_id) AS pt_supervoxel_id, -- Supervoxel at the look-up point; never changes
    n.volume AS nucleus_volume_um3, -- Volume of the nucleus, not of the soma [um3]
    n.pt_position_x,
    n.pt_position_y,
    n.pt_position_z,
    n.pt_position_x * _voxel_x_nm('nucleus_detection_v0') AS x_nm, -- Centroid of the nucleus, x [nm]
    n.pt_position_y * _voxel_y_nm('nucleus_detection_v0') AS y_nm, -- Centroid of the nucleus, y; grows away from the pia [nm]
    n.pt_position_z * _voxel_z_nm('nucleus_detection_v0') AS z_nm -- Centroid of the nucleus, z [nm]
FROM nucleus_detection_v0 AS n
LEFT JOIN _alternative_points AS a ON a.nucleus_id = n.id
