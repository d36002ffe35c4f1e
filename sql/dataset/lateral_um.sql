-- Length of a displacement along the cortical sheet: what remains of it when its depth is taken away.
--
-- Connection probability falls with lateral distance; two cells above each other are laterally close. Takes the
-- differences of two positions in nm (x, y, z, signed); uses the same rotation as depth_um.
-- macro: lateral_um(dx_nm, dy_nm, dz_nm)
-- cite: microns2025
-- questions: Q27
-- example: SELECT round(lateral_um(100000, 0, 0), 2) AS x, round(lateral_um(0, 100000, 0), 2) AS y, lateral_um(0, 0, 100000) AS z
SELECT
    sqrt(
        _squared(cos(radians(_rotation_deg())) * dx_nm - sin(radians(_rotation_deg())) * dy_nm) + _squared(dz_nm)
    ) / 1000 AS lateral_um -- Distance parallel to the pia [um]
