-- Root ids that stand in CAVE's own tables but are no segment of a cell, nor one with a synapse: what they are, one row per id.
--
-- The root under the centroid of a nucleus whose look-up point is elsewhere, and the root that an assessment of proofreading
-- was about before the cell was edited.
-- grain: id
-- requires: nucleus_detection_v0
-- store: id
-- row_group: 8192
WITH stray AS (
    SELECT
        n.orig_root_id AS id,
        n.pt_root_id AS root,
        format('lies under the centroid of nucleus {} in v{}, but is not its cell', n.nucleus_id, _version()) AS what,
        1 AS rank,
        n.nucleus_id AS of_row
    FROM _nuclei AS n
    WHERE n.orig_root_id <> n.pt_root_id
    UNION ALL
    SELECT
        a.valid_id,
        a.pt_root_id,
        format('is a root from before v{}, at which proofreading was assessed', _version()),
        2,
        a.proofreading_id
    FROM _assessments AS a
    WHERE a.valid_id <> a.pt_root_id
)

SELECT
    s.id, -- The root id
    nullif(arg_min(s.root, (s.rank, s.of_row)), 0) AS moved_to_root_id, -- The segment of the cell in this version; NULL without one
    format('{} {}', s.id, arg_min(s.what, (s.rank, s.of_row)))
    || CASE
        WHEN arg_min(s.root, (s.rank, s.of_row)) IN (0, 1) THEN ', which has no segment now'
        ELSE format('; the cell is on root {} now', arg_min(s.root, (s.rank, s.of_row)))
    END AS problem -- Why the id cannot be used in this version, as a sentence
FROM stray AS s
ANTI JOIN _known_ids AS k ON k.id = s.id
WHERE s.id NOT IN (0, 1)
GROUP BY s.id
