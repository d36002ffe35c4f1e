-- The synapses made by one or several segments, one row per cleft.
--
-- Takes root ids or nucleus ids: a number, a text, a list, or `(SELECT list(...) FROM ...)`. What an axon that was not
-- proofread sends out is incomplete and partly not its own: see `proofreading`, or `axon_proofread` of `check_ids`.
-- Nothing is left out: autapses are flagged (`is_autapse`), and a postsynaptic root of 0 or 1 means that the side lies
-- in no segment.
--
-- Fast for cells and proofread axons, which are stored sorted by axon. For an orphan piece of axon the presynaptic ids
-- of the whole table are read: seconds, where all synapses are here.
-- grain: id
-- requires: synapses_pni_2
-- scope: all, proofread, cells
-- macro: output_synapses(ids)
-- example: SELECT count(*) AS n_syn FROM output_synapses(424569) WHERE NOT is_autapse
-- warning: outputs of axons that were not proofread are not to be interpreted
-- cite: microns2025, turner2022
-- questions: Q20
SELECT s.*
FROM _synapses_from(ids) AS s
