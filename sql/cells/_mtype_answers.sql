-- Every answer to "which morphological type?", one row per nucleus and source.
--
-- Sources in the order in which they are believed, as in CAVE's aibs_cell_info.
-- grain: source, id
WITH answers AS (
    SELECT
        target_id,
        id,
        cell_type AS answer,
        1 AS rank,
        'aibs_metamodel_mtypes_v661_v2_corrections' AS source
    FROM aibs_metamodel_mtypes_v661_v2_corrections
    UNION ALL
    SELECT
        target_id,
        id,
        cell_type,
        2,
        'allen_column_mtypes_v2'
    FROM allen_column_mtypes_v2
    UNION ALL
    SELECT
        target_id,
        id,
        cell_type,
        3,
        'aibs_metamodel_mtypes_v661_v2'
    FROM aibs_metamodel_mtypes_v661_v2
)

SELECT
    a.target_id AS nucleus_id, -- The cell
    a.id, -- The annotation's id in its table
    a.source, -- The table
    a.rank, -- 1 is believed first
    a.answer, -- The answer in the table's own words
    -- The type, NULL where the answer is none
    CASE WHEN a.answer NOT IN ('unsure', 'error', 'Unsure E', 'Unsure I') THEN a.answer END AS mtype
FROM answers AS a
