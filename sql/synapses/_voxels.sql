-- A coordinate of a box in voxels, rounded up, so that a box holds the positions from its lower bound to below its upper.
--
-- What lies far beyond the integers of positions becomes 2^53, the last that a DOUBLE holds, so that a box may be open to a side.
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
    ), -9007199254740992), 9007199254740992)::BIGINT AS _voxels -- [voxel]
