-- Every answer to "excitatory, inhibitory or not a neuron?", one row per nucleus and source.
--
-- Sources in the order in which they are believed, as in CAVE's aibs_cell_info.
-- grain: source, id
WITH answers AS (
    SELECT
        target_id,
        id,
        classification_system AS answer,
        1 AS rank,
        'aibs_metamodel_celltypes_v661_corrections' AS source
    FROM aibs_metamodel_celltypes_v661_corrections
    UNION ALL
    SELECT
        target_id,
        id,
        classification_system,
        2,
        'aibs_column_nonneuronal_ref'
    FROM aibs_column_nonneuronal_ref
    UNION ALL
    SELECT
        target_id,
        id,
        classification_system,
        3,
        'allen_v1_column_types_slanted_ref'
    FROM allen_v1_column_types_slanted_ref
    UNION ALL
    SELECT
        target_id,
        id,
        cell_type,
        4,
        'baylor_log_reg_cell_type_coarse_v1'
    FROM baylor_log_reg_cell_type_coarse_v1
    UNION ALL
    SELECT
        target_id,
        id,
        classification_system,
        5,
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
        WHEN a.answer IN ('excitatory_neuron', 'aibs_coarse_excitatory', 'excitatory') THEN 'excitatory'
        WHEN a.answer IN ('inhibitory_neuron', 'aibs_coarse_inhibitory', 'inhibitory') THEN 'inhibitory'
        WHEN a.answer IN ('nonneuron', 'aibs_coarse_nonneuronal') THEN 'nonneuron'
    END AS cell_class -- The answer in common words
FROM answers AS a
