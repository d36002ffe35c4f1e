-- The synapses whose centre lies in a box, one row per cleft.
--
-- Two opposite corners as six numbers, in nm by default, else `unit := 'um'` or `unit := 'voxel'` (CAVE's own unit). The
-- lower bound of each axis belongs to the box, the upper does not, so that neighbouring boxes share no synapse.
--
-- The positions of all synapses are read: seconds, where all are here. A snapshot made with `--layout full` keeps them
-- sorted by place as well and opens only what lies around the box.
-- grain: id
-- requires: synapses_pni_2
-- scope: all
-- macro: synapses_in_box(x0, y0, z0, x1, y1, z1, unit := 'nm')
-- example: FROM synapses_in_box(180000, 140000, 20000, 181000, 141000, 20100, unit := 'voxel') ORDER BY id
-- warning: positions are in nm here and in voxels in CAVE; a box in the wrong unit is empty or elsewhere
-- cite: microns2025, turner2022
-- questions: Q28
SELECT
    s.* EXCLUDE (cube, b),
    s.pre_pt_root_id = s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1) AS is_autapse, -- Whether both sides are the same segment
    s.ctr_pt_position_x * _voxel_x_nm('synapses_pni_2') AS ctr_x_nm, -- The centre of the cleft, x [nm]
    s.ctr_pt_position_y * _voxel_y_nm('synapses_pni_2') AS ctr_y_nm, -- The centre of the cleft, y; grows away from the pia [nm]
    s.ctr_pt_position_z * _voxel_z_nm('synapses_pni_2') AS ctr_z_nm -- The centre of the cleft, z [nm]
FROM _all_by_place AS s
WHERE
    s.ctr_pt_position_x >= _voxels(
        _bound(least(x0::VARCHAR::DOUBLE, x1::VARCHAR::DOUBLE), x0, y0, z0, x1, y1, z1), unit, _voxel_x_nm('synapses_pni_2')
    )
    AND s.ctr_pt_position_x < _voxels(
        _bound(greatest(x0::VARCHAR::DOUBLE, x1::VARCHAR::DOUBLE), x0, y0, z0, x1, y1, z1), unit, _voxel_x_nm('synapses_pni_2')
    )
    AND s.ctr_pt_position_y >= _voxels(
        _bound(least(y0::VARCHAR::DOUBLE, y1::VARCHAR::DOUBLE), x0, y0, z0, x1, y1, z1), unit, _voxel_y_nm('synapses_pni_2')
    )
    AND s.ctr_pt_position_y < _voxels(
        _bound(greatest(y0::VARCHAR::DOUBLE, y1::VARCHAR::DOUBLE), x0, y0, z0, x1, y1, z1), unit, _voxel_y_nm('synapses_pni_2')
    )
    AND s.ctr_pt_position_z >= _voxels(
        _bound(least(z0::VARCHAR::DOUBLE, z1::VARCHAR::DOUBLE), x0, y0, z0, x1, y1, z1), unit, _voxel_z_nm('synapses_pni_2')
    )
    AND s.ctr_pt_position_z < _voxels(
        _bound(greatest(z0::VARCHAR::DOUBLE, z1::VARCHAR::DOUBLE), x0, y0, z0, x1, y1, z1), unit, _voxel_z_nm('synapses_pni_2')
    )
