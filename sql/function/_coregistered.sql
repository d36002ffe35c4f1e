-- Nuclei with at least one recorded unit, one row per nucleus.
-- grain: nucleus_id
SELECT DISTINCT m.nucleus_id -- The cell
FROM _matches AS m
