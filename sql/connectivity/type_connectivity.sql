-- How often cells of one type connect to cells of another, with thresholds and rules as parameters, one row per type pair.
--
-- Presynaptic cells are those with a proofread axon; postsynaptic cells are all cells. Numerator and denominator take
-- them from the same list by the same rules. Pairs are ordered, and a cell is not paired with itself: n_possible is
-- n_pre_cells x n_post_cells less the cells that are in both groups. Pairs of types that never connect are rows with
-- 0.
--
-- `min_syn`: how many synapses make a connection. `min_size`: smaller synapses are not counted [voxel]. `strategy`:
-- NULL gives a row for each strategy of the axon, a name gives only that one, 'pooled' gives all in one row that says
-- so. `soma_rule`: single_soma (no other nucleus on the segment) or single_neuron (no other neuron, CAVE's
-- single_neurons). `require_current`: leave out presynaptic cells that were edited after proofreading. `by`: the label
-- of both ends, as in `partner_types`; published numbers are often in a classifier's words (cell_type_by_soma,
-- class_by_soma). `among`: all, or proofread. With proofread, both ends are cells with a proofread axon and dendrite that
-- were not edited since. The published square of excitatory and inhibitory cells is `strategy := 'pooled', by :=
-- 'cell_class', among := 'proofread'`.
-- grain: pre_strategy_axon, pre_label, post_label
-- macro: type_connectivity(min_syn := 1, min_size := 0, strategy := NULL, soma_rule := 'single_soma', require_current := true,
--     by := 'cell_type', among := 'all')
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: only axon_fully_extended is near complete; from other strategies a probability is a lower bound
-- warning: possible pairs are at all distances: types differ in how far apart their cells lie, see `distance_dependence`
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q32, Q39, Q40, Q43
-- example: SELECT pre_label, post_label, n_possible, n_connected, round(connection_probability, 4) AS p FROM
--     type_connectivity(strategy := 'pooled', by := 'cell_class', among := 'proofread') ORDER BY ALL
WITH choice AS (
    SELECT
        CASE
            WHEN strategy IS NOT NULL
                THEN _one_of(
                    strategy,
                    'strategy',
                    list_distinct(
                        [
                            'axon_fully_extended', 'axon_partially_extended', 'axon_interareal', 'axon_column_truncated',
                            'axon_clean', 'pooled'
                        ]
                        || coalesce((SELECT list(p.strategy_axon) FROM _proofread_axons AS p), [])
                    )
                )
        END AS chosen_strategy,
        _one_of(soma_rule, 'soma_rule', ['single_soma', 'single_neuron']) AS chosen_rule,
        _one_of(among, 'among', ['all', 'proofread']) AS chosen_set
),

ends AS (
    SELECT
        p.nucleus_id,
        l.label,
        CASE WHEN c.chosen_strategy = 'pooled' THEN 'pooled' ELSE p.strategy_axon END AS strategy_axon,
        p.strategy_axon IS NOT NULL
        AND (p.is_current OR NOT require_current)
        AND coalesce(c.chosen_strategy IN ('pooled', p.strategy_axon), TRUE) AS is_pre
    FROM _population AS p
    JOIN _labels_by("by") AS l ON l.nucleus_id = p.nucleus_id
    CROSS JOIN choice AS c
    WHERE
        CASE c.chosen_rule WHEN 'single_soma' THEN p.is_single_soma ELSE p.is_single_neuron END
        AND (c.chosen_set = 'all' OR p.is_proofread)
),

pre AS (
    SELECT
        e.strategy_axon,
        e.label,
        count(*) AS n
    FROM ends AS e
    WHERE e.is_pre
    GROUP BY e.strategy_axon, e.label
),

post AS (
    SELECT
        e.label,
        count(*) AS n
    FROM ends AS e
    GROUP BY e.label
),

pairs AS (
    SELECT
        s.pre_nucleus_id,
        s.post_nucleus_id,
        count(*) AS n_syn,
        sum(s.size)::BIGINT AS sum_size
    FROM _cell_outputs AS s
    WHERE s.size >= _given(min_size, 'min_size')
    GROUP BY s.pre_nucleus_id, s.post_nucleus_id
    HAVING count(*) >= _given(min_syn, 'min_syn')
),

connected AS (
    SELECT
        a.strategy_axon,
        a.label AS pre_label,
        b.label AS post_label,
        count(*) AS n_connected,
        sum(k.n_syn)::BIGINT AS n_syn,
        sum(k.sum_size)::BIGINT AS sum_size
    FROM pairs AS k
    JOIN ends AS a ON a.nucleus_id = k.pre_nucleus_id AND a.is_pre
    JOIN ends AS b ON b.nucleus_id = k.post_nucleus_id
    GROUP BY a.strategy_axon, a.label, b.label
),

counted AS (
    SELECT
        pre.strategy_axon,
        pre.label AS pre_label,
        post.label AS post_label,
        pre.n AS n_pre_cells,
        post.n AS n_post_cells,
        pre.n * post.n - pre.n * (pre.label IS NOT DISTINCT FROM post.label)::BIGINT AS n_possible,
        coalesce(k.n_connected, 0) AS n_connected,
        coalesce(k.n_syn, 0) AS n_syn,
        coalesce(k.sum_size, 0) AS sum_size
    FROM pre
    CROSS JOIN post
    LEFT JOIN connected AS k
        ON
            k.strategy_axon = pre.strategy_axon
            AND k.pre_label IS NOT DISTINCT FROM pre.label
            AND k.post_label IS NOT DISTINCT FROM post.label
)

SELECT
    k.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axons were proofread; pooled where that was asked for
    k.pre_label, -- Type (or what `by` says) of the presynaptic cells; NULL = unknown
    k.post_label, -- Type (or what `by` says) of the postsynaptic cells; NULL = unknown
    k.n_pre_cells, -- Number of presynaptic cells, connected or not
    k.n_post_cells, -- Number of postsynaptic cells, connected or not
    k.n_possible, -- Number of possible ordered pairs of two different cells
    k.n_connected, -- Number of those with at least min_syn synapses
    k.n_connected / nullif(k.n_possible, 0) AS connection_probability, -- n_connected of n_possible; NULL without a possible pair
    _wilson(k.n_connected, k.n_possible, -1) AS probability_low, -- Lower end of its 95 % Wilson interval, as if pairs were independent
    _wilson(k.n_connected, k.n_possible, 1) AS probability_high, -- Upper end of its 95 % Wilson interval
    k.n_syn, -- Number of synapses of the connected pairs
    k.n_syn / nullif(k.n_connected, 0) AS mean_n_syn, -- Mean number of synapses of a connected pair
    k.sum_size, -- Summed cleft size of these synapses [voxel]
    k.sum_size / nullif(k.n_syn, 0) AS mean_size -- Mean cleft size of these synapses [voxel]
FROM counted AS k
