-- Synapses whose presynaptic side is one of the segments, one row per cleft.
--
-- Cells and proofread axons are looked up in their rows sorted by axon, orphan pieces among all rows. One join finds both:
-- it opens the files of the buckets asked for, and none of all rows if there is no orphan piece among the ids.
-- grain: id
-- macro: _synapses_from(ids)
SELECT
    s.* EXCLUDE (b),
    s.pre_pt_root_id = s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1) AS is_autapse, -- Whether both sides are the same segment
    s.ctr_pt_position_x * _voxel_x_nm('synapses_pni_2') AS ctr_x_nm, -- The centre of the cleft, x [nm]
    s.ctr_pt_position_y * _voxel_y_nm('synapses_pni_2') AS ctr_y_nm, -- The centre of the cleft, y; grows away from the pia [nm]
    s.ctr_pt_position_z * _voxel_z_nm('synapses_pni_2') AS ctr_z_nm -- The centre of the cleft, z [nm]
FROM _rows_from AS s
JOIN (
    SELECT
        _in_scope(r.root, r.n_nuclei, r.axon_proofread, r.is_complete) AS root,
        unnest(_buckets_from(r.root, r.is_sender, r.axon_proofread)) AS b
    FROM _roots(ids) AS r
) AS a ON a.b = s.b AND a.root = s.pre_pt_root_id
WHERE _is_live(s.post_pt_root_id, s.id, s.b)
