-- Nuclei to which any method gives a recorded unit, one row per nucleus: those of `functional_units`.
-- grain: nucleus_id
SELECT m.nucleus_id -- The cell
FROM _matches AS m
GROUP BY m.nucleus_id
