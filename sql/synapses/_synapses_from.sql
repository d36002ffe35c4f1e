-- Synapses whose presynaptic side is one of the segments, one row per cleft.
--
-- Cells and proofread axons are looked up in their rows sorted by axon, orphan pieces in the whole table; that is not
-- touched if there is no orphan piece among the ids.
-- grain: id
-- macro: _synapses_from(ids)
WITH axons AS MATERIALIZED (
    SELECT
        _in_scope(r.root, r.n_nuclei, r.axon_proofread, r.is_complete) AS root,
        _bucket_of(r.root) AS b,
        r.is_sender
    FROM _roots(ids) AS r
),

orphans AS MATERIALIZED (
    SELECT a.root
    FROM axons AS a
    WHERE NOT a.is_sender
)

SELECT
    s.*,
    s.pre_pt_root_id = s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1) AS is_autapse, -- Whether both sides are the same segment
    s.ctr_pt_position_x * _voxel_x_nm() AS ctr_x_nm, -- The centre of the cleft, x [nm]
    s.ctr_pt_position_y * _voxel_y_nm() AS ctr_y_nm, -- The centre of the cleft, y; grows away from the pia [nm]
    s.ctr_pt_position_z * _voxel_z_nm() AS ctr_z_nm -- The centre of the cleft, z [nm]
FROM (
    SELECT s.* EXCLUDE (b)
    FROM _axon_synapses AS s
    JOIN axons AS a ON a.b = s.b AND a.root = s.pre_pt_root_id
    UNION ALL
    SELECT s.*
    FROM _all_by_pre AS s
    JOIN orphans AS o ON o.root = s.pre_pt_root_id
) AS s
