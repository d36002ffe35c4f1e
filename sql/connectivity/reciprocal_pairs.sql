-- Pairs of cells, both with a proofread axon, that connect in at least one direction, one row per unordered pair.
--
-- Only if both axons were proofread, a missing direction is an observation. `is_reciprocal` says whether both
-- directions are there. The share of reciprocated connections is twice the number of reciprocal rows, divided by the
-- number of all connections (count `n_syn_ab > 0` and `n_syn_ba > 0` separately). Whether that is more than chance is
-- another question: degree and distance alone make reciprocal pairs. The published figures are for cells with
-- proofread dendrites too (`both_proofread`). Cells are alone on their segment (`is_single_soma`).
-- grain: nucleus_id_a, nucleus_id_b
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: an axon that was not fully extended may miss its half of a pair: filter by both strategies
-- warning: for a threshold, filter n_syn_ab and n_syn_ba one by one, not their sum
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q35, Q37
-- example: SELECT is_reciprocal, both_proofread, count(*) AS n_pairs FROM reciprocal_pairs GROUP BY ALL ORDER BY ALL
WITH directed AS (
    SELECT
        least(k.pre_nucleus_id, k.post_nucleus_id) AS nucleus_id_a,
        greatest(k.pre_nucleus_id, k.post_nucleus_id) AS nucleus_id_b,
        k.pre_nucleus_id < k.post_nucleus_id AS from_a,
        k.n_syn,
        k.sum_size
    FROM _cell_pairs AS k
),

pairs AS (
    SELECT
        d.nucleus_id_a,
        d.nucleus_id_b,
        coalesce(sum(d.n_syn) FILTER (WHERE d.from_a), 0)::BIGINT AS n_syn_ab,
        coalesce(sum(d.n_syn) FILTER (WHERE NOT d.from_a), 0)::BIGINT AS n_syn_ba,
        coalesce(sum(d.sum_size) FILTER (WHERE d.from_a), 0)::BIGINT AS sum_size_ab,
        coalesce(sum(d.sum_size) FILTER (WHERE NOT d.from_a), 0)::BIGINT AS sum_size_ba
    FROM directed AS d
    GROUP BY d.nucleus_id_a, d.nucleus_id_b
)

SELECT
    k.nucleus_id_a, -- The cell with the smaller nucleus id
    k.nucleus_id_b, -- The cell with the larger nucleus id
    a.pt_root_id AS pt_root_id_a, -- Segment of cell a in this version
    b.pt_root_id AS pt_root_id_b, -- Segment of cell b in this version
    k.n_syn_ab, -- Number of synapses from a to b
    k.n_syn_ba, -- Number of synapses from b to a
    k.sum_size_ab, -- Summed cleft size from a to b [voxel]
    k.sum_size_ba, -- Summed cleft size from b to a [voxel]
    k.n_syn_ab > 0 AND k.n_syn_ba > 0 AS is_reciprocal, -- Whether both directions have a synapse
    a.cell_class AS cell_class_a, -- Class of cell a: excitatory, inhibitory, nonneuron
    b.cell_class AS cell_class_b, -- Class of cell b
    a.cell_type AS cell_type_a, -- Type of cell a
    b.cell_type AS cell_type_b, -- Type of cell b
    a.strategy_axon AS strategy_axon_a, -- How far the axon of a was proofread
    b.strategy_axon AS strategy_axon_b, -- How far the axon of b was proofread
    a.is_current AS is_current_a, -- Whether the segment of a is still the one that was proofread
    b.is_current AS is_current_b, -- Whether the segment of b is still the one that was proofread
    a.is_proofread AND b.is_proofread AS both_proofread -- Whether both axons and both dendrites were proofread, and not edited since
FROM pairs AS k
JOIN _population AS a ON a.nucleus_id = k.nucleus_id_a AND a.is_single_soma AND a.strategy_axon IS NOT NULL
JOIN _population AS b ON b.nucleus_id = k.nucleus_id_b AND b.is_single_soma AND b.strategy_axon IS NOT NULL
