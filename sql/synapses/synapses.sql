-- Automatically detected synapses, one row per cleft.
--
-- Nobody looked at them one by one: which share of the rows are synapses (precision), and which share of the synapses are
-- here (recall), stands in `dataset_constants`. `size` is the number of voxels of the cleft as detected; it grows with the
-- area of the synapse, and is the usual stand-in for its strength.
--
-- Nothing is left out: synapses of a segment onto itself (`is_autapse`), which are mostly errors of segmentation, and
-- synapses whose one side lies in no segment (root 0 or 1) are here; `connections` leaves both out. Fast: a filter on
-- `post_pt_root_id`, by which the files are sorted. A filter on `pre_pt_root_id` reads the whole column; in a snapshot
-- of proofread outputs that is seconds at most, in one of all synapses it takes longer.
-- grain: id
-- requires: synapses_pni_2
-- warning: outputs of axons that were not proofread are not to be interpreted, see `proofreading`
-- warning: most presynaptic segments are orphan pieces of axon: a segment is not a cell
-- cite: microns2025, turner2022
-- questions: Q20, Q28, Q50
-- example: SELECT is_autapse, count(*) AS n, median(size) AS median_size FROM synapses GROUP BY ALL ORDER BY ALL
SELECT
    s.*,
    s.pre_pt_root_id = s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1) AS is_autapse, -- Whether both sides are the same segment
    s.ctr_pt_position_x * _voxel_x_nm('synapses_pni_2') AS ctr_x_nm, -- The centre of the cleft, x [nm]
    s.ctr_pt_position_y * _voxel_y_nm('synapses_pni_2') AS ctr_y_nm, -- The centre of the cleft, y; grows away from the pia [nm]
    s.ctr_pt_position_z * _voxel_z_nm('synapses_pni_2') AS ctr_z_nm, -- The centre of the cleft, z [nm]
    _outputs_here(s.pre_pt_root_id) AS pre_is_complete, -- Whether all outputs of the presynaptic segment are here
    _inputs_here(s.post_pt_root_id) AS post_is_complete -- Whether all inputs of the postsynaptic segment are here; if not, never count them
FROM synapses_pni_2 AS s
