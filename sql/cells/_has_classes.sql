-- Whether a table is here that says which cells are excitatory; without one, their numbers are unknown.
-- macro: _has_classes()
SELECT
    _has_any(
        [
            'aibs_metamodel_celltypes_v661',
            'aibs_column_nonneuronal_ref',
            'allen_v1_column_types_slanted_ref',
            'baylor_log_reg_cell_type_coarse_v1'
        ]
    ) AS _has_classes -- Whether there is one
