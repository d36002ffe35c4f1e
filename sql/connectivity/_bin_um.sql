-- The lower end of the 25 um bin that a distance falls into.
-- macro: _bin_um(distance)
SELECT (floor(distance / 25) * 25)::INTEGER AS _bin_um -- Lower end of the bin [um]
