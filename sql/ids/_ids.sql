-- The ids of an argument, one row per id and time that it is given: of a number, a text (also several ids with commas or
-- blanks between), a list (also of lists), or a subquery in parentheses.
--
-- Ids of 18 digits do not fit into a float, so a float is refused: it may already be another id. A DECIMAL without a fraction is exact.
--
-- More than a million ids are refused; so a LIMIT of as many further up cuts nothing off, but tells the planner that the
-- ids are the smaller side of a join.
-- macro: _ids(ids)
SELECT
    CASE
        WHEN i.kind IN ('DOUBLE', 'FLOAT') OR (i.kind LIKE 'DECIMAL%' AND i.kind NOT LIKE '%,0)')
            THEN error('an id was given as ' || i.kind || ', which cannot hold 18 digits; pass integers or text')
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
        w.*,
        row_number() OVER () AS nth
    FROM (
        SELECT
            typeof(g.given) AS kind,
            unnest(
                CASE
                    WHEN regexp_matches(g.given::VARCHAR, '\d[\s,;]+\d|^\s*[\[(]')
                        THEN string_split_regex(trim(g.given::VARCHAR, ' []()'), '[\s,;]+')
                    ELSE [g.given::VARCHAR]
                END
            ) AS given
        FROM (SELECT unnest([ids], recursive := TRUE) AS given) AS g
    ) AS w
) AS i
