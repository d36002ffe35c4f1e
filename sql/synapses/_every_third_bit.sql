-- The lowest eight bits of a whole number, spread out to every third bit.
-- macro: _every_third_bit(number)
SELECT
    (
        (number & 1) + ((number & 2) << 2) + ((number & 4) << 4) + ((number & 8) << 6) + ((number & 16) << 8)
        + ((number & 32) << 10) + ((number & 64) << 12) + ((number & 128) << 14)
    ) AS _every_third_bit
