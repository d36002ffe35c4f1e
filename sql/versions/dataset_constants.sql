-- The numbers that are of this dataset and not of the method, one row each: what to change for another one.
--
-- Depth is (sin(rotation) * x + cos(rotation) * y - pia_y) / 1000, see `depth_um`. Layers are also in `layer_bounds`.
-- Synapse detection: of 100 rows of the synapse table some 96 are synapses (precision), of 100 true ones some 89 are in it
-- (recall), and some 98 have both sides right (partner assignment). That is of the volume as a whole: small synapses and
-- single places do worse. Not in CAVE, but published (microns2025).
-- grain: name
-- cite: microns2025
-- questions: Q53
-- example: SELECT name, value, unit FROM dataset_constants WHERE name LIKE 'voxel%' ORDER BY name
SELECT
    c.name, -- What the number is
    c.value, -- The number, in `unit`
    c.unit, -- Its physical unit
    NULL::VARCHAR AS visual_area, -- Visual area in which it was determined; NULL for the whole volume
    c.source -- Who gives it
FROM _constants AS c
UNION ALL
SELECT
    l.layer || ' top',
    l.top_um,
    'um',
    l.visual_area,
    l.source
FROM _layers AS l
WHERE l.bounds = _layers_name()
UNION ALL
SELECT
    l.layer || ' bottom',
    l.bottom_um,
    'um',
    l.visual_area,
    l.source
FROM _layers AS l
WHERE l.bounds = _layers_name() AND l.bottom_um IS NOT NULL
