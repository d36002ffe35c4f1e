-- Every detected nucleus with all that is known of its cell, one row per nucleus.
--
-- A nucleus, not a root id, is a cell. Root ids change with every edit, several nuclei can share a root (merged
-- cells), and some nuclei have no root. `pt_root_id` is the root at the look-up point. For 8,388 nuclei this is a
-- better point than the centroid. There are two rules for merged cells: `is_single_soma` is strict (one nucleus on the
-- root), `is_single_neuron` is CAVE's single_neurons (one neuron on the root, other nuclei allowed).
--
-- Types follow the precedence of CAVE's aibs_cell_info. The source of each type, and the answer of each single table,
-- are columns too.
--
-- Near an edge of the volume, axons and dendrites are cut off. `edge_distance_um` is the distance to the nearest of
-- the four sides of the volume that cross the cortex, taken from the outermost nuclei. Pia and white matter are ends
-- of the volume too, but they cut nothing off.
--
-- Not every row is a neuron, or even a cell: for neurons see `neurons`.
-- grain: nucleus_id
-- store: nucleus_id
-- requires: nucleus_detection_v0
-- warning: join synapses only with cells that are is_single_soma or is_single_neuron; a merged cell would count several times
-- warning: cell types come from methods of different quality: before you compare types, look at cell_type_source
-- warning: class and type come from different tables and can disagree (an inhibitory 23P): see is_type_of_class
-- cite: microns2025, elabbady2025, schneidermizell2025
-- questions: Q01, Q02, Q04, Q05, Q06, Q07, Q08, Q09, Q10, Q13, Q15, Q51
-- example: SELECT nucleus_id, cell_type, layer, round(depth_um) AS depth_um, strategy_axon FROM cells WHERE is_single_soma
--     ORDER BY nucleus_id LIMIT 3
WITH extent AS (
    SELECT
        min(x_nm) AS x_from_nm,
        max(x_nm) AS x_to_nm,
        min(z_nm) AS z_from_nm,
        max(z_nm) AS z_to_nm
    FROM _nuclei
)

SELECT
    n.nucleus_id,
    n.pt_root_id,
    n.orig_root_id,
    n.root_source,
    n.pt_supervoxel_id,
    r.n_nuclei AS n_nuclei_on_root, -- Number of nuclei on pt_root_id; NULL without a segment
    r.n_neurons AS n_neurons_on_root, -- Number of them that the classifier calls neurons; NULL without an answer
    coalesce(r.n_nuclei = 1, FALSE) AS is_single_soma, -- Whether the cell has a segment with no other nucleus on it
    a.is_neuron,
    CASE
        WHEN r.pt_root_id IS NULL THEN FALSE
        WHEN r.n_neurons IS NOT NULL THEN coalesce(a.is_neuron, FALSE) AND r.n_neurons = 1
    END AS is_single_neuron, -- Whether the cell is the only neuron on its segment, by the classifier; NULL where that did not answer
    k.cell_class,
    k.cell_class_source,
    k.cell_type,
    k.cell_type_source,
    k.cell_class = _class_of_type(k.cell_type) AS is_type_of_class, -- Whether cell_type is a type of cell_class; NULL without both
    k.mtype,
    k.mtype_source,
    v.tag AS visual_area, -- Visual area the nucleus lies in: V1, AL, RL, LM
    v.value AS other_area_distance_um, -- Mean distance to the ten nearest nuclei of another area; larger is surer [um]
    depth_um(n.x_nm, n.y_nm) AS depth_um, -- Depth of the nucleus below the pia, along its straight normal [um]
    layer_of(depth_um(n.x_nm, n.y_nm)) AS layer, -- Cortical layer at that depth (see layer_bounds), NULL above the pia
    least(
        n.x_nm - e.x_from_nm, e.x_to_nm - n.x_nm, n.z_nm - e.z_from_nm, e.z_to_nm - n.z_nm
    ) / 1000 AS edge_distance_um, -- Distance to the nearest side at which the volume was cut (x, z), by the outermost nuclei [um]
    n.nucleus_volume_um3,
    p.status_dendrite, -- Whether the dendrite was proofread; NULL if it was never assessed
    p.strategy_dendrite,
    p.status_axon, -- Whether the axon was proofread, so that its outputs may be analysed; NULL if it was never assessed
    p.strategy_axon,
    p.is_current, -- Whether the root is still the one that was proofread; NULL if it never was
    CASE
        WHEN f.nucleus_id IS NOT NULL THEN TRUE
        WHEN
            _has_all(
                [
                    'coregistration_manual_v4',
                    'coregistration_auto_phase3_fwd_v2',
                    'apl_functional_coreg_vess_fwd',
                    'coregistration_auto_phase3_fwd_apl_vess_combined_v2'
                ]
            )
            THEN FALSE
    END AS is_coregistered, -- Whether any method matched a recorded unit to the nucleus (see functional_units); NULL if some were not asked
    n.pt_position_x,
    n.pt_position_y,
    n.pt_position_z,
    n.x_nm,
    n.y_nm,
    n.z_nm,
    k.class_corrected,
    k.class_nonneuronal,
    k.class_manual,
    k.class_by_spines,
    k.class_by_soma,
    k.class_multifeature,
    k.cell_type_corrected,
    k.cell_type_nonneuronal,
    k.cell_type_manual,
    k.cell_type_by_soma,
    k.cell_type_multifeature,
    k.cell_type_gnn,
    k.mtype_corrected,
    k.mtype_manual,
    k.mtype_by_soma
FROM _nuclei AS n
CROSS JOIN extent AS e
LEFT JOIN _root_nuclei AS r ON r.pt_root_id = n.pt_root_id
LEFT JOIN _neuron_answers AS a ON a.nucleus_id = n.nucleus_id
LEFT JOIN _labels AS k ON k.nucleus_id = n.nucleus_id
LEFT JOIN _areas AS v ON v.nucleus_id = n.nucleus_id
LEFT JOIN _proofreading AS p ON p.pt_root_id = n.pt_root_id
LEFT JOIN _coregistered AS f ON f.nucleus_id = n.nucleus_id
