-- Segments whose outputs may be analysed, one row per segment.
-- grain: pt_root_id
SELECT
    p.pt_root_id,
    p.strategy_axon,
    p.is_current
FROM _proofreading AS p
WHERE p.status_axon AND p.strategy_axon <> 'none'
