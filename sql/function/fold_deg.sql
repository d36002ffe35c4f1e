-- Difference of two angles on a circle of a given length, from 0 to half of it.
--
-- Orientations repeat after 180 degrees and directions after 360: 179 and 1 degree of orientation are 2 degrees apart,
-- not 178.
-- macro: fold_deg(a_deg, b_deg, period_deg)
-- questions: Q57
-- example: SELECT fold_deg(179, 1, 180) AS d_ori, fold_deg(350, 20, 360) AS d_dir
SELECT
    least(
        abs(a_deg - b_deg) % period_deg, period_deg - abs(a_deg - b_deg) % period_deg
    ) AS fold_deg -- Difference folded on the circle [deg]
