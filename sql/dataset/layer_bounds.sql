-- Where each cortical layer begins and ends, by depth below the pia.
--
-- The bounds were drawn in one visual area and are used for the whole volume. This is the set that all views use; others
-- are in `layer_bounds_by_source`.
-- grain: layer
-- cite: microns2025
-- questions: Q08, Q25, Q42
-- example: SELECT layer, top_um, bottom_um FROM layer_bounds ORDER BY top_um
SELECT
    l.layer,
    l.top_um,
    l.bottom_um,
    l.visual_area,
    l.source
FROM _layers AS l
WHERE l.bounds = _layers_name()
