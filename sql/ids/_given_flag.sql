-- A switch of an argument, true or false. Anything else raises a sentence: as a rule it is an id that was given apart from a list.
-- macro: _given_flag(flag, what)
SELECT
    CASE
        WHEN lower(flag::VARCHAR) IN ('true', 'false') THEN lower(flag::VARCHAR) = 'true'
        ELSE
            error(
                what || ' is true or false, not ' || coalesce(flag::VARCHAR, 'NULL') || '; pass ids as the first two arguments, each '
                || 'one id or a list'
            )
    END AS _given_flag -- The switch
