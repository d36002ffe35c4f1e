-- Connections between cells, one row per connected ordered pair: the fast way to questions about all cells.
--
-- Both ends have exactly one nucleus on their segment. Orphan pieces and merged cells are in `connections_typed`. All
-- synapses of a pair are counted; there is no threshold. Autapses are left out.
--
-- Where `pre_strategy_axon` is NULL, nobody proofread the axon. Such a pair only shows what the segmentation joined,
-- and a missing pair shows nothing. For probabilities you also need the pairs that do not connect: see
-- `cell_type_connectivity`.
--
-- Fast: any question. Millions of pairs are grouped by type in a fraction of a second. If a part of the synapses was
-- fetched, `pre_is_complete` and `post_is_complete` say which ends have all of theirs.
-- grain: pre_nucleus_id, post_nucleus_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: outputs of axons that were not proofread (pre_strategy_axon NULL) are not to be interpreted
-- warning: never pool strategies without saying so
-- cite: microns2025, turner2022
-- questions: Q30, Q37, Q49
-- example: SELECT pre_cell_class, post_cell_class, count(*) AS n_pairs, sum(n_syn)::BIGINT AS n_syn FROM cell_connections
--     WHERE pre_strategy_axon = 'axon_fully_extended' GROUP BY ALL ORDER BY ALL
SELECT
    k.pre_nucleus_id,
    k.post_nucleus_id,
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size,
    k.sum_size / k.n_syn AS mean_size, -- Mean cleft size of the pair's synapses [voxel]
    k.pre_cell_class,
    k.pre_cell_type,
    k.post_cell_class,
    k.post_cell_type,
    k.pre_strategy_axon,
    k.pre_is_current,
    _outputs_here(k.pre_pt_root_id) AS pre_is_complete, -- Whether all outputs of the presynaptic segment are here
    _inputs_here(k.post_pt_root_id) AS post_is_complete -- Whether all inputs of the postsynaptic segment are here; if not, never count them
FROM _cell_connections AS k
