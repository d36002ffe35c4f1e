-- One end of the 95 % score interval (Wilson 1927) of k out of n: the lower with side -1, the upper with side 1; NULL for n = 0.
-- macro: _wilson(k, n, side)
SELECT
    CASE
        WHEN n > 0
            THEN (
                k + 1.96::DOUBLE ** 2 / 2
                + side * 1.96::DOUBLE * sqrt(k * (n - k)::DOUBLE / n + 1.96::DOUBLE ** 2 / 4)
            ) / (n + 1.96::DOUBLE ** 2)
    END AS _wilson -- Bound of the interval
