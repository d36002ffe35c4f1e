-- The lower end of the bin of 25 um that a distance falls into.
-- macro: _bin_um(distance)
SELECT (floor(distance / 25) * 25)::INTEGER AS _bin_um -- Lower end of the bin [um]
