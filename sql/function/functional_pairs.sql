-- How similar pairs of recorded cells are in tuning, connected or not, one row per ordered pair that could connect.
--
-- The presynaptic cell has a proofread axon; both are matched to function and alone on their segment; all ordered pairs of
-- such cells are here, also those without a synapse (n_syn = 0), which are the controls: compare connected with
-- unconnected pairs of the same presynaptic cell, in the same area (`is_same_area`) and at like distance.
-- One unit stands for each cell, see `functional_best`. Differences of angles are folded on the circle. NULL means that one
-- of the two has no such value.
--
-- What this does not hold: the published like-to-like result (ding2025) rests on signal correlations between predicted
-- responses, and on controls whose dendrite runs close enough to the axon to be met (axon-dendrite proximity). Neither is
-- in CAVE. A table of your own with either, put under local/, joins by nucleus ids. With orientation alone the published
-- difference to same-area pairs was not significant. It also kept only presynaptic cells with at least 10 synapses onto
-- recorded cells (`pre_n_syn`), and cells above a quality of recording: filter by both ends' cc_abs and cc_max; no
-- threshold is set here.
-- grain: pre_nucleus_id, post_nucleus_id
-- scope: all, proofread, neurons
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release,
--     coregistration_manual_v4 or coregistration_auto_phase3_fwd_v2 or apl_functional_coreg_vess_fwd
--     or coregistration_auto_phase3_fwd_apl_vess_combined_v2
-- warning: pairs share cells and are not independent: test by presynaptic cell, not by pair
-- warning: a pair that is not connected may be one whose synapse lies beyond the proofread axon: see pre_strategy_axon
-- warning: where is_same_tuning_source is false the two values come from different models: leave such pairs out
-- warning: readout differences between scans hold the gaze offset of each scan; those "in scan" are relative to its mean
-- cite: ding2025, microns2025, wang2025
-- questions: Q57, Q58, Q59, Q60, Q62
-- example: SELECT is_connected, count(*) AS n_pairs, round(avg(delta_ori_deg), 1) AS delta_ori_deg FROM functional_pairs
--     WHERE is_same_area AND is_same_tuning_source GROUP BY ALL ORDER BY ALL
WITH linked AS NOT MATERIALIZED (
    SELECT
        pre.nucleus_id AS pre_nucleus_id,
        post.nucleus_id AS post_nucleus_id,
        count(*) AS n_syn,
        sum(s.size)::BIGINT AS sum_size
    FROM _axon_synapses AS s
    JOIN _tuned_cells AS pre ON pre.pt_root_id = s.pre_pt_root_id AND pre.axon_proofread
    JOIN _tuned_cells AS post ON post.pt_root_id = s.post_pt_root_id AND post.nucleus_id <> pre.nucleus_id
    WHERE s.b = _proofread_bucket()
    GROUP BY pre.nucleus_id, post.nucleus_id
),

-- Apart, for a window would carry all columns of millions of pairs along and keep filters from being used early. And
-- `linked` is not kept between its two uses, for above a CTE that it keeps DuckDB leaves no column out.
sent AS (
    SELECT
        pre_nucleus_id,
        sum(n_syn)::BIGINT AS n_syn
    FROM linked
    GROUP BY pre_nucleus_id
)

