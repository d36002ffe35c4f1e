-- The name that each cell has by the chosen label: a column of `cells`, one row per nucleus.
-- grain: nucleus_id
-- requires: nucleus_detection_v0
-- macro: _labels_by("by")
SELECT
    c.nucleus_id, -- The cell
    CASE
    _one_of(
        "by",
        'label',
        [
            'cell_type', 'cell_class', 'mtype', 'visual_area',
            'layer', 'cell_type_corrected', 'cell_type_nonneuronal', 'cell_type_manual',
            'cell_type_by_soma', 'cell_type_multifeature', 'cell_type_gnn', 'class_corrected',
            'class_nonneuronal', 'class_manual', 'class_by_spines', 'class_by_soma',
            'class_multifeature', 'mtype_corrected', 'mtype_manual', 'mtype_by_soma'
        ]
    )
        WHEN 'cell_type' THEN c.cell_type
        WHEN 'cell_class' THEN c.cell_class
        WHEN 'mtype' THEN c.mtype
        WHEN 'visual_area' THEN c.visual_area
        WHEN 'layer' THEN c.layer
        WHEN 'cell_type_corrected' THEN c.cell_type_corrected
        WHEN 'cell_type_nonneuronal' THEN c.cell_type_nonneuronal
        WHEN 'cell_type_manual' THEN c.cell_type_manual
        WHEN 'cell_type_by_soma' THEN c.cell_type_by_soma
        WHEN 'cell_type_multifeature' THEN c.cell_type_multifeature
        WHEN 'cell_type_gnn' THEN c.cell_type_gnn
        WHEN 'class_corrected' THEN c.class_corrected
        WHEN 'class_nonneuronal' THEN c.class_nonneuronal
        WHEN 'class_manual' THEN c.class_manual
        WHEN 'class_by_spines' THEN c.class_by_spines
        WHEN 'class_by_soma' THEN c.class_by_soma
        WHEN 'class_multifeature' THEN c.class_multifeature
        WHEN 'mtype_corrected' THEN c.mtype_corrected
        WHEN 'mtype_manual' THEN c.mtype_manual
        WHEN 'mtype_by_soma' THEN c.mtype_by_soma
    END AS label -- What the column says of it
FROM cells AS c
