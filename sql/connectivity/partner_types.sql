-- The partners of a cell by type: how many there are and how many synapses they share, one row per type.
--
-- Partners and synapses are different numbers: say in a plot which one it shows. Partners without an answer are kept
-- as `unknown`: orphan pieces, merged cells, and cells that the table in question does not cover. Most inputs are
-- unknown. `side` is 'output' (types of its targets) or 'input' (types of the cells that give its inputs); 'out' and
-- 'in' mean the same. `by` chooses the kind of type: cell_type, cell_class, mtype, visual_area, layer, or one table's own
-- words, such as cell_type_by_soma, class_by_soma, cell_type_multifeature or cell_type_gnn (all are columns of `cells`).
-- grain: partner_label
-- requires: synapses_pni_2, nucleus_detection_v0
-- scope: any
-- macro: partner_types(ids, side := 'output', by := 'cell_type')
-- example: FROM partner_types(287566, side := 'input', by := 'cell_class') ORDER BY n_syn DESC
-- warning: a fraction of the known types is a fraction of the typed partners, not of all partners
-- cite: microns2025, turner2022
-- questions: Q22, Q23, Q45
WITH partners AS (
    SELECT
        p.post_pt_root_id AS pt_root_id,
        p.post_nucleus_id AS nucleus_id,
        p.n_syn,
        p.sum_size
    FROM output_partners(ids) AS p
    WHERE _one_of(_side(side), 'side', ['input', 'output']) = 'output'
    UNION ALL
    SELECT
        p.pre_pt_root_id,
        p.pre_nucleus_id,
        p.n_syn,
        p.sum_size
    FROM input_partners(ids) AS p
    WHERE _one_of(_side(side), 'side', ['input', 'output']) = 'input'
)

SELECT
    coalesce(l.label, 'unknown') AS partner_label, -- What `by` says of the partners; unknown where there is none
    count(DISTINCT p.pt_root_id) AS n_partners, -- Number of partner segments
    count(DISTINCT p.nucleus_id) AS n_cells, -- Number of partners that are cells: segments with exactly one nucleus
    sum(p.n_syn)::BIGINT AS n_syn, -- Number of synapses with them
    sum(p.sum_size)::BIGINT AS sum_size -- Summed cleft size of these synapses [voxel]
FROM partners AS p
LEFT JOIN _labels_by("by") AS l ON l.nucleus_id = p.nucleus_id
GROUP BY ALL
ORDER BY n_syn DESC, partner_label ASC
