-- Class, type and morphological type of each nucleus, one row per nucleus with an answer.
--
-- The order of precedence is that of CAVE's aibs_cell_info: corrections, then experts, then classifiers. Two
-- classifiers give a class. The one that looks at spines comes before the one that looks at the soma.
--
-- Two further predictions (multifeature, and the graph neural network's) are in no such order, and only stand beside.
-- grain: nucleus_id
WITH words AS (
    SELECT
        *,
        _class_word(class_corrected) AS class_1,
        _class_word(class_nonneuronal) AS class_2,
        _class_word(class_manual) AS class_3,
        _class_word(class_by_spines) AS class_4,
        _class_word(class_by_soma) AS class_5,
        _type_word(cell_type_corrected) AS type_1,
        _type_word(cell_type_nonneuronal) AS type_2,
        _type_word(cell_type_manual) AS type_3,
        _type_word(cell_type_by_soma) AS type_4,
        _type_word(mtype_corrected) AS mtype_1,
        _type_word(mtype_manual) AS mtype_2,
        _type_word(mtype_by_soma) AS mtype_3
    FROM _answers
)

SELECT
    w.nucleus_id,
    coalesce(
        w.class_1, w.class_2, w.class_3, w.class_4, w.class_5
    ) AS cell_class, -- excitatory, inhibitory or nonneuron; first answer of: hand corrections, experts, classifiers by spines, by soma
    CASE
        WHEN w.class_1 IS NOT NULL THEN 'aibs_metamodel_celltypes_v661_corrections'
        WHEN w.class_2 IS NOT NULL THEN 'aibs_column_nonneuronal_ref'
        WHEN w.class_3 IS NOT NULL THEN 'allen_v1_column_types_slanted_ref'
        WHEN w.class_4 IS NOT NULL THEN 'baylor_log_reg_cell_type_coarse_v1'
        WHEN w.class_5 IS NOT NULL THEN 'aibs_metamodel_celltypes_v661'
    END AS cell_class_source, -- The table that cell_class comes from
    coalesce(
        w.type_1, w.type_2, w.type_3, w.type_4
    ) AS cell_type, -- Type; first answer of: hand corrections, experts, classifier by soma; 5P-PT reads 5P-ET, unsure is no answer
    CASE
        WHEN w.type_1 IS NOT NULL THEN 'aibs_metamodel_celltypes_v661_corrections'
        WHEN w.type_2 IS NOT NULL THEN 'aibs_column_nonneuronal_ref'
        WHEN w.type_3 IS NOT NULL THEN 'allen_v1_column_types_slanted_ref'
        WHEN w.type_4 IS NOT NULL THEN 'aibs_metamodel_celltypes_v661'
    END AS cell_type_source, -- The table that cell_type comes from
    coalesce(
        w.mtype_1, w.mtype_2, w.mtype_3
    ) AS mtype, -- Morphological type (L2a, PTC, ...), a scheme of its own; first answer of: hand corrections, experts, classifier by soma
    CASE
        WHEN w.mtype_1 IS NOT NULL THEN 'aibs_metamodel_mtypes_v661_v2_corrections'
        WHEN w.mtype_2 IS NOT NULL THEN 'allen_column_mtypes_v2'
        WHEN w.mtype_3 IS NOT NULL THEN 'aibs_metamodel_mtypes_v661_v2'
    END AS mtype_source, -- The table that mtype comes from
    w.class_corrected,
    w.class_nonneuronal,
    w.class_manual,
    w.class_by_spines,
    w.class_by_soma,
    w.class_multifeature,
    w.cell_type_corrected,
    w.cell_type_nonneuronal,
    w.cell_type_manual,
    w.cell_type_by_soma,
    w.cell_type_multifeature,
    w.cell_type_gnn,
    w.mtype_corrected,
    w.mtype_manual,
    w.mtype_by_soma
FROM words AS w
