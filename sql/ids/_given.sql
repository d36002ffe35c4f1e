-- A threshold or limit of an argument. NULL raises a sentence: a comparison with it would drop every row and read as none there.
-- So does a number that can only be an id, which was meant as a second id: nuclei have at least five digits, and no pair has
-- so many synapses; sizes and lengths are below 10^15.
-- macro: _given(threshold, what)
SELECT
    CASE
        WHEN threshold IS NULL THEN error(what || ' is NULL; leave it out, or pass a number')
        WHEN try_cast(threshold AS DOUBLE) >= CASE what WHEN 'min_syn' THEN 1e4 ELSE 1e15 END
            THEN
                error(
                    what || ' is a number of things, and ' || threshold || ' looks like an id; pass several ids as one list, [a, b]'
                )
        ELSE threshold
    END AS _given -- The threshold
