-- Every id of a cell or of a proofread segment with its segment in this version, one row per id.
--
-- Nucleus ids, and the root ids of all cells and of all proofread segments; the other segments are in `_orphans`.
-- grain: id
-- requires: nucleus_detection_v0
-- store: id
-- row_group: 8192
WITH cells AS (
    SELECT
        n.pt_root_id AS root,
        count(*) AS n_nuclei,
        min(n.nucleus_id) AS nucleus_id
    FROM _nuclei AS n
    GROUP BY n.pt_root_id
),

segments AS (
    SELECT c.root FROM cells AS c
    UNION
    SELECT p.pt_root_id FROM _proofreading AS p
),

ids AS (
    SELECT
        s.root AS id,
        s.root,
        NULL::BIGINT AS nucleus_id
    FROM segments AS s
    WHERE s.root NOT IN (0, 1)
    UNION ALL
    SELECT
        n.nucleus_id,
        CASE WHEN n.pt_root_id = 1 THEN 0 ELSE n.pt_root_id END,
        n.nucleus_id
    FROM _nuclei AS n
)

SELECT
    i.id, -- Root id or nucleus id
    i.root, -- The segment in this version; 0 for a nucleus without one
    CASE WHEN i.root = 0 THEN 0 ELSE coalesce(c.n_nuclei, 0) END AS n_nuclei, -- Number of nuclei on the segment
    coalesce(i.nucleus_id, c.nucleus_id) AS nucleus_id, -- The nucleus; of a root with several the smallest, NULL without one
    a.pt_root_id IS NOT NULL AS axon_proofread -- Whether the axon was proofread
FROM ids AS i
LEFT JOIN cells AS c ON c.root = i.root
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = i.root
