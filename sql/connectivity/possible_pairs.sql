-- How many ordered pairs of cells could be connected, by strategy of the axon, class, type, area and distance.
--
-- These are the denominators of connection probabilities. They come from the list of cells, not of connections.
-- Presynaptic cells are alone on their segment (`is_single_soma`) and have a proofread axon. Postsynaptic cells are
-- all cells that are alone on their segment. A cell is not paired with itself. So a sum over rows is the number of
-- presynaptic cells times the number of postsynaptic cells, less the cells that are in both groups.
--
-- Kinds and distances without a pair have no row. Distances are between nuclei, in space, in bins of 25 um. For
-- distances along the cortical sheet see `distance_dependence`.
-- grain: pre_strategy_axon, pre_is_current, pre_cell_class, pre_cell_type, pre_visual_area, post_cell_class,
--     post_cell_type, post_visual_area, distance_from_um
-- requires: nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: `cell_type_connectivity` takes only rows where pre_is_current holds
-- warning: NULL in a class, type or area is a group of its own: compare with IS NOT DISTINCT FROM
-- cite: microns2025, schneidermizell2025
-- questions: Q32, Q38
-- example: SELECT pre_strategy_axon, pre_is_current, sum(n_possible)::BIGINT AS n_possible FROM possible_pairs GROUP BY ALL
--     ORDER BY ALL
SELECT
    b.pre_strategy_axon,
    b.pre_is_current,
    b.pre_cell_class,
    b.pre_cell_type,
    b.pre_visual_area,
    b.post_cell_class,
    b.post_cell_type,
    b.post_visual_area,
    b.bin_um::DOUBLE AS distance_from_um, -- Lower end of the bin of distances between the nuclei [um]
    b.bin_um + 25.0::DOUBLE AS distance_to_um, -- Upper end of the bin, not in it [um]
    b.n_possible
FROM _pair_bins AS b
WHERE b.measure = 'space'
