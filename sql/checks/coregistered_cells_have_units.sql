-- A cell is_coregistered exactly where functional_units gives it a unit; else the two count different cells.
-- requires: nucleus_detection_v0, coregistration_manual_v4 or coregistration_auto_phase3_fwd_v2
--     or apl_functional_coreg_vess_fwd or coregistration_auto_phase3_fwd_apl_vess_combined_v2
SELECT
    c.nucleus_id,
    c.is_coregistered,
    u.nucleus_id IS NOT NULL AS has_unit
FROM cells AS c
LEFT JOIN (SELECT DISTINCT nucleus_id FROM functional_units) AS u ON u.nucleus_id = c.nucleus_id
WHERE c.is_coregistered <> (u.nucleus_id IS NOT NULL)
