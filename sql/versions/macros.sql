-- Every macro: how it is called, what it answers, and an example.
-- grain: name
-- example: SELECT signature FROM macros ORDER BY name LIMIT 4
SELECT
    m.name,
    m.signature,
    m.returns,
    m.description,
    m.example
FROM _macros AS m
