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
                WHEN count(*) <> 1
                    THEN error('nucleus_of takes one id, and here are ' || count(*) || '; for several ask check_ids, or join cells')
                ELSE any_value(c.nucleus_id)
            END
        FROM (
            SELECT
                CASE
                    WHEN k.problem IS NOT NULL THEN error(k.problem)
                    WHEN k.nucleus_id IS NULL AND k.n_nuclei_on_root > 1
                        THEN error(k.id || ' holds ' || k.n_nuclei_on_root || ' nuclei, so it is no single cell; see multi_soma_roots')
                    ELSE k.nucleus_id
                END AS nucleus_id
            FROM check_ids(id) AS k
        ) AS c
    ) AS nucleus_of -- The cell: `id` in nucleus_detection_v0
