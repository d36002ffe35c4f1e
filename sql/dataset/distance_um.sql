-- Straight distance of two points, given as what lies between them: the length of a displacement in space.
--
-- Takes the differences of two positions in nm (x, y, z, signed), as `lateral_um` does, which leaves depth out.
-- macro: distance_um(dx_nm, dy_nm, dz_nm)
-- cite: microns2025
-- questions: Q27
-- example: SELECT distance_um(3000, 4000, 0) AS distance_um
SELECT sqrt(_squared(dx_nm) + _squared(dy_nm) + _squared(dz_nm)) / 1000 AS distance_um -- Straight distance [um]
