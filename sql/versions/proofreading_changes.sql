-- Cells whose proofreading differs between two local versions, one row per pair of versions and nucleus.
--
-- Cells are matched by their nucleus; segments with several nuclei, or none, are left out. The older table of
-- proofreading has words of its own: against a version that has only that one, much is `other strategy`.
-- grain: version_a, version_b, nucleus_id
-- warning: always filter by version_a and version_b; all pairs of local versions are here
-- cite: cave2025
-- questions: Q11, Q14
-- example: SELECT change, count(*) AS n FROM proofreading_changes GROUP BY ALL ORDER BY ALL
WITH pairs AS (
    SELECT
        a.version AS version_a,
        b.version AS version_b
    FROM (SELECT DISTINCT version FROM _proofreading_history) AS a
    JOIN (SELECT DISTINCT version FROM _proofreading_history) AS b ON a.version < b.version
),

cells AS (
    SELECT DISTINCT nucleus_id FROM _proofreading_history
),

both_versions AS (
    SELECT
        p.version_a,
        p.version_b,
        c.nucleus_id,
        coalesce(a.status_axon, FALSE) AS axon_a,
        coalesce(b.status_axon, FALSE) AS axon_b,
        a.strategy_axon AS strategy_axon_a,
        b.strategy_axon AS strategy_axon_b,
        a.strategy_dendrite AS strategy_dendrite_a,
        b.strategy_dendrite AS strategy_dendrite_b
    FROM pairs AS p
    CROSS JOIN cells AS c
    LEFT JOIN _proofreading_history AS a ON a.version = p.version_a AND a.nucleus_id = c.nucleus_id
    LEFT JOIN _proofreading_history AS b ON b.version = p.version_b AND b.nucleus_id = c.nucleus_id
)

SELECT
    t.version_a, -- The earlier version
    t.version_b, -- The later version
    t.nucleus_id, -- The cell: `id` in nucleus_detection_v0
    t.strategy_axon_a, -- How far the axon was proofread in the earlier version; NULL if it was not assessed
    t.strategy_axon_b, -- How far the axon was proofread in the later version; NULL if it was not assessed
    t.strategy_dendrite_a, -- How far the dendrite was proofread in the earlier version; NULL if it was not assessed
    t.strategy_dendrite_b, -- How far the dendrite was proofread in the later version; NULL if it was not assessed
    CASE
        WHEN t.axon_b AND NOT t.axon_a THEN 'axon proofread'
        WHEN t.axon_a AND NOT t.axon_b THEN 'axon withdrawn'
        WHEN t.strategy_axon_b = 'axon_fully_extended' AND t.strategy_axon_a <> t.strategy_axon_b THEN 'axon upgraded'
        WHEN t.strategy_axon_a = 'axon_fully_extended' AND t.strategy_axon_a <> t.strategy_axon_b THEN 'axon downgraded'
        WHEN t.axon_a AND t.strategy_axon_a <> t.strategy_axon_b THEN 'other axon strategy'
        ELSE 'dendrite'
    END AS change -- What happened: axon proofread, withdrawn, upgraded to or downgraded from fully extended, other axon strategy, dendrite
FROM both_versions AS t
WHERE
    t.axon_a <> t.axon_b
    OR (t.axon_a AND t.strategy_axon_a <> t.strategy_axon_b)
    OR t.strategy_dendrite_a IS DISTINCT FROM t.strategy_dendrite_b
