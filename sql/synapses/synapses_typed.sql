-- Synapses with who is at both ends, what they land on and how deep they lie, one row per cleft.
--
-- Every synapse of `synapses` is here, autapses and sides without a segment too. An end has an identity only if its
-- segment holds exactly one nucleus; `pre_n_nuclei_on_root` and `post_n_nuclei_on_root` tell orphan pieces (0) from merged cells (above 1).
-- `depth_um` and `layer` are those of the synapse, not of a soma.
--
-- Fast: a filter on `post_pt_root_id`.
-- grain: id
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: outputs of a cell may be interpreted only where pre_axon_proofread holds, and then by pre_strategy_axon
-- warning: a missing `target_structure` means not classified
-- cite: microns2025, turner2022, schneidermizell2025
-- questions: Q24, Q25, Q42
-- example: SELECT target_structure, pre_cell_class, count(*) AS n_syn FROM synapses_typed WHERE post_cell_class =
--     'excitatory' AND pre_cell_class IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT 5
SELECT
    s.id,
    s.pre_pt_root_id,
    s.post_pt_root_id,
    s.size,
    s.is_autapse,
    coalesce(
        pre.n_nuclei, 0
    ) AS pre_n_nuclei_on_root, -- Number of nuclei on the presynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    pre.nucleus_id AS pre_nucleus_id, -- The presynaptic cell, if its segment has exactly one nucleus
    pre.cell_class AS pre_cell_class, -- Class of the presynaptic cell: excitatory, inhibitory, nonneuron
    pre.cell_type AS pre_cell_type, -- Type of the presynaptic cell, by the precedence of `cells`
    CASE
        WHEN _has_proofreading() THEN coalesce(p.status_axon AND p.strategy_axon <> 'none', FALSE)
    END AS pre_axon_proofread, -- Whether the presynaptic axon was proofread; NULL without a table of proofreading
    p.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread; NULL if it was never assessed
    p.is_current AS pre_is_current, -- Whether the presynaptic segment is still the one that was assessed
    coalesce(
        post.n_nuclei, 0
    ) AS post_n_nuclei_on_root, -- Number of nuclei on the postsynaptic segment: 0 = orphan piece, 1 = a cell, more = merged cells
    post.nucleus_id AS post_nucleus_id, -- The postsynaptic cell, if its segment has exactly one nucleus
    post.cell_class AS post_cell_class, -- Class of the postsynaptic cell: excitatory, inhibitory, nonneuron
    post.cell_type AS post_cell_type, -- Type of the postsynaptic cell, by the precedence of `cells`
    CASE
        WHEN _has_proofreading() THEN coalesce(q.status_dendrite, FALSE)
    END AS post_dendrite_proofread, -- Whether the postsynaptic dendrite was proofread; NULL without a table of proofreading
    q.is_current AS post_is_current, -- Whether the postsynaptic segment is still the one that was assessed
    s.target_structure,
    s.target_structure_source,
    depth_um(s.ctr_x_nm, s.ctr_y_nm) AS depth_um, -- Depth of the synapse below the pia, along its straight normal [um]
    layer_of(depth_um(s.ctr_x_nm, s.ctr_y_nm)) AS layer, -- Cortical layer of the synapse (see layer_bounds), NULL above the pia
    s.ctr_x_nm,
    s.ctr_y_nm,
    s.ctr_z_nm,
    s.pre_is_complete,
    s.post_is_complete
FROM _tagged_synapses AS s
LEFT JOIN _root_cells AS pre ON pre.pt_root_id = s.pre_pt_root_id
LEFT JOIN _root_cells AS post ON post.pt_root_id = s.post_pt_root_id
LEFT JOIN _proofreading AS p ON p.pt_root_id = s.pre_pt_root_id
LEFT JOIN _proofreading AS q ON q.pt_root_id = s.post_pt_root_id
