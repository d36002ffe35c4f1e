-- A coordinate of a box in voxels, rounded up, so that a box holds the positions from its lower bound to below its upper.
-- macro: _voxels(coordinate, unit, voxel_nm)
SELECT
    ceil(
        CASE _one_of(unit, 'unit', ['nm', 'um', 'voxel'])
            WHEN 'nm' THEN coordinate / voxel_nm
            WHEN 'um' THEN coordinate * 1000 / voxel_nm
            ELSE coordinate
        END
    )::INTEGER AS _voxels -- [voxel]
