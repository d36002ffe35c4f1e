-- The best recorded unit of each cell that was matched to function, one row per nucleus.
--
-- A nucleus has several units, one for each scan in which it was recorded and for each method that matched it. The method
-- decides first, by hand before combined (both automatic methods agree) before automatic before vessel.
-- Among the units of that method the one that the model predicts best (highest cc_abs), then highest cc_max, then
-- smallest residual, then the earliest session, scan and unit. Keeping only match_source = 'manual' gives what the manual table
-- alone would give.
--
-- Bias: the highest of several noisy scores is too high, the more so the more scans a cell has (`n_units`), and cells that
-- respond reliably are over-represented once cc_abs is thresholded. Compare scores only between cells with as many
-- units, or take all units from `functional_units`.
-- grain: nucleus_id
-- requires: coregistration_manual_v4 or coregistration_auto_phase3_fwd_v2 or apl_functional_coreg_vess_fwd
--     or coregistration_auto_phase3_fwd_apl_vess_combined_v2
-- warning: join with connections only where is_single_soma holds, else a merged cell's synapses count as tuned
-- warning: n_nuclei_of_unit above 1: the tables give the unit to different cells; n_cells_of_unit above 1: it is here twice
-- cite: microns2025, ding2025, wang2025
-- questions: Q55, Q56
-- example: SELECT match_source, count(*) AS n_cells, round(avg(cc_abs), 3) AS cc_abs FROM functional_best GROUP BY ALL ORDER BY ALL
WITH ranked AS (
    SELECT
        *,
        list_position(['manual', 'combined', 'automatic', 'vessel'], match_source) AS rank,
        readout_loc_x - avg(readout_loc_x) OVER (PARTITION BY session, scan_idx, match_source) AS readout_in_scan_x,
        readout_loc_y - avg(readout_loc_y) OVER (PARTITION BY session, scan_idx, match_source) AS readout_in_scan_y,
        count(*) OVER (PARTITION BY nucleus_id, match_source) AS n_units
    FROM functional_units
),

best AS (
    SELECT *
    FROM ranked
    QUALIFY row_number() OVER (
        PARTITION BY nucleus_id
        ORDER BY
            rank ASC, cc_abs DESC NULLS LAST, cc_max DESC NULLS LAST, residual_um ASC NULLS LAST,
            session ASC, scan_idx ASC, unit_id ASC
    ) = 1
)

SELECT
    b.nucleus_id, -- The matched cell: `id` in nucleus_detection_v0
    b.pt_root_id, -- Segment of the cell in this version; 0 and 1 mean none
    c.is_single_soma, -- Whether the cell has a segment with no other nucleus on it
    b.session, -- Recording session; part of the unit's key
    b.scan_idx, -- Scan within the session; part of the unit's key
    b.unit_id, -- Unit (segmented cell) within the scan; part of the unit's key
    b.match_source, -- How it was matched: manual, combined (both automatic methods agree), automatic (landmarks), vessel
    b.n_units, -- Number of the cell's units by this method, of which this is the best
    b.n_nuclei_of_unit,
    count(*) OVER (
        PARTITION BY b.session, b.scan_idx, b.unit_id
    ) AS n_cells_of_unit, -- Number of cells here that have this unit as their best; above 1 at most one is right
    b.field, -- Imaging field (plane) of the scan
    b.residual_um, -- Distance between unit and nucleus after registration; smaller is better [um]
    b.score_um, -- Margin to the next best match; larger is better, may be negative [um]
    b.tuning_source, -- The table that the tuning comes from; NULL where the unit has none
    b.pref_ori_deg, -- Preferred orientation, 0 to 180; 0 = vertical bar moving right, counter-clockwise [deg]
    b.pref_dir_deg, -- Preferred direction, 0 to 360; 0 = vertical bar moving right, counter-clockwise [deg]
    b."gOSI", -- Global orientation selectivity index, 0 to 1
    b."gDSI", -- Global direction selectivity index, 0 to 1
    b."OSI", -- Orientation selectivity index, 0 to 1
    b."DSI", -- Direction selectivity index, 0 to 1
    b.cc_abs, -- Correlation of the model's prediction with the mean response (test set)
    b.cc_max, -- Upper bound of cc_abs that the response's variability allows
    b.cc_norm, -- cc_abs / cc_max; missing where cc_max is 0
    b.readout_loc_x, -- Receptive field centre, horizontal, -1 (left) to 1 (right) of the monitor
    b.readout_loc_y, -- Receptive field centre, vertical, -1 (bottom) to 1 (top) of the monitor
    b.readout_in_scan_x, -- The same relative to the mean of the scan's units, which takes the scan's gaze offset away
    b.readout_in_scan_y -- The same, vertical
FROM best AS b
LEFT JOIN cells AS c ON c.nucleus_id = b.nucleus_id
