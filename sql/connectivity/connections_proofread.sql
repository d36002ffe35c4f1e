-- Outputs of proofread axons, one row per ordered pair of segments: the connections that may be interpreted.
--
-- A pair is here if the presynaptic axon was proofread (`status_axon` with a strategy). The postsynaptic end needs no
-- proofreading. Partially extended and interareal axons are a sample of potential partners, only fully extended ones are
-- near complete: counts and probabilities are lower bounds that depend on `strategy_axon`, so group or filter by it.
--
-- Nothing else is filtered away: a cell edited since (`is_current` false), merged cells at either end (`pre_n_nuclei`,
-- `post_n_nuclei` above 1) and orphan targets (0) are rows to be dropped in the open. Two proofread cells of `neurons`
-- that are not listed here are not known to connect; they are not known to be unconnected either, unless the axon is
-- fully extended. The work is proportional to the proofread axons' synapses, not to all pairs.
-- grain: pre_pt_root_id, post_pt_root_id
-- scope: all, proofread, neurons
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: never pool strategies without saying so
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q18, Q21, Q23, Q30, Q34, Q37, Q40, Q41, Q46
-- example: SELECT strategy_axon, pre_cell_class, post_cell_class, count(*) AS n_pairs, sum(n_syn)::BIGINT AS n_syn
--     FROM connections_proofread WHERE pre_nucleus_id IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT 5
WITH pairs AS (
    SELECT
        s.pre_pt_root_id, -- Presynaptic segment in this version; never 0 or 1
        s.post_pt_root_id, -- Postsynaptic segment in this version; never 0 or 1
        a.strategy_axon,
        a.is_current,
        count(*) AS n_syn, -- Number of synapses of the pair
        sum(s.size)::BIGINT AS sum_size, -- Summed cleft size of the pair's synapses [voxel]
        avg(s.size) AS mean_size -- Mean cleft size of the pair's synapses [voxel]
    FROM _axon_synapses AS s
    JOIN _proofread_axons AS a ON a.pt_root_id = s.pre_pt_root_id
    WHERE s.post_pt_root_id <> s.pre_pt_root_id AND s.post_pt_root_id NOT IN (0, 1)
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id, a.strategy_axon, a.is_current
)

SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size,
    k.mean_size,
    k.strategy_axon,
    k.is_current,
    coalesce(pre.n_nuclei, 0) AS pre_n_nuclei, -- Nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    pre.nucleus_id AS pre_nucleus_id, -- The presynaptic cell, if its segment has exactly one nucleus
    pre.cell_class AS pre_cell_class, -- Class of the presynaptic cell: excitatory, inhibitory, nonneuron
    pre.cell_type AS pre_cell_type, -- Type of the presynaptic cell, by the precedence of `cells`
    pre.mtype AS pre_mtype, -- Morphological type of the presynaptic cell
    pre.visual_area AS pre_visual_area, -- Visual area of the presynaptic soma
    pre.depth_um AS pre_depth_um, -- Depth of the presynaptic soma below the pia [um]
    pre.layer AS pre_layer, -- Layer of the presynaptic soma
    coalesce(post.n_nuclei, 0) AS post_n_nuclei, -- Nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    post.nucleus_id AS post_nucleus_id, -- The postsynaptic cell, if its segment has exactly one nucleus
    post.cell_class AS post_cell_class, -- Class of the postsynaptic cell: excitatory, inhibitory, nonneuron
    post.cell_type AS post_cell_type, -- Type of the postsynaptic cell, by the precedence of `cells`
    post.mtype AS post_mtype, -- Morphological type of the postsynaptic cell
    post.visual_area AS post_visual_area, -- Visual area of the postsynaptic soma
    post.depth_um AS post_depth_um, -- Depth of the postsynaptic soma below the pia [um]
    post.layer AS post_layer, -- Layer of the postsynaptic soma
    sqrt(
        (post.x_nm - pre.x_nm) ** 2 + (post.y_nm - pre.y_nm) ** 2 + (post.z_nm - pre.z_nm) ** 2
    ) / 1000 AS soma_distance_um, -- Distance between the two nuclei; NULL unless both ends are single cells [um]
    lateral_um(
        post.x_nm - pre.x_nm, post.y_nm - pre.y_nm, post.z_nm - pre.z_nm
    ) AS soma_lateral_um -- The same along the cortical sheet, without depth [um]
FROM pairs AS k
LEFT JOIN _root_cells AS pre ON pre.pt_root_id = k.pre_pt_root_id
LEFT JOIN _root_cells AS post ON post.pt_root_id = k.post_pt_root_id
