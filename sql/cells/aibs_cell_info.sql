-- Every nucleus with its best type, area and proofreading: CAVE's view of this name, column for column.
--
-- It is computed here, by the same precedence, for published code that asks for this view. If CAVE's own rows were
-- fetched, they are in the schema of CAVE's tables (`v1718_cave.aibs_cell_info`). `cells` has more columns, and the
-- answer of each single table.
--
-- `cell_type` and `mtype` are the words of the table that they come from: a 5P-PT of the column table stays 5P-PT, which
-- `cells` calls 5P-ET. If a segment has several assessments of proofreading, only the best of them is shown, in one row.
-- grain: id
-- requires: nucleus_detection_v0
-- warning: merged cells are here once for each of their nuclei, see is_single_soma of `cells`
-- cite: elabbady2025, schneidermizell2025, microns2025
-- questions: Q02, Q15
-- example: SELECT broad_type, count(*) AS n FROM aibs_cell_info GROUP BY ALL ORDER BY n DESC
SELECT
    c.nucleus_id AS id, -- Nucleus id: `nucleus_id` of `cells`
    c.pt_root_id,
    c.nucleus_volume_um3::DOUBLE AS nuc_volume, -- Volume of the nucleus [um3]
    c.cell_class AS broad_type, -- excitatory, inhibitory or nonneuron
    c.cell_class_source AS broad_type_source, -- The table that broad_type comes from
    CASE c.cell_type_source
        WHEN 'aibs_metamodel_celltypes_v661_corrections' THEN c.cell_type_corrected
        WHEN 'aibs_column_nonneuronal_ref' THEN c.cell_type_nonneuronal
        WHEN 'allen_v1_column_types_slanted_ref' THEN c.cell_type_manual
        WHEN 'aibs_metamodel_celltypes_v661' THEN c.cell_type_by_soma
    END AS cell_type, -- Type, in the words of the table that it comes from
    c.cell_type_source,
    c.mtype,
    c.mtype_source,
    c.status_dendrite AS dendrite_cleaned, -- Whether the dendrite was proofread
    c.status_axon AS axon_cleaned, -- Whether the axon was proofread
    c.strategy_dendrite AS dendrite_strategy, -- How far the dendrite was proofread
    c.strategy_axon AS axon_strategy, -- How far the axon was proofread
    c.visual_area,
    c.pt_position_x,
    c.pt_position_y,
    c.pt_position_z
FROM cells AS c
