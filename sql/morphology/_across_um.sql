-- Where a point is along the pia: the third axis of the rotated volume, beside depth and z.
-- macro: _across_um(x_nm, y_nm)
SELECT
    (
        cos(radians(_rotation_deg())) * x_nm - sin(radians(_rotation_deg())) * y_nm
    ) / 1000 AS _across_um -- Place along the pia [um]
