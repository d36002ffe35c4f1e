-- The cells that each rule counts by type, one row per rule and nucleus.
--
-- Two rules follow notebooks. They take the table of predicted types, with the root at the centroid, and drop root ids
-- that occur more than once: all rows of such a root (pandas' keep=False), or all rows but one (keep='first').
-- grain: rule, nucleus_id
-- requires: nucleus_detection_v0
WITH typed AS (
    SELECT
        n.nucleus_id,
        t.classification_system,
        t.cell_type,
        count(*) OVER (PARTITION BY n.orig_root_id) AS n_rows_on_root,
        row_number() OVER (PARTITION BY n.orig_root_id ORDER BY t.id) AS row_on_root,
        n.orig_root_id NOT IN (0, 1) AS is_segmented
    FROM aibs_metamodel_celltypes_v661 AS t
    JOIN _nuclei AS n ON n.nucleus_id = t.target_id
)

SELECT
    'nucleus' AS rule, -- nucleus, type_table, type_table_first
    c.nucleus_id,
    c.cell_class,
    c.cell_type,
    c.is_single_soma AS is_counted -- Whether the rule counts the cell
FROM cells AS c
UNION ALL
SELECT
    'type_table',
    t.nucleus_id,
    _class_word(t.classification_system),
    t.cell_type,
    t.is_segmented AND t.n_rows_on_root = 1
FROM typed AS t
UNION ALL
SELECT
    'type_table_first',
    t.nucleus_id,
    _class_word(t.classification_system),
    t.cell_type,
    t.is_segmented AND t.row_on_root = 1
FROM typed AS t
