-- Depth below the pia of a point, measured along the straight normal of the pia.
--
-- The volume is rotated about z until y runs from the pia to the white matter; depth is the distance to the pia in
-- that direction, negative above it. This is the affine transform that the field uses for minnie65
-- (standard_transform, "1.4"), not the curved streamline depth, which differs where the cortex bends. Takes nm: for
-- CAVE's voxels see `to_nm`. Rotation and pia are in `dataset_constants`.
-- macro: depth_um(x_nm, y_nm)
-- cite: microns2025
-- questions: Q08, Q25
-- example: SELECT round(depth_um(694336, 580480), 4) AS depth_um, layer_of(depth_um(694336, 580480)) AS layer
SELECT
    (
        sin(radians(_rotation_deg())) * x_nm + cos(radians(_rotation_deg())) * y_nm - _pia_nm()
    ) / 1000 AS depth_um -- Depth below the pia, negative above it [um]
