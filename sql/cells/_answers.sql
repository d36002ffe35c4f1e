-- What every table answers about a nucleus, verbatim, one row per nucleus with an answer.
--
-- If a table has several rows for a nucleus, its latest counts.
-- grain: nucleus_id
WITH answers AS (
    SELECT
        target_id,
        id,
        'corrected' AS source,
        classification_system AS class,
        cell_type AS type
    FROM aibs_metamodel_celltypes_v661_corrections
    UNION ALL
    SELECT
        target_id,
        id,
        'nonneuronal',
        classification_system,
        cell_type
    FROM aibs_column_nonneuronal_ref
    UNION ALL
    SELECT
        target_id,
        id,
        'manual',
        classification_system,
        cell_type
    FROM allen_v1_column_types_slanted_ref
    UNION ALL
    SELECT
        target_id,
        id,
        'spines',
        cell_type,
        NULL
    FROM baylor_log_reg_cell_type_coarse_v1
    UNION ALL
    SELECT
        target_id,
        id,
        'soma',
        classification_system,
        cell_type
    FROM aibs_metamodel_celltypes_v661
    UNION ALL
    SELECT
        target_id,
        id,
        'mtype_corrected',
        NULL,
        cell_type
    FROM aibs_metamodel_mtypes_v661_v2_corrections
    UNION ALL
    SELECT
        target_id,
        id,
        'mtype_manual',
        NULL,
        cell_type
    FROM allen_column_mtypes_v2
    UNION ALL
    SELECT
        target_id,
        id,
        'mtype_soma',
        NULL,
        cell_type
    FROM aibs_metamodel_mtypes_v661_v2
    UNION ALL
    SELECT
        target_id,
        id,
        'multifeature',
        classification_system,
        cell_type
    FROM cell_type_multifeature_combo
    UNION ALL
    SELECT
        target_id,
        id,
        'gnn',
        NULL,
        cell_type
    FROM baylor_gnn_cell_type_fine_model_v2
)

SELECT
    target_id AS nucleus_id, -- The cell
    max_by(class, id) FILTER (WHERE source = 'corrected') AS class_corrected, -- Class as corrected by hand, verbatim
    max_by(class, id) FILTER (WHERE source = 'nonneuronal') AS class_nonneuronal, -- Expert class of non-neuronal cells, verbatim
    max_by(class, id) FILTER (WHERE source = 'manual') AS class_manual, -- Expert class of neurons of the V1 column, verbatim
    max_by(class, id) FILTER (WHERE source = 'spines') AS class_by_spines, -- Class predicted from spines and shape, verbatim
    max_by(class, id) FILTER (WHERE source = 'soma') AS class_by_soma, -- Class predicted from soma and nucleus, verbatim
    max_by(class, id) FILTER (WHERE source = 'multifeature') AS class_multifeature, -- Class predicted from its form, verbatim
    max_by(type, id) FILTER (WHERE source = 'corrected') AS cell_type_corrected, -- Type as corrected by hand, verbatim
    max_by(type, id) FILTER (WHERE source = 'nonneuronal') AS cell_type_nonneuronal, -- Expert type of non-neuronal cells, verbatim
    max_by(type, id) FILTER (WHERE source = 'manual') AS cell_type_manual, -- Expert type of neurons of the V1 column, verbatim
    max_by(type, id) FILTER (WHERE source = 'soma') AS cell_type_by_soma, -- Type predicted from soma and nucleus, verbatim
    max_by(type, id) FILTER (WHERE source = 'multifeature') AS cell_type_multifeature, -- Type predicted from its form, verbatim
    max_by(type, id) FILTER (WHERE source = 'gnn') AS cell_type_gnn, -- Type predicted by a graph neural network, verbatim
    max_by(type, id) FILTER (WHERE source = 'mtype_corrected') AS mtype_corrected, -- Morphological type as corrected by hand, verbatim
    max_by(type, id) FILTER (WHERE source = 'mtype_manual') AS mtype_manual, -- Expert morphological type in the V1 column, verbatim
    max_by(type, id) FILTER (WHERE source = 'mtype_soma') AS mtype_by_soma -- Morphological type predicted from soma and nucleus, verbatim
FROM answers
GROUP BY target_id
