-- Every answer to "which cell type?", one row per nucleus and source.
--
-- Sources in the order in which they are believed, as in CAVE's aibs_cell_info. "unsure" and "error" are no types:
-- there the next source answers. 5P-PT of the column table is the 5P-ET of all others.
-- grain: source, id
WITH answers AS (
    SELECT
        target_id,
        id,
        cell_type AS answer,
        1 AS rank,
        'aibs_metamodel_celltypes_v661_corrections' AS source
    FROM aibs_metamodel_celltypes_v661_corrections
    UNION ALL
    SELECT
        target_id,
        id,
        cell_type,
        2,
        'aibs_column_nonneuronal_ref'
    FROM aibs_column_nonneuronal_ref
    UNION ALL
    SELECT
        target_id,
        id,
        cell_type,
        3,
        'allen_v1_column_types_slanted_ref'
    FROM allen_v1_column_types_slanted_ref
    UNION ALL
    SELECT
        target_id,
        id,
        cell_type,
        4,
        'aibs_metamodel_celltypes_v661'
    FROM aibs_metamodel_celltypes_v661
)

SELECT
    a.target_id AS nucleus_id, -- The cell
    a.id, -- The annotation's id in its table
    a.source, -- The table
    a.rank, -- 1 is believed first
    a.answer, -- The answer in the table's own words
    CASE
        WHEN a.answer = '5P-PT' THEN '5P-ET'
        WHEN a.answer NOT IN ('unsure', 'error', 'Unsure E', 'Unsure I') THEN a.answer
    END AS cell_type -- The answer in common words, NULL where it is none
FROM answers AS a
