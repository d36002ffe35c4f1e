-- The name that a cell has by the chosen label: one of the arguments that follow it.
-- macro: _label("by", cell_type, cell_class, mtype, visual_area, layer)
SELECT
    CASE _one_of("by", 'label', ['cell_type', 'cell_class', 'mtype', 'visual_area', 'layer'])
        WHEN 'cell_type' THEN cell_type
        WHEN 'cell_class' THEN cell_class
        WHEN 'mtype' THEN mtype
        WHEN 'visual_area' THEN visual_area
        ELSE layer
    END AS _label -- The label
