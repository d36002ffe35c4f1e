-- The ids of an argument, one row per id and time that it is given: of a number, a text, a list (also of lists), or a
-- subquery in parentheses.
--
-- Ids of 18 digits do not fit into a float, so a float is refused: it may already be another id.
--
-- More than a million ids are refused; so a LIMIT of as many further up cuts nothing off, but tells the planner that the
-- ids are the smaller side of a join.
-- macro: _ids(ids)
SELECT
    CASE
        WHEN typeof(i.given) IN ('DOUBLE', 'FLOAT') OR typeof(i.given) LIKE 'DECIMAL%'
            THEN error('an id was given as ' || typeof(i.given) || ', which cannot hold 18 digits; pass integers or text')
        WHEN i.nth > 1000000 THEN error('more than a million ids; join synapses or connections to your own table of ids')
        WHEN i.given IS NULL THEN error('an id is NULL; leave such rows out before asking')
        WHEN try_cast(i.given AS BIGINT) IS NULL OR NOT regexp_full_match(i.given::VARCHAR, '\s*\d+\s*')
            THEN
                error(
                    coalesce(nullif(trim(i.given::VARCHAR), ''), 'an empty text')
                    || ' is no id: root ids and nucleus ids are positive whole numbers'
                )
        ELSE i.given::BIGINT
    END AS id -- Root id or nucleus id
FROM (
    SELECT
        g.given,
        row_number() OVER () AS nth
    FROM (SELECT unnest([ids], recursive := TRUE) AS given) AS g
) AS i
