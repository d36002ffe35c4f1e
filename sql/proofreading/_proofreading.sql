-- Proofreading of each segment, one row per assessed segment; empty where a version has no proofreading table.
-- grain: pt_root_id
WITH assessments AS (
    SELECT
        id,
        'proofreading_status_and_strategy' AS source,
        pt_root_id,
        valid_id,
        status_dendrite,
        strategy_dendrite,
        status_axon,
        strategy_axon
    FROM proofreading_status_and_strategy
    UNION ALL
    SELECT
        id,
        'proofreading_status_public_release' AS source,
        pt_root_id,
        valid_id,
        status_dendrite IN ('clean', 'extended') AS status_dendrite,
        CASE status_dendrite WHEN 'clean' THEN 'dendrite_clean' WHEN 'extended' THEN 'dendrite_extended' ELSE 'none' END,
        status_axon IN ('clean', 'extended') AS status_axon,
        CASE status_axon WHEN 'clean' THEN 'axon_clean' WHEN 'extended' THEN 'axon_fully_extended' ELSE 'none' END
    FROM proofreading_status_public_release
    WHERE NOT EXISTS (SELECT 1 FROM proofreading_status_and_strategy)
)

SELECT
    a.pt_root_id, -- Segment in this version
    a.valid_id, -- The root when proofreading was assessed
    a.valid_id = a.pt_root_id AS is_current, -- Whether the segment is still the one that was assessed; if not, it was edited since
    a.status_dendrite, -- Whether the dendrite was proofread
    a.strategy_dendrite, -- How far the dendrite was proofread: none, dendrite_clean, dendrite_extended
    a.status_axon, -- Whether the axon was proofread, so that its outputs may be analysed
    a.strategy_axon, -- How far the axon was proofread (values in `proofreading`); only axon_fully_extended is near complete
    count(*) OVER (PARTITION BY a.pt_root_id) AS n_assessments, -- Number of assessments on the segment; this row is the best of them
    a.source AS proofreading_source, -- The table that the row comes from
    a.id AS proofreading_id -- The annotation's id in that table; not a nucleus id
FROM assessments AS a
WHERE a.pt_root_id NOT IN (0, 1)
QUALIFY row_number() OVER (PARTITION BY a.pt_root_id ORDER BY is_current DESC, a.status_axon DESC, a.id DESC) = 1
