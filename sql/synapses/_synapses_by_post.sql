-- `_rows_onto` with what `synapses` derives.
-- grain: id, b
SELECT
    s.*,
    s.pre_pt_root_id = s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1) AS is_autapse, -- Whether both sides are the same segment
    s.ctr_pt_position_x * _voxel_x_nm('synapses_pni_2') AS ctr_x_nm, -- The centre of the cleft, x [nm]
    s.ctr_pt_position_y * _voxel_y_nm('synapses_pni_2') AS ctr_y_nm, -- The centre of the cleft, y; grows away from the pia [nm]
    s.ctr_pt_position_z * _voxel_z_nm('synapses_pni_2') AS ctr_z_nm -- The centre of the cleft, z [nm]
FROM _rows_onto AS s
