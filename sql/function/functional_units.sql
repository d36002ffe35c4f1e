-- Recorded units matched to cells, with their tuning, one row per unit and method of matching.
--
-- A unit is (session, scan_idx, unit_id). A cell recorded in several scans has several units, and a unit matched by
-- several methods has several rows: methods are sources to choose from, not a union. A table may give one unit to
-- several nuclei: then the match with the smallest residual is here. `n_nuclei_of_unit` above 1 means that the tables,
-- or the rows of one table, disagree on whose activity it is.
--
-- All angles are in the digital twin's convention (degrees, 0 = vertical bar moving right, counter-clockwise), converted
-- where `tuning_source` is functional_properties_v3_bcm, whose own values stay beside them.
-- grain: session, scan_idx, unit_id, match_source
-- requires: coregistration_manual_v4 or coregistration_auto_phase3_fwd_v2 or apl_functional_coreg_vess_fwd
--     or coregistration_auto_phase3_fwd_apl_vess_combined_v2
-- warning: filter by match_source, else a unit counts once for each method that matched it
-- warning: several units per cell: choose one per nucleus (say, that of the highest cc_abs) before joining with connections
-- warning: an orientation repeats after 180 degrees: two that are d apart differ by least(d, 180 - d)
-- cite: microns2025, ding2025, wang2025
-- questions: Q54, Q55, Q56, Q61
-- example: SELECT match_source, tuning_source, count(*) AS n_units FROM functional_units GROUP BY ALL ORDER BY ALL
SELECT
    m.session,
    m.scan_idx,
    m.unit_id,
    m.match_source,
    m.nucleus_id,
    n.pt_root_id,
    m.n_nuclei_of_unit,
    m.field,
    m.residual_um,
    m.score_um,
    t.tuning_source,
    t.pref_ori_deg,
    t.pref_dir_deg,
    t.pref_ori_rad,
    t.pref_dir_rad,
    t."gOSI",
    t."gDSI",
    t."OSI",
    t."DSI",
    t.cc_abs,
    t.cc_max,
    t.cc_norm,
    t.readout_loc_x,
    t.readout_loc_y
FROM _matches AS m
LEFT JOIN _nuclei AS n ON n.nucleus_id = m.nucleus_id
LEFT JOIN _tuning AS t ON t.session = m.session AND t.scan_idx = m.scan_idx AND t.unit_id = m.unit_id
