-- Segments all of whose synapses are here although others' are not, one row per segment: the chosen cells of a bundle.
--
-- A bundle of chosen cells has its rows in place of this SELECT; elsewhere there are none.
-- grain: pt_root_id
SELECT NULL::BIGINT AS pt_root_id -- Segment in this version
WHERE FALSE
