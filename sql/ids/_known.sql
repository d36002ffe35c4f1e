-- What a version has to say of ids at once: of those of its cells, of those that other local versions had, and of those that only
-- CAVE's own tables name, one row per id.
--
-- Its orphan pieces are not here but in `_orphans`, which is looked at for what is not here: it is a thousand times as long.
-- grain: id
-- requires: nucleus_detection_v0
SELECT
    k.id, -- Root id or nucleus id
    nullif(k.root, 0) AS root, -- The segment in this version; NULL without one
    k.n_nuclei, -- Number of nuclei on the segment
    k.nucleus_id, -- The nucleus; of a root with several the smallest, NULL without one
    k.axon_proofread, -- Whether the axon was proofread
    NULL::BIGINT AS moved_to_root_id, -- For an id of another version: the segment that took its place
    CASE
        WHEN k.root = 0 THEN 'nucleus ' || k.id || ' has no segment in v' || _version()
    END AS problem -- Why the id cannot be used in this version, as a sentence
FROM _id_index AS k
UNION ALL
SELECT
    f.id,
    NULL,
    NULL,
    NULL,
    NULL,
    f.moved_to_root_id,
    f.problem
FROM _foreign_ids AS f
UNION ALL
SELECT
    t.id,
    NULL,
    NULL,
    NULL,
    NULL,
    t.moved_to_root_id,
    t.problem
FROM _stray_ids AS t
ANTI JOIN _foreign_ids AS f ON f.id = t.id
