-- The cortical layer at a depth below the pia, which is given in um; NULL above the pia.
--
-- For a point in nm: layer_of(depth_um(x_nm, y_nm)).
-- Bounds: see layer_bounds, which also says who drew them and in which visual area.
-- `source` names another set of bounds of `layer_bounds_by_source`. By the default set the border of L4 and L5 lies at 392
-- um. In a sample of 50 cells of the like-to-like paper (ding2025) it lies between 343 and 369 um, which fits
-- 'cortical_layers' (361 um). So say in a result which set it is by.
-- Outside the pia there is tissue too, but no layer: it is not counted as L1.
-- macro: layer_of(depth, source := NULL)
-- questions: Q08
-- example: SELECT layer_of(370) AS by_default, layer_of(370, source := 'cortical_layers') AS by_cortical_layers
SELECT
    CASE
        WHEN source IS NOT NULL THEN _layer_by(depth, source) WHEN depth >= 0 THEN _layer_at(depth)
    END AS layer_of -- Cortical layer, NULL above the pia
