-- Every nucleus is one row of cells; a nucleus that is missing or repeated makes every count of cells wrong.
-- requires: nucleus_detection_v0
SELECT
    n.id AS nucleus_id,
    count(c.nucleus_id) AS n_rows
FROM nucleus_detection_v0 AS n
LEFT JOIN cells AS c ON c.nucleus_id = n.id
GROUP BY n.id
HAVING count(c.nucleus_id) <> 1
