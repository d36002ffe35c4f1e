-- Possible ordered pairs of a proofread axon's cell and another cell, counted by kind of both and by distance.
--
-- Each pair is counted twice, by distance in space and by distance along the sheet (`measure`): a sum goes over one of
-- them. The view is stored because it looks at every pair. It does so once, by both distances, because 300 million
-- pairs do not fit into memory.
-- grain: measure, pre_strategy_axon, pre_is_current, pre_cell_class, pre_cell_type, pre_visual_area, post_cell_class, post_cell_type,
--     post_visual_area, bin_um
-- requires: nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- store: measure, pre_strategy_axon, pre_is_current, pre_cell_class, pre_cell_type, pre_visual_area, post_cell_class, post_cell_type,
--     post_visual_area, bin_um
WITH ends AS (
    SELECT
        e.*,
        dense_rank() OVER (
            ORDER BY e.strategy_axon, e.is_current, e.cell_class, e.cell_type, e.visual_area
        )::INTEGER AS kind
    FROM _population AS e
    WHERE e.is_single_soma
),

kinds AS (
    SELECT DISTINCT
        e.kind,
        e.strategy_axon,
        e.is_current,
        e.cell_class,
        e.cell_type,
        e.visual_area
    FROM ends AS e
),

distances AS (
    SELECT
        pre.kind AS pre_kind,
        post.kind AS post_kind,
        pre.edge_distance_um,
        _squared(pre.across_um - post.across_um) + _squared(pre.along_um - post.along_um) AS lateral_squared,
        _squared(pre.depth_um - post.depth_um) AS depth_squared
    FROM ends AS pre
    JOIN ends AS post ON post.nucleus_id <> pre.nucleus_id
    WHERE pre.strategy_axon IS NOT NULL
),

bins AS (
    SELECT
        d.pre_kind,
        d.post_kind,
        d.edge_distance_um,
        _bin_um(sqrt(d.lateral_squared + d.depth_squared)) AS space_bin,
        _bin_um(sqrt(d.lateral_squared)) AS lateral_bin
    FROM distances AS d
),

pairs AS (
    SELECT
        b.pre_kind,
        b.post_kind,
        b.space_bin,
        b.lateral_bin,
        count(*) AS n_possible,
        count(*) FILTER (WHERE b.edge_distance_um >= b.space_bin + 25) AS n_space_inside,
        count(*) FILTER (WHERE b.edge_distance_um >= b.lateral_bin + 25) AS n_lateral_inside
    FROM bins AS b
    GROUP BY b.pre_kind, b.post_kind, b.space_bin, b.lateral_bin
),

counted AS (
    SELECT
        'space' AS measure,
        p.pre_kind,
        p.post_kind,
        p.space_bin AS bin_um,
        p.n_possible,
        p.n_space_inside AS n_possible_inside
    FROM pairs AS p
    UNION ALL
    SELECT
        'lateral',
        p.pre_kind,
        p.post_kind,
        p.lateral_bin,
        p.n_possible,
        p.n_lateral_inside
    FROM pairs AS p
)

SELECT
    c.measure, -- Which distance: space, or lateral (along the cortical sheet)
    pre.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread
    pre.is_current AS pre_is_current, -- Whether the presynaptic segment is still the one that was proofread
    pre.cell_class AS pre_cell_class, -- Class of the presynaptic cells
    pre.cell_type AS pre_cell_type, -- Type of the presynaptic cells
    pre.visual_area AS pre_visual_area, -- Visual area of the presynaptic somata
    post.cell_class AS post_cell_class, -- Class of the postsynaptic cells
    post.cell_type AS post_cell_type, -- Type of the postsynaptic cells
    post.visual_area AS post_visual_area, -- Visual area of the postsynaptic somata
    c.bin_um, -- Lower end of the bin of distances, which is 25 um wide [um]
    sum(c.n_possible)::BIGINT AS n_possible, -- Number of ordered pairs
    sum(c.n_possible_inside)::BIGINT AS n_possible_inside -- Number of them whose bin lies within the volume all around the presynaptic soma
FROM counted AS c
JOIN kinds AS pre ON pre.kind = c.pre_kind
JOIN kinds AS post ON post.kind = c.post_kind
GROUP BY ALL
