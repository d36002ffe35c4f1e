-- The better look-up point of nuclei whose centroid lies on a wrong segment, one row per such nucleus.
--
-- If a nucleus was given several points, the latest counts.
-- grain: nucleus_id
SELECT
    target_id AS nucleus_id, -- The cell
    max_by(pt_root_id, id) AS pt_root_id, -- Segment under the point
    max_by(pt_supervoxel_id, id) AS pt_supervoxel_id, -- Supervoxel under the point; never changes
    max_by(pt_position_x, id) AS x, -- The point, x [voxel]
    max_by(pt_position_y, id) AS y, -- The point, y [voxel]
    max_by(pt_position_z, id) AS z -- The point, z [voxel]
FROM nucleus_alternative_points
GROUP BY target_id
