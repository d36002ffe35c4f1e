-- Synapses lie within 200 um of the box around all nuclei; one further out has its position in another unit or resolution,
-- and every depth, distance and box of it is wrong.
-- requires: synapses_pni_2, nucleus_detection_v0
WITH box AS (
    SELECT
        min(n.x_nm) - 200000 AS x_from_nm,
        max(n.x_nm) + 200000 AS x_to_nm,
        min(n.y_nm) - 200000 AS y_from_nm,
        max(n.y_nm) + 200000 AS y_to_nm,
        min(n.z_nm) - 200000 AS z_from_nm,
        max(n.z_nm) + 200000 AS z_to_nm
    FROM _nuclei AS n
)

SELECT
    s.id,
    s.ctr_x_nm,
    s.ctr_y_nm,
    s.ctr_z_nm
FROM synapses AS s
CROSS JOIN box AS b
WHERE
    s.ctr_x_nm NOT BETWEEN b.x_from_nm AND b.x_to_nm
    OR s.ctr_y_nm NOT BETWEEN b.y_from_nm AND b.y_to_nm
    OR s.ctr_z_nm NOT BETWEEN b.z_from_nm AND b.z_to_nm
