-- How the tables differ between two local versions, one row per pair of versions and table that one of them has.
--
-- Rows are the same if they have the same key (mostly `id`). Living tables (proofreading, corrections) grow from
-- version to version; the table of synapses keeps its rows, but their roots change, see `root_id_changes`. Different
-- scopes of synapses (`scope_a`, `scope_b`) are no change of the table. Tables of more than 5 million rows are not
-- compared here; of synapses it is known where one version was fetched with the other as its --base.
--
-- `change`: a table grew or shrank by its number of rows, whatever else changed in it. With as many rows in both versions
-- it is `same` (every row was compared, and none differs), `changed` (compared, and rows or values differ), or `same number`
-- (not compared: nothing more is known). `other scope` is not comparable.
-- grain: version_a, version_b, table_name
-- warning: always filter by version_a and version_b; all pairs of local versions are here
-- warning: a table that is not here may exist in CAVE and not have been fetched, see absent_reason of `provenance`
-- cite: cave2025
-- questions: Q11, Q65
-- example: SELECT table_name, n_rows_a, n_rows_b, change FROM table_changes WHERE change <> 'same' ORDER BY ALL LIMIT 5
WITH tables AS (
    SELECT
        version,
        table_name,
        scope,
        n_rows
    FROM provenance
),

pairs AS (
    SELECT
        a.version AS version_a,
        b.version AS version_b,
        a.table_name,
        a.scope AS scope_a,
        b.scope AS scope_b,
        a.n_rows AS n_rows_a,
        b.n_rows AS n_rows_b
    FROM tables AS a
    JOIN tables AS b ON b.table_name = a.table_name AND a.version < b.version
)

SELECT
    p.version_a, -- The earlier version
    p.version_b, -- The later version
    p.table_name, -- Table, under CAVE's name
    p.n_rows_a, -- Number of rows in the earlier version; NULL where it is not here
    p.n_rows_b, -- Number of rows in the later version; NULL where it is not here
    p.n_rows_b - p.n_rows_a AS n_rows_more, -- Number of rows that the later version has more; negative: fewer
    c.n_rows_added, -- Rows whose key only the later version has; NULL where not known
    c.n_rows_removed, -- Rows whose key only the earlier version has; NULL where not known
    c.n_rows_changed, -- Rows that both have with other values, other root ids included; NULL where not known
    p.scope_a, -- Which rows of the earlier version are here: all, or which synapses
    p.scope_b, -- Which rows of the later version are here: all, or which synapses
    CASE
        WHEN p.n_rows_a IS NULL THEN 'appeared'
        WHEN p.n_rows_b IS NULL THEN 'vanished'
        WHEN p.scope_a <> p.scope_b THEN 'other scope'
        WHEN p.n_rows_b > p.n_rows_a THEN 'grew'
        WHEN p.n_rows_b < p.n_rows_a THEN 'shrank'
        WHEN c.n_rows_added IS NULL THEN 'same number'
        WHEN c.n_rows_added > 0 OR c.n_rows_changed > 0 THEN 'changed'
        ELSE 'same'
    END AS change -- What happened: appeared, vanished, grew, shrank, changed, same, same number, other scope; see above
FROM pairs AS p
LEFT JOIN
    _row_changes AS c
    ON c.version_a = p.version_a AND c.version_b = p.version_b AND c.table_name = p.table_name
WHERE p.n_rows_a IS NOT NULL OR p.n_rows_b IS NOT NULL
