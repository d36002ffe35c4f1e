-- Nuclei with their look-up point: CAVE's view of this name, column for column, one row per nucleus.
--
-- It is computed here from the table of nuclei and nucleus_alternative_points, so that published code that asks for
-- this view runs unchanged. `cells` has the same root, with everything else. `pt_root_id` is the segment under the
-- look-up point, `orig_root_id` the one under the centroid. Where they differ, the centroid lies on a wrong segment.
-- grain: id
-- requires: nucleus_detection_v0
-- warning: roots 0 and 1 are kept, as in CAVE, and mean "no segment"
-- cite: microns2025, cave2025
-- questions: Q10
-- example: SELECT id, pt_root_id, orig_root_id FROM nucleus_detection_lookup_v1 WHERE pt_root_id <> orig_root_id ORDER BY id LIMIT 3
SELECT
    n.nucleus_id AS id, -- Nucleus id: `nucleus_id` of `cells`
    n.nucleus_volume_um3::DOUBLE AS volume, -- Volume of the detected nucleus, not of the soma [um3]
    n.pt_root_id, -- Segment under the look-up point in this version
    n.orig_root_id, -- Segment under the centroid in this version
    n.pt_supervoxel_id, -- Supervoxel under the look-up point; never changes
    n.pt_position_x, -- The centroid of the nucleus in CAVE's voxels, x [voxel]
    n.pt_position_y, -- The centroid of the nucleus in CAVE's voxels, y [voxel]
    n.pt_position_z, -- The centroid of the nucleus in CAVE's voxels, z [voxel]
    coalesce(a.x, n.pt_position_x) AS pt_position_lookup_x, -- The look-up point in CAVE's voxels, x [voxel]
    coalesce(a.y, n.pt_position_y) AS pt_position_lookup_y, -- The look-up point in CAVE's voxels, y [voxel]
    coalesce(a.z, n.pt_position_z) AS pt_position_lookup_z -- The look-up point in CAVE's voxels, z [voxel]
FROM _nuclei AS n
LEFT JOIN _alternative_points AS a ON a.nucleus_id = n.nucleus_id
