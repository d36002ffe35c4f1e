-- Orientations lie in 0 to 180 degrees, directions in 0 to 360; others are radians or another convention taken for ours.
-- requires: coregistration_manual_v4 or coregistration_auto_phase3_fwd_v2 or apl_functional_coreg_vess_fwd
--     or coregistration_auto_phase3_fwd_apl_vess_combined_v2
SELECT
    u.session,
    u.scan_idx,
    u.unit_id,
    u.tuning_source,
    u.pref_ori_deg,
    u.pref_dir_deg
FROM functional_units AS u
WHERE u.pref_ori_deg NOT BETWEEN 0 AND 180 OR u.pref_dir_deg NOT BETWEEN 0 AND 360
