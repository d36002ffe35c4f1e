-- A coordinate of a box in voxels, rounded up, so that a box holds the positions from its lower bound to below its upper.
--
-- What lies beyond the integers that positions are kept in becomes the last of them, so that a box may be open to a side.
-- Units are listed here, not looked up as in `_one_of`: a subquery for each bound takes longer to plan.
-- macro: _voxels(coordinate, unit, voxel_nm)
SELECT
    least(greatest(ceil(
        CASE unit::VARCHAR
            WHEN 'nm' THEN coordinate / voxel_nm
            WHEN 'um' THEN coordinate * 1000 / voxel_nm
            WHEN 'voxel' THEN coordinate
            ELSE
                error(
                    'there is no unit named ' || coalesce(unit::VARCHAR, 'NULL')
                    || '; a box is given in nm, um or voxel (unit := ''voxel'' for CAVE''s positions)'
                )::DOUBLE
        END
    ), -2147483648), 2147483647)::INTEGER AS _voxels -- [voxel]
