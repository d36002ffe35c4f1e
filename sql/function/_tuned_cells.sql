-- Cells whose activity and synapses can both be told: recorded, with a segment of their own, one row per nucleus.
-- grain: nucleus_id
-- store: nucleus_id
-- requires: nucleus_detection_v0
SELECT
    f.nucleus_id,
    f.pt_root_id,
    f.session,
    f.scan_idx,
    f.unit_id,
    f.match_source,
    f.n_nuclei_of_unit,
    f.tuning_source,
    f.pref_ori_deg,
    f.pref_dir_deg,
    f."gOSI",
    f."gDSI",
    f.cc_abs,
    f.cc_max,
    f.readout_loc_x,
    f.readout_loc_y,
    f.readout_in_scan_x,
    f.readout_in_scan_y,
    c.cell_class,
    c.cell_type,
    c.visual_area,
    CASE WHEN c.visual_area = 'V1' THEN 'V1' WHEN c.visual_area IS NOT NULL THEN 'HVA' END AS region, -- V1 or HVA (any other area)
    c.layer,
    c.strategy_axon,
    c.status_axon AND c.strategy_axon <> 'none' AS axon_proofread, -- Whether its outputs may be analysed
    c.is_current,
    c.x_nm,
    c.y_nm,
    c.z_nm
FROM functional_best AS f
JOIN cells AS c ON c.nucleus_id = f.nucleus_id
WHERE c.is_single_soma
