-- Inputs and outputs of every segment with a nucleus: synapses, partner segments and partner cells, one row per segment.
--
-- Segments are not cells. Most presynaptic partners are orphan pieces of axon, and an axon in five pieces is five of
-- them. `n_pre_segments` counts pieces; `n_pre_cells` counts only partners with exactly one nucleus. The true number
-- of presynaptic cells is between the two. Autapses and sides without a segment (roots 0 and 1) are left out.
-- Everything else is counted, whatever its size. Inputs may be interpreted for any cell; outputs only if
-- `strategy_axon` says that the axon was proofread.
-- grain: pt_root_id
-- store: pt_root_id
-- scope: all
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: if strategy_axon is NULL, the outputs show how much of the axon was found, not how the cell connects
-- warning: a segment with several nuclei (n_nuclei_on_root above 1) has the synapses of several cells
-- cite: microns2025, turner2022
-- questions: Q20, Q33, Q34
-- example: SELECT nucleus_id, n_input_syn, n_pre_segments, n_pre_cells, n_output_syn, n_post_cells FROM in_out_degree WHERE
--     strategy_axon = 'axon_fully_extended' ORDER BY nucleus_id LIMIT 3
WITH outputs AS (
    SELECT
        s.pre_pt_root_id,
        s.post_pt_root_id,
        count(*) AS n_syn,
        sum(s.size)::BIGINT AS sum_size
    FROM _axon_synapses AS s
    WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.post_pt_root_id NOT IN (0, 1)
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
),

senders AS (
    SELECT
        o.post_pt_root_id AS pt_root_id,
        count(*) AS n_cells
    FROM outputs AS o
    JOIN _root_nuclei AS r ON r.pt_root_id = o.pre_pt_root_id AND r.n_nuclei = 1
    GROUP BY o.post_pt_root_id
),

sent AS (
    SELECT
        o.pre_pt_root_id AS pt_root_id,
        count(*) AS n_segments,
        count(*) FILTER (WHERE r.n_nuclei = 1) AS n_cells,
        sum(o.n_syn)::BIGINT AS n_syn,
        sum(o.sum_size)::BIGINT AS sum_size
    FROM outputs AS o
    LEFT JOIN _root_nuclei AS r ON r.pt_root_id = o.post_pt_root_id
    GROUP BY o.pre_pt_root_id
),

autapses AS (
    SELECT
        s.pre_pt_root_id AS pt_root_id,
        count(*) AS n_syn
    FROM _axon_synapses AS s
    WHERE s.pre_pt_root_id = s.post_pt_root_id
    GROUP BY s.pre_pt_root_id
)

SELECT
    r.pt_root_id,
    r.nucleus_id,
    r.n_nuclei AS n_nuclei_on_root, -- Number of nuclei on the segment: 1 = a cell, more = merged cells
    r.cell_class, -- Class of the cell: excitatory, inhibitory, nonneuron
    r.cell_type, -- Type of the cell, by the precedence of `cells`
    a.strategy_axon, -- How far the axon was proofread; NULL where its outputs may not be interpreted
    coalesce(i.n_syn, 0) AS n_input_syn, -- Number of input synapses
    coalesce(i.n_segments, 0) AS n_pre_segments, -- Number of segments they come from, most of them orphan pieces
    coalesce(c.n_cells, 0) AS n_pre_cells, -- Number of those segments that have exactly one nucleus
    coalesce(i.sum_size, 0) AS input_sum_size, -- Summed cleft size of the inputs [voxel]
    i.sum_size / i.n_syn AS input_mean_size, -- Mean cleft size of the inputs; NULL without one [voxel]
    coalesce(o.n_syn, 0) AS n_output_syn, -- Number of output synapses
    coalesce(o.n_segments, 0) AS n_post_segments, -- Number of segments they go to
    coalesce(o.n_cells, 0) AS n_post_cells, -- Number of those segments that have exactly one nucleus
    coalesce(o.sum_size, 0) AS output_sum_size, -- Summed cleft size of the outputs [voxel]
    o.sum_size / o.n_syn AS output_mean_size, -- Mean cleft size of the outputs; NULL without one [voxel]
    coalesce(s.n_syn, 0) AS n_autapses -- Number of synapses of the segment onto itself, counted in no other column
FROM _root_cells AS r
LEFT JOIN _received AS i ON i.pt_root_id = r.pt_root_id
LEFT JOIN senders AS c ON c.pt_root_id = r.pt_root_id
LEFT JOIN sent AS o ON o.pt_root_id = r.pt_root_id
LEFT JOIN autapses AS s ON s.pt_root_id = r.pt_root_id
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = r.pt_root_id
