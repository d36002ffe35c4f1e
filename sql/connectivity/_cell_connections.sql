-- Connected ordered pairs of cells, each alone on its segment, with their types: `cell_connections` without the means.
--
-- It is stored with the types, so that a matrix of types reads only these columns and joins nothing.
-- grain: pre_nucleus_id, post_nucleus_id
-- requires: synapses_pni_2, nucleus_detection_v0
-- store: pre_nucleus_id, post_nucleus_id
WITH pairs AS (
    SELECT
        s.pre_pt_root_id,
        s.post_pt_root_id,
        count(*) AS n_syn,
        sum(s.size)::BIGINT AS sum_size
    FROM _axon_synapses AS s
    WHERE s.pre_pt_root_id <> s.post_pt_root_id
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
)

SELECT
    pre.nucleus_id AS pre_nucleus_id, -- The presynaptic cell
    post.nucleus_id AS post_nucleus_id, -- The postsynaptic cell
    k.pre_pt_root_id, -- Its segment in this version
    k.post_pt_root_id, -- Its segment in this version
    k.n_syn, -- Number of synapses of the pair
    k.sum_size, -- Summed cleft size of the pair's synapses [voxel]
    pre.cell_class AS pre_cell_class, -- Class of the presynaptic cell: excitatory, inhibitory, nonneuron
    pre.cell_type AS pre_cell_type, -- Type of the presynaptic cell, by the precedence of `cells`
    post.cell_class AS post_cell_class, -- Class of the postsynaptic cell: excitatory, inhibitory, nonneuron
    post.cell_type AS post_cell_type, -- Type of the postsynaptic cell, by the precedence of `cells`
    a.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread; NULL where the pair may not be interpreted
    a.is_current AS pre_is_current -- Whether the presynaptic segment is still the one that was proofread; NULL where it was not
FROM pairs AS k
JOIN _root_cells AS pre ON pre.pt_root_id = k.pre_pt_root_id AND pre.n_nuclei = 1
JOIN _root_cells AS post ON post.pt_root_id = k.post_pt_root_id AND post.n_nuclei = 1
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = k.pre_pt_root_id
