-- What became of ids that other local versions have and this one has not, one row per id.
--
-- Ids of cells and of proofread segments, and roots that `root_lineage` can follow. Other orphan pieces are in the other
-- versions' own lists. Stored where there are several versions, and made anew when one of them changed.
-- grain: id
-- requires: nucleus_detection_v0
-- store: id
-- row_group: 8192
WITH seen AS (
    SELECT
        h.id,
        h.version,
        h.nucleus_id
    FROM _id_history AS h
    WHERE h.version <> _version()
    UNION ALL
    SELECT
        l.pt_root_id_a,
        l.version_a,
        NULL
    FROM root_lineage AS l
    WHERE l.version_b = _version()
    UNION ALL
    SELECT
        l.pt_root_id_b,
        l.version_b,
        NULL
    FROM root_lineage AS l
    WHERE l.version_a = _version()
),

missing AS (
    SELECT
        s.id,
        string_agg(DISTINCT 'v' || s.version, ', ' ORDER BY 'v' || s.version) AS versions,
        max(s.nucleus_id) AS nucleus_id
    FROM seen AS s
    ANTI JOIN _known_ids AS k ON k.id = s.id
    GROUP BY s.id
),

-- What the latest of the versions that have it says: what all say is partly the same.
heirs AS (
    SELECT
        l.id,
        max_by(l.root, (l.n_sides, -l.root)) AS root,
        max(l.n_sides) AS n_sides,
        sum(l.n_sides)::BIGINT AS n_sides_of_all
    FROM (
        SELECT
            f.*,
            max(f.version) OVER (PARTITION BY f.id) AS latest
        FROM (
            SELECT
                pt_root_id_a AS id,
                version_a AS version,
                pt_root_id_b AS root,
                n_sides
            FROM root_lineage
            WHERE version_b = _version()
            UNION ALL
            SELECT
                pt_root_id_b,
                version_b,
                pt_root_id_a,
                n_sides
            FROM root_lineage
            WHERE version_a = _version()
        ) AS f
    ) AS l
    WHERE l.version = l.latest
    GROUP BY l.id
)

SELECT
    m.id, -- Root id or nucleus id of another version
    coalesce(nullif(t.root, 0), h.root) AS moved_to_root_id, -- The segment of this version with its nucleus, or with most of its synapses
    format('{} is not in v{}; it was in {}', m.id, _version(), m.versions)
    || CASE
        WHEN m.nucleus_id IS NULL AND h.root IS NULL
            THEN ' as a segment without a nucleus, which cannot be followed from version to version'
        WHEN m.nucleus_id IS NULL
            THEN
                format(
                    ' as a segment without a nucleus, and {} on root {} now; see root_lineage',
                    CASE
                        WHEN h.n_sides = h.n_sides_of_all THEN 'all of its synapses are'
                        ELSE format('{} of the {} sides of its synapses are', h.n_sides, h.n_sides_of_all)
                    END,
                    h.root
                )
        WHEN t.root <> 0
            THEN
                format(
                    ', and its nucleus {} is on root {} now; nucleus ids stay the same, root ids do not',
                    m.nucleus_id, t.root
                )
        ELSE format(', and its nucleus {} has no segment now', m.nucleus_id)
    END AS problem -- Why the id cannot be used in this version, as a sentence
FROM missing AS m
LEFT JOIN _id_index AS t ON t.id = m.nucleus_id
LEFT JOIN heirs AS h ON h.id = m.id
