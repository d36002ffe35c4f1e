-- Every assessment of proofreading in the words of the newer table, one row per annotation.
--
-- The older table is used only if the newer one is missing or empty.
-- grain: proofreading_source, proofreading_id
SELECT
    id AS proofreading_id, -- The annotation's id in its table; not a nucleus id
    'proofreading_status_and_strategy' AS proofreading_source, -- The table that the row comes from
    pt_root_id, -- Segment in this version
    valid_id, -- The root when proofreading was assessed
    status_dendrite, -- Whether the dendrite was proofread
    strategy_dendrite, -- How far the dendrite was proofread: none, dendrite_clean, dendrite_extended
    status_axon, -- Whether the axon was proofread, so that its outputs may be analysed
    strategy_axon -- How far the axon was proofread (values in `proofreading`); only axon_fully_extended is near complete
FROM proofreading_status_and_strategy
UNION ALL
SELECT
    id,
    'proofreading_status_public_release',
    pt_root_id,
    valid_id,
    status_dendrite IN ('clean', 'extended'),
    CASE status_dendrite WHEN 'clean' THEN 'dendrite_clean' WHEN 'extended' THEN 'dendrite_extended' ELSE 'none' END,
    status_axon IN ('clean', 'extended'),
    CASE status_axon WHEN 'clean' THEN 'axon_clean' WHEN 'extended' THEN 'axon_fully_extended' ELSE 'none' END
FROM proofreading_status_public_release
WHERE NOT EXISTS (SELECT 1 FROM proofreading_status_and_strategy)
