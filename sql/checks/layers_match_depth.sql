-- A cell's layer is the one whose bounds hold its depth, and there is none above the pia; otherwise a count by
-- layer is of cells that lie elsewhere.
-- requires: nucleus_detection_v0
SELECT
    c.nucleus_id,
    c.depth_um,
    c.layer,
    l.layer AS layer_by_bounds
FROM cells AS c
LEFT JOIN layer_bounds AS l ON c.depth_um >= l.top_um AND (l.bottom_um IS NULL OR c.depth_um < l.bottom_um)
WHERE c.layer IS DISTINCT FROM l.layer
