-- Every id that this version knows, one row per id.
-- grain: id
-- requires: nucleus_detection_v0
SELECT k.id -- Root id or nucleus id
FROM _id_index AS k
UNION ALL
SELECT o.root
FROM _orphans AS o
