-- The nucleus id of a cell, given its root id; NULL for a segment without a nucleus.
--
-- The nucleus id is the handle that stays when root ids change. The root of merged cells stands for no single nucleus
-- and is an error: `multi_soma_roots` lists its nuclei. One id; for several use `check_ids` or join `cells`.
-- macro: nucleus_of(id)
-- example: SELECT nucleus_of(864691135756093204)
-- cite: cave2025
-- questions: Q10
SELECT
    (
        SELECT
            CASE
                WHEN c.problem IS NOT NULL THEN error(c.problem)
                WHEN c.nucleus_id IS NULL AND c.n_nuclei > 1
                    THEN error(c.id || ' holds ' || c.n_nuclei || ' nuclei, so it is no single cell; see multi_soma_roots')
                ELSE c.nucleus_id
            END
        FROM check_ids(id) AS c
    ) AS nucleus_of -- The cell: `id` in nucleus_detection_v0
