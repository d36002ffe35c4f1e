-- The root id, in this version, of a nucleus or of a root id that is still valid.
--
-- One id; for several, or for the root of each row of a table, use `check_ids` or join `cells`.
-- macro: root_of(id)
-- example: SELECT root_of(424569)
-- cite: cave2025
-- questions: Q10
SELECT
    (
        SELECT
            CASE
                WHEN count(*) <> 1
                    THEN error('root_of takes one id, and here are ' || count(*) || ' segments; for several ask check_ids, or join cells')
                ELSE any_value(r.root)
            END
        FROM _roots(id) AS r
    ) AS root_of -- Segment in this version
