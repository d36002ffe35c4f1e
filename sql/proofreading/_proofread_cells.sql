-- Proofreading of cells: of assessed segments with exactly one nucleus, one row per nucleus.
-- grain: nucleus_id
-- requires: nucleus_detection_v0
WITH single AS (
    SELECT
        n.pt_root_id,
        min(n.nucleus_id) AS nucleus_id
    FROM _nuclei AS n
    GROUP BY n.pt_root_id
    HAVING count(*) = 1
)

SELECT
    s.nucleus_id, -- The cell: `id` in nucleus_detection_v0, the same in every version
    p.status_axon,
    p.strategy_axon,
    p.strategy_dendrite
FROM _proofreading AS p
JOIN single AS s ON s.pt_root_id = p.pt_root_id
