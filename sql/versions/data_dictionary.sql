-- Every view, table and macro with its columns, their units and what they mean.
--
-- It is read from the comments in the database, so it cannot differ from them, and needs no Parquet file.
-- grain: schema, name, column
-- example: SELECT "column", unit, description FROM data_dictionary WHERE schema = 'main' AND name = 'cells' AND unit <> '' LIMIT 4
WITH here AS (
    SELECT w.database_name FROM duckdb_views() AS w
    WHERE w.schema_name = 'main' AND w.view_name = 'data_dictionary'
),

described AS (
    SELECT
        c.schema_name,
        c.table_name AS name,
        'view' AS kind,
        c.column_name,
        c.data_type,
        c.column_index,
        c.comment,
        v.comment AS about
    FROM duckdb_columns() AS c
    JOIN duckdb_views() AS v
        ON v.database_name = c.database_name AND v.schema_name = c.schema_name AND v.view_name = c.table_name
    WHERE
        NOT v.internal
        AND NOT starts_with(c.table_name, '_')
        AND NOT ends_with(c.schema_name, '_rows')
        AND c.database_name IN (SELECT h.database_name FROM here AS h)
    UNION ALL
    SELECT
        f.schema_name,
        m.name,
        'macro',
        m."column",
        m.type,
        m.position,
        m.comment,
        f.comment
    FROM duckdb_functions() AS f
    JOIN _macro_columns AS m ON m.name = f.function_name
    WHERE f.database_name IN (SELECT h.database_name FROM here AS h)
)

SELECT
    d.schema_name AS "schema", -- Schema of the view or macro: main, a version's, or that version's CAVE tables
    d.name, -- Name of the view, table or macro
    d.kind, -- view: also a table of CAVE; macro: takes arguments, and its signature begins `about`
    d.column_name AS "column", -- Name of the column; of a macro that returns a value, the macro's name
    d.data_type AS type, -- DuckDB type
    regexp_extract(coalesce(d.comment, ''), '\[([^\[\]]+)\]$', 1) AS unit, -- Physical unit, empty where there is none
    trim(regexp_replace(coalesce(d.comment, ''), '\[([^\[\]]+)\]$', '')) AS description, -- What the column means
    d.about -- What a row means, and warnings; of a macro, first how it is called
FROM described AS d
ORDER BY d.schema_name, d.name, d.column_index
