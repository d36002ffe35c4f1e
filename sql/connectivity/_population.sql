-- Cells that can be an end of a pair, one row per nucleus: alone on their segment by one of the two rules of `cells`.
-- grain: nucleus_id
-- requires: nucleus_detection_v0
SELECT
    c.nucleus_id,
    c.pt_root_id,
    c.is_single_soma,
    coalesce(c.is_single_neuron, FALSE) AS is_single_neuron,
    c.cell_class,
    c.cell_type,
    c.mtype,
    c.visual_area,
    c.layer,
    CASE
        WHEN c.status_axon AND c.strategy_axon <> 'none' THEN c.strategy_axon
    END AS strategy_axon, -- How far the axon was proofread; NULL where outputs may not be analysed
    c.is_current, -- Whether the segment is still the one that was proofread
    coalesce(
        c.status_axon AND c.strategy_axon <> 'none' AND c.status_dendrite AND c.is_current, FALSE
    ) AS is_proofread, -- Whether axon and dendrite were proofread, and the segment is still that one
    (
        cos(radians(_rotation_deg())) * c.x_nm - sin(radians(_rotation_deg())) * c.y_nm
    ) / 1000 AS across_um, -- Place along the cortical sheet, across [um]
    c.z_nm / 1000 AS along_um, -- Place along the cortical sheet, along z [um]
    c.depth_um,
    c.edge_distance_um
FROM cells AS c
WHERE c.is_single_soma OR c.is_single_neuron
