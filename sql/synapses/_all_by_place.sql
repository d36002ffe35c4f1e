-- All synapses, sorted by where they are if the layout is full: for boxes.
--
-- `cube` numbers cubes of 25 um along a Z-order curve (the bits of the three coordinates interleaved), so that neighbours
-- in space are mostly neighbours in the file. In several files, because for a single one DuckDB looks at the statistics of
-- every column while it plans.
-- grain: id
-- requires: synapses_pni_2
-- store: cube, id
-- row_group: 122880
-- buckets: kept
-- layout: full
SELECT
    s.*,
    _every_third_bit((s.ctr_pt_position_x * _voxel_x_nm('synapses_pni_2') / 25000)::INTEGER)
    + 2 * _every_third_bit((s.ctr_pt_position_y * _voxel_y_nm('synapses_pni_2') / 25000)::INTEGER)
    + 4 * _every_third_bit((s.ctr_pt_position_z * _voxel_z_nm('synapses_pni_2') / 25000)::INTEGER) AS cube, -- Number of the centre's cube
    cube // 4096 AS b -- Number of the bucket: of 16 x 16 x 16 cubes
FROM synapses_pni_2 AS s
