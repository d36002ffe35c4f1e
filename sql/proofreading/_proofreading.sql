-- Proofreading of each segment, one row per assessed segment; empty if a version has no proofreading table.
-- grain: pt_root_id
SELECT
    a.pt_root_id, -- Segment in this version
    a.valid_id, -- The root when proofreading was assessed
    a.valid_id = a.pt_root_id AS is_current, -- Whether the segment is still the one that was assessed; if not, it was edited since
    a.status_dendrite, -- Whether the dendrite was proofread
    a.strategy_dendrite, -- How far the dendrite was proofread: none, dendrite_clean, dendrite_extended
    a.status_axon, -- Whether the axon was proofread, so that its outputs may be analysed
    a.strategy_axon, -- How far the axon was proofread (values in `proofreading`); only axon_fully_extended is near complete
    count(*) OVER (PARTITION BY a.pt_root_id) AS n_assessments, -- Number of assessments on the segment; this row is the best of them
    a.proofreading_source,
    a.proofreading_id
FROM _assessments AS a
WHERE a.pt_root_id NOT IN (0, 1)
QUALIFY row_number() OVER (PARTITION BY a.pt_root_id ORDER BY is_current DESC, a.status_axon DESC, a.proofreading_id DESC) = 1
