-- Where every table of every version comes from, or why it is not here.
-- grain: version, table_name
-- cite: cave2025
-- questions: Q63, Q64, Q65
-- example: SELECT version, table_name, n_rows FROM provenance ORDER BY n_rows DESC, version LIMIT 4
SELECT
    t.version,
    t.table_name,
    t.source,
    t.url,
    t.source_sha256,
    t.scope,
    t.n_rows,
    v.time_stamp,
    t.fetched,
    CASE WHEN t.absent_reason IS NULL THEN v.tools END AS tools, -- Versions of what fetched and wrote it, as JSON
    t.absent_reason,
    v.views_version,
    v.is_synthetic
FROM _tables_here AS t
JOIN _versions_here AS v ON v.version = t.version
ORDER BY t.version, t.table_name