SELECT
    pre.nucleus_id AS pre_nucleus_id, -- The presynaptic cell
    post.nucleus_id AS post_nucleus_id, -- The postsynaptic cell
    pre.pt_root_id AS pre_pt_root_id, -- Segment of the presynaptic cell in this version
    post.pt_root_id AS post_pt_root_id, -- Segment of the postsynaptic cell in this version
    pre.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread
    pre.is_current AS pre_is_current, -- Whether the presynaptic segment is still the one that was proofread
    k.n_syn IS NOT NULL AS is_connected, -- Whether there is at least one synapse
    coalesce(k.n_syn, 0) AS n_syn, -- Number of synapses of the pair
    coalesce(k.sum_size, 0) AS sum_size, -- Summed cleft size of the pair's synapses [voxel]
    k.sum_size / k.n_syn AS mean_size, -- Mean cleft size of the pair's synapses, NULL without one [voxel]
    coalesce(t.n_syn, 0) AS pre_n_syn, -- Number of synapses of the presynaptic cell onto all recorded cells here
    fold_deg(
        pre.pref_ori_deg, post.pref_ori_deg, 180
    ) AS delta_ori_deg, -- Difference of preferred orientation, 0 to 90 [deg]
    fold_deg(
        pre.pref_dir_deg, post.pref_dir_deg, 360
    ) AS delta_dir_deg, -- Difference of preferred direction, 0 to 180 [deg]
    sqrt(
        _squared(post.readout_loc_x - pre.readout_loc_x) + _squared(post.readout_loc_y - pre.readout_loc_y)
    ) AS readout_distance, -- Distance of the receptive field centres; the monitor is 2 wide
    sqrt(
        _squared(post.readout_in_scan_x - pre.readout_in_scan_x) + _squared(post.readout_in_scan_y - pre.readout_in_scan_y)
    ) AS readout_distance_in_scan, -- The same, each centre relative to the mean of its scan
    pre.tuning_source = post.tuning_source AS is_same_tuning_source, -- Whether both tunings come from the same table
    pre.session = post.session AND pre.scan_idx = post.scan_idx AS is_same_scan, -- Whether both were recorded in the same scan
    pre.visual_area = post.visual_area AS is_same_area, -- Whether both somata lie in the same visual area
    pre.visual_area AS pre_visual_area, -- Visual area of the presynaptic soma
    post.visual_area AS post_visual_area, -- Visual area of the postsynaptic soma
    pre.layer AS pre_layer, -- Layer of the presynaptic soma
    post.layer AS post_layer, -- Layer of the postsynaptic soma
    pre.cell_class AS pre_cell_class, -- Class of the presynaptic cell
    post.cell_class AS post_cell_class, -- Class of the postsynaptic cell
    pre.cell_type AS pre_cell_type, -- Type of the presynaptic cell
    post.cell_type AS post_cell_type, -- Type of the postsynaptic cell
    distance_um(
        post.x_nm - pre.x_nm, post.y_nm - pre.y_nm, post.z_nm - pre.z_nm
    ) AS soma_distance_um, -- Distance between the two nuclei [um]
    lateral_um(
        post.x_nm - pre.x_nm, post.y_nm - pre.y_nm, post.z_nm - pre.z_nm
    ) AS soma_lateral_um, -- The same along the cortical sheet, without depth [um]
    pre.match_source AS pre_match_source, -- How the presynaptic cell was matched to its unit
    pre.n_nuclei_of_unit AS pre_n_nuclei_of_unit, -- Number of nuclei that the methods match the presynaptic unit to; above 1 they disagree
    pre.pref_ori_deg AS pre_pref_ori_deg, -- Preferred orientation of the presynaptic unit, 0 to 180 [deg]
    pre.pref_dir_deg AS pre_pref_dir_deg, -- Preferred direction of the presynaptic unit, 0 to 360 [deg]
    pre."gOSI" AS "pre_gOSI", -- Global orientation selectivity of the presynaptic unit, 0 to 1
    pre."gDSI" AS "pre_gDSI", -- Global direction selectivity of the presynaptic unit, 0 to 1
    pre.cc_abs AS pre_cc_abs, -- How well the model predicts the presynaptic unit (test set)
    pre.cc_max AS pre_cc_max, -- Upper bound of cc_abs of the presynaptic unit
    post.match_source AS post_match_source, -- How the postsynaptic cell was matched to its unit
    post.n_nuclei_of_unit AS post_n_nuclei_of_unit, -- Number of nuclei that methods match the postsynaptic unit to; above 1 they disagree
    post.pref_ori_deg AS post_pref_ori_deg, -- Preferred orientation of the postsynaptic unit, 0 to 180 [deg]
    post.pref_dir_deg AS post_pref_dir_deg, -- Preferred direction of the postsynaptic unit, 0 to 360 [deg]
    post."gOSI" AS "post_gOSI", -- Global orientation selectivity of the postsynaptic unit, 0 to 1
    post."gDSI" AS "post_gDSI", -- Global direction selectivity of the postsynaptic unit, 0 to 1
    post.cc_abs AS post_cc_abs, -- How well the model predicts the postsynaptic unit (test set)
    post.cc_max AS post_cc_max -- Upper bound of cc_abs of the postsynaptic unit
FROM _tuned_cells AS pre
JOIN _tuned_cells AS post ON post.nucleus_id <> pre.nucleus_id
LEFT JOIN linked AS k ON k.pre_nucleus_id = pre.nucleus_id AND k.post_nucleus_id = post.nucleus_id
LEFT JOIN sent AS t ON t.pre_nucleus_id = pre.nucleus_id
WHERE pre.axon_proofread
