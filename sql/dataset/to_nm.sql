-- A point in CAVE's voxels as nanometres.
--
-- CAVE gives positions in voxels, which are longer in z (`voxel_x`, `voxel_y`, `voxel_z` of `dataset_constants`): a
-- distance computed from them is wrong. Views here have positions in nm beside CAVE's own; this is for points of yours.
-- A few tables have voxels of another size, see `voxel_sizes_nm` in `table_catalog`: for their points, name the table.
-- It takes numbers, not lists; divide by 1000 for um.
-- macro: to_nm(x, y, z, of_table := NULL)
-- example: SELECT to_nm(173584, 145120, 21127).x_nm
-- example: SELECT to_nm(173584, 145120, 21127, of_table := 'nucleus_detection_v0').z_nm
-- cite: microns2025
-- questions: Q08, Q28
SELECT
    struct_pack(
        x_nm := x * _voxel_x_nm(_table_here(of_table)),
        y_nm := y * _voxel_y_nm(_table_here(of_table)),
        z_nm := z * _voxel_z_nm(_table_here(of_table))
    ) AS to_nm -- The point, as a struct of x_nm, y_nm, z_nm [nm]
