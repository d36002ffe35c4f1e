-- Cells lie no more than 500 um above the pia or below the top of the deepest layer; a depth beyond comes from a position in
-- another unit, or from the transform of another dataset, and so does its layer.
-- requires: nucleus_detection_v0
SELECT
    c.nucleus_id,
    c.depth_um,
    c.layer
FROM cells AS c
CROSS JOIN (SELECT max(l.top_um) AS deepest_um FROM layer_bounds AS l) AS b
WHERE c.depth_um NOT BETWEEN -500 AND b.deepest_um + 500
