-- The visual area of each nucleus, one row per nucleus that was assigned one.
-- grain: nucleus_id
SELECT
    target_id AS nucleus_id, -- The cell
    max_by(tag, id) AS tag, -- Visual area
    max_by(value, id) AS value -- Mean distance to the ten nearest nuclei of another area [um]
FROM nucleus_functional_area_assignment
GROUP BY target_id
