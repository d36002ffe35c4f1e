-- A word of an argument if it is one of the allowed ones; any other, NULL too, raises a sentence that names the nearest.
--
-- Without a lambda, which DuckDB 1.2 writes otherwise: it must be able to open a bundle.
-- macro: _one_of(word, what, allowed)
SELECT
    CASE
        WHEN list_contains(allowed, word::VARCHAR) THEN word::VARCHAR
        ELSE
            error(
                'there is no ' || what || ' named ' || coalesce(word::VARCHAR, 'NULL') || '; the nearest is '
                || (
                    SELECT n.name
                    FROM (SELECT unnest(allowed) AS name) AS n
                    ORDER BY jaro_winkler_similarity(lower(n.name), lower(coalesce(word::VARCHAR, ''))) DESC, n.name DESC
                    LIMIT 1
                )
                || ', all are ' || array_to_string(list_sort(allowed), ', ')
            )
    END AS _one_of -- The word
