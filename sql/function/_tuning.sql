-- Tuning of each recorded unit, one row per unit.
--
-- Tuning belongs to the unit, not to its match: a table lists it for the units that its method matched. The digital
-- twin's tables come first (in the order manual, automatic, vessel), then the older model's.
-- Angles follow one convention, the digital twin's: degrees, 0 = vertical bar moving right, counter-clockwise. The older
-- table has radians, 0 = horizontal bar moving up, clockwise; hence 90 minus its degrees.
-- grain: session, scan_idx, unit_id
WITH twin AS (
    SELECT
        *,
        1 AS rank,
        'digital_twin_properties_bcm_coreg_v4' AS tuning_source
    FROM digital_twin_properties_bcm_coreg_v4
    UNION ALL BY NAME
    SELECT
        *,
        2 AS rank,
        'digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2' AS tuning_source
    FROM digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2
    UNION ALL BY NAME
    SELECT
        *,
        3 AS rank,
        'digital_twin_properties_bcm_coreg_apl_vess_fwd' AS tuning_source
    FROM digital_twin_properties_bcm_coreg_apl_vess_fwd
),

answers AS (
    SELECT
        session,
        scan_idx,
        unit_id,
        tuning_source,
        rank,
        id,
        pref_ori::DOUBLE AS pref_ori_deg,
        pref_dir::DOUBLE AS pref_dir_deg,
        "gOSI",
        "gDSI",
        "OSI",
        "DSI",
        cc_abs,
        cc_max,
        cc_norm,
        readout_loc_x,
        readout_loc_y
    FROM twin
    UNION ALL BY NAME
    SELECT
        session,
        scan_idx,
        unit_id,
        'functional_properties_v3_bcm' AS tuning_source,
        4 AS rank,
        id,
        -- DuckDB's % keeps the sign of the dividend, hence twice
        ((90 - degrees(pref_ori::DOUBLE)) % 180 + 180) % 180 AS pref_ori_deg,
        ((90 - degrees(pref_dir::DOUBLE)) % 360 + 360) % 360 AS pref_dir_deg,
        pref_ori AS pref_ori_rad,
        pref_dir AS pref_dir_rad,
        "gOSI",
        "gDSI",
        cc_abs
    FROM functional_properties_v3_bcm
)

SELECT
    a.session, -- Recording session; part of the unit's key
    a.scan_idx, -- Scan within the session; part of the unit's key
    a.unit_id, -- Unit (segmented cell) within the scan; part of the unit's key
    a.tuning_source, -- The table that the tuning comes from; NULL where the unit has none
    a.pref_ori_deg, -- Preferred orientation, 0 to 180; 0 = vertical bar moving right, counter-clockwise [deg]
    a.pref_dir_deg, -- Preferred direction, 0 to 360; 0 = vertical bar moving right, counter-clockwise [deg]
    a.pref_ori_rad, -- As functional_properties_v3_bcm has it; 0 = horizontal bar moving up, clockwise; else NULL [rad]
    a.pref_dir_rad, -- As functional_properties_v3_bcm has it; 0 = horizontal bar moving up, clockwise; else NULL [rad]
    a."gOSI", -- Global orientation selectivity index, 0 to 1
    a."gDSI", -- Global direction selectivity index, 0 to 1
    a."OSI", -- Orientation selectivity index, 0 to 1
    a."DSI", -- Direction selectivity index, 0 to 1
    a.cc_abs, -- Correlation of the model's prediction with the mean response (test set)
    a.cc_max, -- Upper bound of cc_abs that the response's variability allows
    a.cc_norm, -- cc_abs / cc_max; missing where cc_max is 0
    a.readout_loc_x, -- Receptive field centre, horizontal, -1 (left) to 1 (right) of the monitor
    a.readout_loc_y -- Receptive field centre, vertical, -1 (bottom) to 1 (top) of the monitor
FROM answers AS a
QUALIFY row_number() OVER (PARTITION BY a.session, a.scan_idx, a.unit_id ORDER BY a.rank ASC, a.id DESC) = 1
