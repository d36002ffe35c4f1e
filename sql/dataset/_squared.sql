-- A number times itself; `** 2` takes five times as long, which among hundreds of millions of pairs of cells is half of all.
-- macro: _squared(x)
SELECT x::DOUBLE * x::DOUBLE AS _squared -- Its square
