-- Where each cortical layer begins and ends, by every known set of bounds, one row for each set and layer.
--
-- Sets differ by tens of um, because they were drawn by different people, by different criteria. `is_default` marks the
-- one that all views use. All are depths along the straight normal of the pia, see `depth_um`.
-- grain: bounds, layer
-- cite: microns2025
-- questions: Q08, Q42
-- example: SELECT bounds, top_um AS l5_top_um FROM layer_bounds_by_source WHERE layer = 'L5' ORDER BY bounds
SELECT
    l.bounds,
    l.bounds = _layers_name() AS is_default, -- Whether all views use this set
    l.layer,
    l.top_um,
    l.bottom_um,
    l.visual_area,
    l.source
FROM _layers AS l
