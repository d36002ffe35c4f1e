-- The cortical layer at a depth below the pia, which is given in um; NULL above the pia.
--
-- For a point in nm: layer_of(depth_um(x_nm, y_nm)).
-- Bounds: see layer_bounds, which also says who drew them and in which visual area.
-- Outside the pia there is tissue too, but no layer: it is not counted as L1.
-- macro: layer_of(depth)
-- questions: Q08
-- example: SELECT layer_of(300) AS at_300_um
SELECT CASE WHEN depth >= 0 THEN _layer_at(depth) END AS layer_of -- Cortical layer, NULL above the pia
