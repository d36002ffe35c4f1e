-- A bound of a box, if both its corners are six numbers; NULL or text that is no number raises a sentence.
--
-- `least` and `greatest` leave NULL out and compare text by its letters, so that the box would be another one. Every bound
-- looks at all six: where the others leave no file to be read, a wrong one is never evaluated. By CASE, whose condition
-- the planner settles: then it knows the bounds, and only what lies around the box is read.
-- macro: _bound(bound, x0, y0, z0, x1, y1, z1)
SELECT
    CASE
        WHEN
            try_cast(x0::VARCHAR AS DOUBLE) <= 'inf'::DOUBLE -- also NaN is greater
            AND try_cast(y0::VARCHAR AS DOUBLE) <= 'inf'::DOUBLE
            AND try_cast(z0::VARCHAR AS DOUBLE) <= 'inf'::DOUBLE
            AND try_cast(x1::VARCHAR AS DOUBLE) <= 'inf'::DOUBLE
            AND try_cast(y1::VARCHAR AS DOUBLE) <= 'inf'::DOUBLE
            AND try_cast(z1::VARCHAR AS DOUBLE) <= 'inf'::DOUBLE
            THEN bound
        ELSE
            error(
                'the corners of the box are '
                || [x0::VARCHAR, y0::VARCHAR, z0::VARCHAR, x1::VARCHAR, y1::VARCHAR, z1::VARCHAR]::VARCHAR
                || '; two opposite corners are six numbers: x0, y0, z0, x1, y1, z1'
            )::DOUBLE
    END AS _bound -- In the unit in which it was given
