-- Outputs of proofread axons, one row per ordered pair of segments: the connections that may be interpreted.
--
-- A pair is here if the presynaptic axon was proofread (`status_axon`, with a strategy). The postsynaptic end needs no
-- proofreading. Partially extended and interareal axons are a sample of potential partners; only fully extended axons
-- are near complete. So counts and probabilities are lower bounds that depend on the strategy: group or filter by it.
--
-- Nothing else is filtered away. Cells that were edited since (`pre_is_current` false), merged cells at either end
-- (`pre_n_nuclei_on_root` or `post_n_nuclei_on_root` above 1) and orphan targets (0) are rows that you can drop. If
-- two cells are not listed as a pair, no connection between them is known. Only a fully extended axon makes it likely
-- that there is none.
--
-- Fast: the work grows with the synapses of the proofread axons, not with all pairs.
-- grain: pre_pt_root_id, post_pt_root_id
-- scope: all, proofread, neurons
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: never pool strategies without saying so
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q18, Q21, Q23, Q30, Q34, Q37, Q40, Q41, Q46
-- example: SELECT pre_strategy_axon, pre_cell_class, post_cell_class, count(*) AS n_pairs, sum(n_syn)::BIGINT AS n_syn
--     FROM connections_proofread WHERE pre_nucleus_id IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT 5
WITH pairs AS (
    SELECT
        s.pre_pt_root_id, -- Presynaptic segment in this version; never 0 or 1
        s.post_pt_root_id, -- Postsynaptic segment in this version; never 0 or 1
        count(*) AS n_syn, -- Number of synapses of the pair
        sum(s.size)::BIGINT AS sum_size -- Summed cleft size of the pair's synapses [voxel]
    FROM _axon_synapses AS s
    WHERE s.b = _proofread_bucket() AND s.post_pt_root_id <> s.pre_pt_root_id AND s.post_pt_root_id NOT IN (0, 1)
    GROUP BY s.pre_pt_root_id, s.post_pt_root_id
)

SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size,
    k.sum_size / k.n_syn AS mean_size, -- Mean cleft size of the pair's synapses [voxel]
    a.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread; only axon_fully_extended is near complete
    a.is_current AS pre_is_current, -- Whether the presynaptic segment is still the one that was assessed; if not, it was edited since
    coalesce(
        pre.pre_n_nuclei_on_root, 0
    ) AS pre_n_nuclei_on_root, -- Number of nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    pre.* EXCLUDE (pre_pt_root_id, pre_n_nuclei_on_root, pre_x_nm, pre_y_nm, pre_z_nm),
    coalesce(
        post.post_n_nuclei_on_root, 0
    ) AS post_n_nuclei_on_root, -- Number of nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    post.* EXCLUDE (post_pt_root_id, post_n_nuclei_on_root, post_x_nm, post_y_nm, post_z_nm),
    distance_um(
        post.post_x_nm - pre.pre_x_nm, post.post_y_nm - pre.pre_y_nm, post.post_z_nm - pre.pre_z_nm
    ) AS soma_distance_um, -- Distance between the two nuclei; NULL unless both ends are single cells [um]
    lateral_um(
        post.post_x_nm - pre.pre_x_nm, post.post_y_nm - pre.pre_y_nm, post.post_z_nm - pre.pre_z_nm
    ) AS soma_lateral_um -- The same along the cortical sheet, without depth [um]
FROM pairs AS k
-- What is the same for all pairs of an axon comes after they are counted: grouping by words takes twice as long.
JOIN _proofread_axons AS a ON a.pt_root_id = k.pre_pt_root_id
LEFT JOIN _pre_cells AS pre ON pre.pre_pt_root_id = k.pre_pt_root_id
LEFT JOIN _post_cells AS post ON post.post_pt_root_id = k.post_pt_root_id
