-- How often cells of one type connect to cells of another, one row per strategy of the axon and pair of types.
--
-- Presynaptic cells are alone on their segment (`is_single_soma`), and their axon was proofread and not edited since.
-- Postsynaptic cells are all cells that are alone on their segment, proofread or not, also those that are no neurons.
-- Pairs of types that never connect are rows with 0. One synapse makes a connection. For other thresholds, rules and
-- groupings see `type_connectivity`.
--
-- Strategies have separate rows because they sample differently. Partially extended and interareal axons miss distant
-- targets, so their probabilities are lower bounds. To pool them is your decision: `type_connectivity` takes it as a
-- parameter. The interval treats pairs as independent, but pairs of one axon are not. To bootstrap cells, use
-- `connectivity_by_cell`.
-- grain: pre_strategy_axon, pre_cell_type, post_cell_type
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: never add rows of different strategies without saying so
-- warning: possible pairs are at all distances: types differ in how far apart their cells lie, see `distance_dependence`
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q32, Q39, Q40, Q43
-- example: SELECT pre_cell_type, post_cell_type, n_possible, n_connected, round(connection_probability, 4) AS p FROM
--     cell_type_connectivity WHERE pre_strategy_axon = 'axon_fully_extended' AND n_connected > 1 ORDER BY n_connected
--     DESC, pre_cell_type, post_cell_type LIMIT 3
SELECT
    t.pre_strategy_axon, -- How far the presynaptic axons were proofread (values in `proofreading`)
    t.pre_label AS pre_cell_type, -- Type of the presynaptic cells; NULL = unknown
    t.post_label AS post_cell_type, -- Type of the postsynaptic cells; NULL = unknown
    t.n_pre_cells, -- Number of presynaptic cells, connected or not
    t.n_post_cells, -- Number of postsynaptic cells, connected or not
    t.n_possible, -- Number of possible ordered pairs of two different cells: n_pre_cells x n_post_cells less the cells in both
    t.n_connected, -- Number of those with at least one synapse
    t.connection_probability, -- n_connected of n_possible; NULL without a possible pair
    t.probability_low, -- Lower end of its 95 % Wilson interval, as if pairs were independent
    t.probability_high, -- Upper end of its 95 % Wilson interval
    t.n_syn, -- Number of synapses of the connected pairs
    t.mean_n_syn, -- Mean number of synapses of a connected pair
    t.sum_size, -- Summed cleft size of these synapses [voxel]
    t.mean_size -- Mean cleft size of these synapses [voxel]
FROM type_connectivity() AS t
