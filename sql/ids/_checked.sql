-- What is known of each id of an argument, and what is wrong with it, one row per id.
--
-- Most of a look-up's time is planning, so few sources are named here. The long lists of orphan pieces are asked for what
-- is not known without them; for all else they are asked for root -1, which no row group can hold. Each LIMIT tells the
-- planner that what it has until then is the smaller side of the next join; it would guess tens of millions. So it would
-- of string_agg(DISTINCT ...), of which DuckDB 2.0.1 makes another join.
-- grain: id
-- macro: _checked(ids)
SELECT
    g.id, -- The id as it was given: a root id or a nucleus id
    coalesce(max(g.root), max(g.orphan)) AS root, -- Its segment in this version; NULL without one
    CASE WHEN max(g.orphan) IS NULL THEN max(g.n_nuclei) ELSE 0 END AS n_nuclei, -- Nuclei on the segment; 0 = orphan piece
    max(g.nucleus_id) AS nucleus_id, -- The nucleus; of a root with several the smallest, NULL for an orphan piece
    max(g.orphan) IS NULL AS is_sender, -- Whether its outputs are in `_axon_synapses`
    CASE WHEN max(g.orphan) IS NULL THEN bool_or(g.axon_proofread) ELSE FALSE END AS axon_proofread, -- Whether the axon was proofread
    max(g.moved_to_root_id) AS moved_to_root_id, -- Of an id of another version, the segment that took its place here
    CASE
        WHEN max(g.root) IS NULL AND max(g.orphan) IS NULL
            THEN
                coalesce(
                    max(g.problem),
                    CASE g.id
                        WHEN 0 THEN '0 is no segment: it stands for a point outside of the segmentation'
                        WHEN 1 THEN '1 is no segment: it stands for a point without a row in the segmentation'
                    END,
                    g.id || ' is not in v' || _version() || '; it was in '
                    || array_to_string(list_sort(list_distinct(list('v' || h.version) FILTER (h.version IS NOT NULL))), ', ')
                    || ' as a segment without a nucleus, which cannot be followed from version to version',
                    g.id || ' is not known: no root id or nucleus id of a local version (this is v' || _version()
                    || '; all are in the view versions)'
                )
    END AS problem -- Why the id cannot be used in this version, as a sentence; NULL if it can
FROM (
    SELECT
        f.*,
        o.root AS orphan
    FROM (
        SELECT
            i.id,
            k.* EXCLUDE (id),
            k.id IS NOT NULL AS is_known
        FROM _ids(ids) AS i
        LEFT JOIN _known AS k ON k.id = i.id
        LIMIT 1000000
    ) AS f
    LEFT JOIN _orphans AS o ON o.root = CASE WHEN f.is_known THEN -1 ELSE f.id END
    LIMIT 1000000
) AS g
LEFT JOIN _orphan_history AS h
    ON h.version <> _version() AND h.root = CASE WHEN g.is_known OR g.orphan IS NOT NULL THEN -1 ELSE g.id END
GROUP BY g.id
