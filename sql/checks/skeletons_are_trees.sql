-- A skeleton is a tree that begins at the soma: one root, parents that are there, a way to the soma that adds up along the
-- edges (so there are no loops), radii above 0, and the root no farther than 25 um from the nucleus of its cell.
-- requires: skeleton_vertices
WITH edges AS (
    SELECT
        v.pt_root_id,
        v.vertex,
        CASE
            WHEN v.parent_vertex IS NOT NULL AND p.vertex IS NULL THEN 'its parent is not there'
            WHEN (v.path_nm IS NULL) <> (p.path_nm IS NULL) AND p.vertex IS NOT NULL
                THEN 'it and its parent are not both on the way to the soma'
            WHEN v.length_nm < 0 OR abs(v.path_nm - p.path_nm - v.length_nm) > 10
                THEN 'its way to the soma is not the way of its parent and the edge'
            WHEN v.radius_nm <= 0 THEN 'its radius is not above 0'
        END AS problem
    FROM skeleton_vertices AS v
    LEFT JOIN skeleton_vertices AS p ON p.pt_root_id = v.pt_root_id AND p.vertex = v.parent_vertex
),

roots AS (
    SELECT
        v.pt_root_id,
        any_value(v.vertex) AS vertex,
        any_value(v.x_nm) AS x_nm,
        any_value(v.y_nm) AS y_nm,
        any_value(v.z_nm) AS z_nm
    FROM skeleton_vertices AS v
    WHERE v.parent_vertex IS NULL AND v.path_nm = 0
    GROUP BY v.pt_root_id
    HAVING count(*) = 1
)

SELECT
    e.pt_root_id,
    e.vertex,
    e.problem
FROM edges AS e
WHERE e.problem IS NOT NULL
UNION ALL
SELECT
    s.pt_root_id,
    NULL,
    'it has no root, or several'
FROM (SELECT DISTINCT pt_root_id FROM skeleton_vertices) AS s
ANTI JOIN roots AS r ON r.pt_root_id = s.pt_root_id
UNION ALL
SELECT
    r.pt_root_id,
    r.vertex,
    'it is more than 25 um from the nucleus'
FROM roots AS r
JOIN cells AS c ON c.pt_root_id = r.pt_root_id AND c.is_single_soma
WHERE sqrt(_squared(r.x_nm - c.x_nm) + _squared(r.y_nm - c.y_nm) + _squared(r.z_nm - c.z_nm)) > 25000
