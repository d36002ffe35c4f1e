-- What is known of each id of an argument, and what is wrong with it, one row per id.
--
-- Ids that this version does not know are looked up in the other local versions; there is nothing to look up, and it
-- costs next to nothing, if all are known; likewise `_orphans` is not read if all are cells.
-- grain: id
-- macro: _checked(ids)
WITH given AS MATERIALIZED (
    SELECT i.id FROM _ids(ids) AS i
),

found AS MATERIALIZED (
    SELECT k.* FROM _id_index AS k JOIN given AS g ON g.id = k.id LIMIT 1000000
),

others AS MATERIALIZED (
    SELECT g.id FROM given AS g ANTI JOIN found AS f ON f.id = g.id
),

orphans AS MATERIALIZED (
    SELECT o.root FROM _orphans AS o JOIN others AS m ON m.id = o.root LIMIT 1000000
),

missing AS MATERIALIZED (
    SELECT m.id FROM others AS m ANTI JOIN orphans AS o ON o.root = m.id
),

elsewhere AS MATERIALIZED (
    SELECT unnest(list(e), recursive := TRUE)
    FROM (
        SELECT
            m.id,
            string_agg(DISTINCT 'v' || h.version, ', ') AS versions,
            max(h.nucleus_id) AS nucleus_id
        FROM _id_history AS h
        JOIN missing AS m ON m.id = h.id AND h.version <> _version()
        GROUP BY m.id
    ) AS e
),

heirs AS MATERIALIZED (
    SELECT
        m.id,
        max_by(l.root, l.n_sides) AS root,
        max(l.n_sides) AS n_sides,
        sum(l.n_sides)::BIGINT AS n_sides_of_all
    FROM missing AS m
    JOIN (
        SELECT
            old_root AS id,
            new_root AS root,
            n_sides
        FROM root_lineage
        WHERE new_version = _version()
        UNION ALL
        SELECT
            new_root,
            old_root,
            n_sides
        FROM root_lineage
        WHERE old_version = _version()
    ) AS l ON l.id = m.id
    GROUP BY m.id
    LIMIT 1000000
),

today AS (
    SELECT
        e.id,
        k.root
    FROM _id_index AS k
    JOIN elsewhere AS e ON e.nucleus_id = k.id
)

SELECT
    g.id, -- The id as it was given: a root id or a nucleus id
    coalesce(nullif(f.root, 0), o.root) AS root, -- Its segment in this version; NULL without one
    CASE WHEN o.root IS NULL THEN f.n_nuclei ELSE 0 END AS n_nuclei, -- Nuclei on the segment: 0 = orphan piece, 1 = a cell, more = merged
    f.nucleus_id, -- The nucleus; of a root with several the smallest, NULL for an orphan piece
    o.root IS NULL AS is_sender, -- Whether its outputs are in `_axon_synapses`
    CASE WHEN o.root IS NULL THEN f.axon_proofread ELSE FALSE END AS axon_proofread, -- Whether the axon was proofread
    CASE
        WHEN f.root IS NULL AND o.root IS NULL THEN coalesce(nullif(t.root, 0), h.root)
    END AS moved_to_root_id, -- For an id of another version: the segment of this one with its nucleus, or with most of its synapses
    CASE
        WHEN f.root <> 0 OR o.root IS NOT NULL THEN NULL
        WHEN f.root = 0 THEN format('nucleus {} has no segment in v{}', g.id, _version())
        WHEN g.id = 0 THEN '0 is no segment: it stands for a point outside of the segmentation'
        WHEN g.id = 1 THEN '1 is no segment: it stands for a point without a row in the segmentation'
        WHEN e.id IS NULL
            THEN
                format(
                    '{} is not known: no root id or nucleus id of a local version (this is v{}; all are in the view versions)',
                    g.id, _version()
                )
        ELSE
            format('{} is not in v{}; it was in {}', g.id, _version(), e.versions)
            || CASE
                WHEN e.nucleus_id IS NULL AND h.root IS NULL
                    THEN ' as a segment without a nucleus, which cannot be followed from version to version'
                WHEN e.nucleus_id IS NULL
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
                            e.nucleus_id, t.root
                        )
                ELSE format(', and its nucleus {} has no segment now', e.nucleus_id)
            END
    END AS problem -- Why the id cannot be used in this version, as a sentence; NULL if it can
FROM given AS g
LEFT JOIN found AS f ON f.id = g.id
LEFT JOIN orphans AS o ON o.root = g.id
LEFT JOIN elsewhere AS e ON e.id = g.id
LEFT JOIN today AS t ON t.id = g.id
LEFT JOIN heirs AS h ON h.id = g.id
