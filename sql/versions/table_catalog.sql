-- What each table of CAVE holds, how it is to be read and whom to cite, one row per table.
--
-- `notice` is CAVE's own text about the table, as it was when the latest local version was fetched; `warnings` are ours.
-- Whoever publishes cites the papers of every table that an answer was made from.
-- grain: table_name
-- cite: cave2025
-- questions: Q52, Q65, Q66
-- example: SELECT table_name, role, citations FROM table_catalog ORDER BY table_name LIMIT 3
WITH here AS (
    SELECT
        t.table_name,
        list(t.version ORDER BY t.version) AS versions,
        arg_max(t.notice, t.version) AS notice,
        arg_max(t.description, t.version) AS description,
        arg_max(t.schema_type, t.version) AS schema_type,
        arg_max(t.reference_table, t.version) AS reference_table,
        arg_max(t.voxel_sizes_nm, t.version) AS voxel_sizes_nm
    FROM _tables_here AS t
    WHERE t.absent_reason IS NULL
    GROUP BY t.table_name
),

papers AS (
    SELECT
        k.table_name,
        string_agg(c.paper, chr(10) ORDER BY k.place) AS cite
    FROM (
        SELECT
            table_name,
            unnest(string_split(citations, ', ')) AS citation,
            generate_subscripts(string_split(citations, ', '), 1) AS place
        FROM _tables_known
    ) AS k
    JOIN _citations AS c ON c.key = k.citation
    GROUP BY k.table_name
)

SELECT
    coalesce(k.table_name, h.table_name) AS table_name, -- Table, under CAVE's name
    k.role,
    coalesce(k.kind, 'table') AS kind, -- table, view (CAVE computes it) or archive (only the public archive has it)
    CASE WHEN k.table_name IS NULL THEN h.description ELSE k.description END AS description, -- What a row is
    CASE WHEN k.table_name IS NULL THEN h.schema_type ELSE k.schema_type END AS schema_type, -- CAVE's annotation schema
    k.key_columns,
    CASE
        WHEN k.table_name IS NULL THEN h.reference_table
        ELSE k.reference_table
    END AS reference_table, -- The table whose id target_id refers to; NULL where there is none
    k.since_version,
    k.until_version,
    coalesce(h.versions, []) AS local_versions, -- The versions in which it is here
    h.voxel_sizes_nm, -- Size of a voxel of its positions, x, y, z; NULL where it has none, is not here, or nobody says [nm]
    h.notice, -- CAVE's notice about the table; NULL where there is none
    k.warnings,
    k.citations,
    p.cite -- The papers to cite, a line each
FROM _tables_known AS k
FULL JOIN here AS h ON h.table_name = k.table_name
LEFT JOIN papers AS p ON p.table_name = k.table_name
ORDER BY table_name
