-- A threshold or limit of an argument; NULL raises a sentence, for a comparison with NULL would drop every row and read as none there.
-- macro: _given(threshold, what)
SELECT
    CASE
        WHEN threshold IS NULL THEN error(what || ' is NULL; leave it out, or pass a number')
        ELSE threshold
    END AS _given -- The threshold
