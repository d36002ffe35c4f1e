-- Nuclei with at least one recorded unit, one row per nucleus.
-- grain: nucleus_id
SELECT m.target_id AS nucleus_id -- The cell
FROM (
    SELECT target_id FROM coregistration_manual_v4
    UNION ALL
    SELECT target_id FROM coregistration_auto_phase3_fwd_v2
    UNION ALL
    SELECT target_id FROM apl_functional_coreg_vess_fwd
    UNION ALL
    SELECT target_id FROM coregistration_auto_phase3_fwd_apl_vess_combined_v2
) AS m
GROUP BY m.target_id
