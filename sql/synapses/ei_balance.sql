-- Excitatory, inhibitory and unknown inputs of each cell, in synapses and by what they land on, one row per cell with inputs.
--
-- The class of an input is known only if its presynaptic segment holds a single classified cell of this volume; for most
-- inputs it does not (orphan pieces of axon, cells whose soma lies elsewhere). `typed_fraction` says for how many it
-- does; `inhibitory_fraction` is biased, because inhibitory axons are local and lead to a soma more often. Where an input
-- lands needs no presynaptic cell, and is the other estimate of the balance: spines get nearly all of their synapses from
-- excitatory cells, the soma from inhibitory ones, shafts from both. So it is none on inhibitory cells, which have few
-- spines; and spine heads that the segmentation cut off are missing from it. Each class may also be read by where the synapse is;
-- the four compartments add up to all inputs.
--
-- Cells are those alone on their segment. Autapses and sides without a segment (roots 0 and 1) are left out.
-- Fast: a filter on `pt_root_id`.
-- A count that needs a table of classes or of targets is NULL without one.
-- grain: nucleus_id
-- scope: all
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: never give a ratio of classes without typed_fraction beside it
-- warning: counts of synapses, not of cells; their sizes are in `synapses_typed`
-- cite: microns2025, turner2022, schneidermizell2025
-- questions: Q24, Q48
-- example: SELECT nucleus_id, n_input_syn, round(typed_fraction, 3) AS typed, n_excitatory, n_inhibitory, n_spine_syn,
--     n_soma_syn FROM ei_balance ORDER BY n_input_syn DESC, nucleus_id LIMIT 3
WITH inputs AS (
    SELECT
        post.nucleus_id,
        s.post_pt_root_id AS pt_root_id,
        count(*) AS n_input_syn,
        count(*) FILTER (WHERE pre.cell_class = 'excitatory') AS n_excitatory,
        count(*) FILTER (WHERE pre.cell_class = 'inhibitory') AS n_inhibitory,
        count(*) FILTER (WHERE pre.cell_class = 'nonneuron') AS n_nonneuron,
        count(*) FILTER (WHERE pre.cell_class IS NULL) AS n_unknown,
        count(a.pt_root_id) AS n_proofread,
        count(*) FILTER (WHERE s.target_structure = 'spine') AS n_spine_syn,
        count(*) FILTER (WHERE s.target_structure = 'spine' AND pre.cell_class = 'excitatory') AS n_spine_excitatory,
        count(*) FILTER (WHERE s.target_structure = 'spine' AND pre.cell_class = 'inhibitory') AS n_spine_inhibitory,
        count(*) FILTER (WHERE s.target_structure = 'shaft') AS n_shaft_syn,
        count(*) FILTER (WHERE s.target_structure = 'shaft' AND pre.cell_class = 'excitatory') AS n_shaft_excitatory,
        count(*) FILTER (WHERE s.target_structure = 'shaft' AND pre.cell_class = 'inhibitory') AS n_shaft_inhibitory,
        count(*) FILTER (WHERE s.target_structure = 'soma') AS n_soma_syn,
        count(*) FILTER (WHERE s.target_structure = 'soma' AND pre.cell_class = 'excitatory') AS n_soma_excitatory,
        count(*) FILTER (WHERE s.target_structure = 'soma' AND pre.cell_class = 'inhibitory') AS n_soma_inhibitory,
        count(*) FILTER (WHERE s.target_structure IS NULL) AS n_untagged_syn,
        count(*) FILTER (WHERE s.target_structure IS NULL AND pre.cell_class = 'excitatory') AS n_untagged_excitatory,
        count(*) FILTER (WHERE s.target_structure IS NULL AND pre.cell_class = 'inhibitory') AS n_untagged_inhibitory
    FROM _tagged_synapses AS s
    JOIN _root_cells AS post ON post.pt_root_id = s.post_pt_root_id AND post.n_nuclei = 1
    LEFT JOIN _root_cells AS pre ON pre.pt_root_id = s.pre_pt_root_id
    LEFT JOIN _proofread_axons AS a ON a.pt_root_id = s.pre_pt_root_id
    WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1)
    GROUP BY post.nucleus_id, s.post_pt_root_id
)

SELECT
    i.nucleus_id, -- The cell
    i.pt_root_id, -- Its segment in this version
    k.cell_class, -- Class of the cell itself
    k.cell_type, -- Type of the cell itself
    i.n_input_syn, -- Number of input synapses
    CASE WHEN _has_classes() THEN i.n_excitatory END AS n_excitatory, -- Number of them from excitatory cells
    CASE WHEN _has_classes() THEN i.n_inhibitory END AS n_inhibitory, -- Number of them from inhibitory cells
    CASE
        WHEN _has_classes() THEN i.n_nonneuron
    END AS n_nonneuron, -- Number of them from cells that are called no neurons, which is mostly an error
    CASE WHEN _has_classes() THEN i.n_unknown END AS n_unknown, -- Number of them from segments that are no single classified cell
    CASE
        WHEN _has_classes() THEN (i.n_input_syn - i.n_unknown) / i.n_input_syn
    END AS typed_fraction, -- Share of the input synapses whose class is known
    CASE
        WHEN _has_proofreading() THEN i.n_proofread / i.n_input_syn
    END AS proofread_fraction, -- Share of the input synapses that come from a proofread axon
    i.n_inhibitory / nullif(i.n_excitatory + i.n_inhibitory, 0) AS inhibitory_fraction, -- n_inhibitory of both; NULL without either
    CASE WHEN _has_targets() THEN i.n_spine_syn END AS n_spine_syn, -- Number of input synapses on spines, whoever they come from
    CASE WHEN _has_classes() AND _has_targets() THEN i.n_spine_excitatory END AS n_spine_excitatory, -- Number of them from excitatory cells
    CASE WHEN _has_classes() AND _has_targets() THEN i.n_spine_inhibitory END AS n_spine_inhibitory, -- Number of them from inhibitory cells
    CASE WHEN _has_targets() THEN i.n_shaft_syn END AS n_shaft_syn, -- Number of input synapses on shafts, whoever they come from
    CASE WHEN _has_classes() AND _has_targets() THEN i.n_shaft_excitatory END AS n_shaft_excitatory, -- Number of them from excitatory cells
    CASE WHEN _has_classes() AND _has_targets() THEN i.n_shaft_inhibitory END AS n_shaft_inhibitory, -- Number of them from inhibitory cells
    CASE WHEN _has_targets() THEN i.n_soma_syn END AS n_soma_syn, -- Number of input synapses on the soma, whoever they come from
    CASE WHEN _has_classes() AND _has_targets() THEN i.n_soma_excitatory END AS n_soma_excitatory, -- Number of them from excitatory cells
    CASE WHEN _has_classes() AND _has_targets() THEN i.n_soma_inhibitory END AS n_soma_inhibitory, -- Number of them from inhibitory cells
    CASE
        WHEN _has_targets() THEN i.n_untagged_syn
    END AS n_untagged_syn, -- Number of input synapses that were not classified, whoever they come from
    CASE
        WHEN _has_classes() AND _has_targets() THEN i.n_untagged_excitatory
    END AS n_untagged_excitatory, -- Number of them from excitatory cells
    CASE
        WHEN _has_classes() AND _has_targets() THEN i.n_untagged_inhibitory
    END AS n_untagged_inhibitory -- Number of them from inhibitory cells
FROM inputs AS i
JOIN _root_cells AS k ON k.pt_root_id = i.pt_root_id
