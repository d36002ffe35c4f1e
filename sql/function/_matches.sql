-- Every match of a recorded unit with a nucleus, one row per unit and source.
--
-- Where one table matches a unit to several nuclei, the smallest residual wins, then the smaller annotation id.
-- grain: session, scan_idx, unit_id, match_source
WITH matches AS (
    SELECT
        'manual' AS match_source,
        id,
        target_id,
        session,
        scan_idx,
        unit_id,
        field,
        residual,
        score
    FROM coregistration_manual_v4
    UNION ALL
    SELECT
        'automatic',
        id,
        target_id,
        session,
        scan_idx,
        unit_id,
        field,
        residual,
        score
    FROM coregistration_auto_phase3_fwd_v2
    UNION ALL
    SELECT
        'vessel',
        id,
        target_id,
        session,
        scan_idx,
        unit_id,
        field,
        residual,
        score
    FROM apl_functional_coreg_vess_fwd
    UNION ALL
    SELECT
        'combined',
        id,
        target_id,
        session,
        scan_idx,
        unit_id,
        field,
        residual,
        score
    FROM coregistration_auto_phase3_fwd_apl_vess_combined_v2
)

SELECT
    m.session, -- Recording session; part of the unit's key
    m.scan_idx, -- Scan within the session; part of the unit's key
    m.unit_id, -- Unit (segmented cell) within the scan; part of the unit's key
    m.match_source, -- How it was matched: manual, automatic (landmarks), vessel (blood vessels), combined (the last two agree)
    m.target_id AS nucleus_id, -- The matched cell: `id` in nucleus_detection_v0
    m.field, -- Imaging field (plane) of the scan
    m.residual::DOUBLE AS residual_um, -- Distance between unit and nucleus after registration; smaller is better [um]
    m.score::DOUBLE AS score_um -- Margin to the next best match; larger is better, may be negative [um]
FROM matches AS m
QUALIFY row_number() OVER (
    PARTITION BY m.session, m.scan_idx, m.unit_id, m.match_source ORDER BY m.residual ASC NULLS LAST, m.id ASC
) = 1
