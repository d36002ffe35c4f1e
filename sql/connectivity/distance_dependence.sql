-- How often cells connect by the distance of their nuclei, one row per measure, strategy of the axon, pair of types and bin.
--
-- `measure` is space (straight distance) or lateral (along the cortical sheet, without depth). Every pair is in both,
-- so filter by one. Bins are 25 um wide. Pairs are those of `cell_type_connectivity`: presynaptic cells are alone on
-- their segment, and their axon was proofread and not edited since; targets are all other cells that are alone on
-- their segment; one synapse makes a connection.
--
-- The volume ends. Around a cell near a side, part of every ring of distance is missing, and so are parts of axons
-- that leave the volume and come back. Columns with `inside` count only pairs with a complete ring: the presynaptic
-- nucleus is at least as far from the nearest side (`edge_distance_um` of `cells`) as the bin reaches. Beyond half the
-- width of the volume, nothing is inside.
-- grain: measure, pre_strategy_axon, pre_cell_type, post_cell_type, distance_from_um
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: filter by measure, or every pair counts twice
-- warning: partially extended axons bias distant bins down; never pool strategies silently
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q38
-- example: SELECT distance_from_um, sum(n_possible)::BIGINT AS n_possible, sum(n_connected)::BIGINT AS n_connected
--     FROM distance_dependence WHERE measure = 'lateral' AND pre_strategy_axon = 'axon_fully_extended' GROUP BY ALL ORDER
--     BY ALL LIMIT 4
WITH possible AS (
    SELECT
        b.measure,
        b.pre_strategy_axon,
        b.pre_cell_type,
        b.post_cell_type,
        b.bin_um,
        sum(b.n_possible)::BIGINT AS n_possible,
        sum(b.n_possible_inside)::BIGINT AS n_possible_inside
    FROM _pair_bins AS b
    WHERE b.pre_is_current
    GROUP BY b.measure, b.pre_strategy_axon, b.pre_cell_type, b.post_cell_type, b.bin_um
),

placed AS (
    SELECT
        pre.strategy_axon AS pre_strategy_axon,
        pre.cell_type AS pre_cell_type,
        post.cell_type AS post_cell_type,
        pre.edge_distance_um,
        k.n_syn,
        _squared(pre.across_um - post.across_um) + _squared(pre.along_um - post.along_um) AS lateral_squared,
        _squared(pre.depth_um - post.depth_um) AS depth_squared
    FROM _cell_pairs AS k
    JOIN _population AS pre ON pre.nucleus_id = k.pre_nucleus_id AND pre.is_current AND pre.is_single_soma
    JOIN _population AS post ON post.nucleus_id = k.post_nucleus_id AND post.is_single_soma
),

measured AS (
    SELECT
        p.*,
        'space' AS measure,
        _bin_um(sqrt(p.lateral_squared + p.depth_squared)) AS bin_um
    FROM placed AS p
    UNION ALL
    SELECT
        p.*,
        'lateral',
        _bin_um(sqrt(p.lateral_squared))
    FROM placed AS p
),

connected AS (
    SELECT
        m.measure,
        m.pre_strategy_axon,
        m.pre_cell_type,
        m.post_cell_type,
        m.bin_um,
        count(*) AS n_connected,
        count(*) FILTER (WHERE m.edge_distance_um >= m.bin_um + 25) AS n_connected_inside,
        sum(m.n_syn)::BIGINT AS n_syn
    FROM measured AS m
    GROUP BY m.measure, m.pre_strategy_axon, m.pre_cell_type, m.post_cell_type, m.bin_um
)

SELECT
    p.measure, -- Which distance: space, or lateral (along the cortical sheet)
    p.pre_strategy_axon, -- How far the presynaptic axons were proofread
    p.pre_cell_type, -- Type of the presynaptic cells; NULL = unknown
    p.post_cell_type, -- Type of the postsynaptic cells; NULL = unknown
    p.bin_um::DOUBLE AS distance_from_um, -- Lower end of the bin of distances [um]
    (p.bin_um + 25)::DOUBLE AS distance_to_um, -- Upper end of the bin, not in it [um]
    p.n_possible, -- Number of possible ordered pairs at that distance
    coalesce(k.n_connected, 0) AS n_connected, -- Number of those with a synapse
    coalesce(k.n_connected, 0) / p.n_possible AS connection_probability, -- n_connected of n_possible
    _wilson(coalesce(k.n_connected, 0), p.n_possible, -1) AS probability_low, -- Lower end of its 95 % Wilson interval
    _wilson(coalesce(k.n_connected, 0), p.n_possible, 1) AS probability_high, -- Upper end of its 95 % Wilson interval
    coalesce(k.n_syn, 0) AS n_syn, -- Number of synapses of the connected pairs
    p.n_possible_inside, -- Number of those whose bin lies within the volume all around the presynaptic nucleus
    coalesce(k.n_connected_inside, 0) AS n_connected_inside, -- Number of those with a synapse
    coalesce(k.n_connected_inside, 0) / nullif(p.n_possible_inside, 0) AS probability_inside -- n_connected_inside of n_possible_inside
FROM possible AS p
LEFT JOIN connected AS k
    ON
        k.measure = p.measure
        AND k.pre_strategy_axon = p.pre_strategy_axon
        AND k.pre_cell_type IS NOT DISTINCT FROM p.pre_cell_type
        AND k.post_cell_type IS NOT DISTINCT FROM p.post_cell_type
        AND k.bin_um = p.bin_um
