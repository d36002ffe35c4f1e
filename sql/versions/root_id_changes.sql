-- Cells whose root id differs between two local versions, one row per pair of versions and nucleus.
--
-- A root id names a segment as it was at one moment: every split and every merge gives a new one. The nucleus is
-- the handle that stays, so an id written down in one version is found in another through it. A cell that is not
-- listed kept its root, and with it every synapse; `id_map` has the roots of all, changed or not. Both roots are look-up
-- roots, see `cells`. A segment without a nucleus (an orphan piece) is in neither view, but in `root_lineage`.
--
-- `kind` tells from the nuclei on both roots what the edits did: split (from a nucleus with which it shared a root),
-- merged (with one with which it did not), both, or edited: only pieces without a nucleus came or went.
-- grain: version_a, version_b, nucleus_id
-- warning: always filter by version_a and version_b; all pairs of local versions are here
-- cite: cave2025
-- questions: Q11, Q19
-- example: SELECT change, kind, count(*) AS n FROM root_id_changes GROUP BY ALL ORDER BY ALL
WITH pairs AS (
    SELECT
        a.version AS version_a,
        b.version AS version_b
    FROM versions AS a
    JOIN versions AS b ON a.version < b.version
),

nuclei AS (
    SELECT DISTINCT nucleus_id FROM id_map
),

roots AS (
    SELECT
        p.version_a,
        p.version_b,
        n.nucleus_id,
        a.pt_root_id AS pt_root_id_a,
        b.pt_root_id AS pt_root_id_b,
        a.pt_supervoxel_id = b.pt_supervoxel_id AS is_same_supervoxel,
        coalesce(a.pt_root_id NOT IN (0, 1), FALSE) AS segmented_a,
        coalesce(b.pt_root_id NOT IN (0, 1), FALSE) AS segmented_b
    FROM pairs AS p
    CROSS JOIN nuclei AS n
    LEFT JOIN id_map AS a ON a.version = p.version_a AND a.nucleus_id = n.nucleus_id
    LEFT JOIN id_map AS b ON b.version = p.version_b AND b.nucleus_id = n.nucleus_id
),

neighbours AS (
    SELECT
        *,
        min(pt_root_id_b) OVER companions_a < max(pt_root_id_b) OVER companions_a AS is_split,
        min(pt_root_id_a) OVER companions_b < max(pt_root_id_a) OVER companions_b AS is_merged
    FROM roots
    WINDOW
        companions_a AS (PARTITION BY version_a, version_b, pt_root_id_a),
        companions_b AS (PARTITION BY version_a, version_b, pt_root_id_b)
)

SELECT
    r.version_a, -- The earlier version
    r.version_b, -- The later version
    r.nucleus_id, -- The cell: `id` in nucleus_detection_v0
    r.pt_root_id_a, -- Its root in the earlier version; NULL if the nucleus was not in it
    r.pt_root_id_b, -- Its root in the later version; NULL if the nucleus was not in it
    r.is_same_supervoxel, -- Whether its look-up point is where it was: if not, the two roots need not have anything in common
    CASE
        WHEN r.pt_root_id_a IS NULL THEN 'nucleus added'
        WHEN r.pt_root_id_b IS NULL THEN 'nucleus removed'
        WHEN NOT r.segmented_b THEN 'root lost'
        WHEN NOT r.segmented_a THEN 'root gained'
        ELSE 'root changed'
    END AS change, -- What happened: root changed, gained or lost (0 and 1 are no roots), nucleus added or removed
    CASE
        WHEN NOT r.segmented_b THEN 'vanished'
        WHEN NOT r.segmented_a THEN 'appeared'
        WHEN r.is_split AND r.is_merged THEN 'split and merged'
        WHEN r.is_split THEN 'split'
        WHEN r.is_merged THEN 'merged'
        ELSE 'edited'
    END AS kind -- What edits did, by the nuclei on both roots: split, merged, split and merged, edited, vanished, appeared
FROM neighbours AS r
WHERE r.pt_root_id_a IS DISTINCT FROM r.pt_root_id_b AND (r.segmented_a OR r.segmented_b)
