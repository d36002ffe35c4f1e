-- Every id that this version knows, one row per id: what other versions ask for an id that they do not have.
-- grain: id
-- requires: nucleus_detection_v0
SELECT
    k.id, -- Root id or nucleus id
    k.nucleus_id -- The nucleus; of a root with several the smallest, NULL for an orphan piece
FROM _id_index AS k
UNION ALL
SELECT
    o.root,
    NULL
FROM _orphans AS o
