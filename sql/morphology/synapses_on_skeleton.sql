-- Where on their cells the synapses of one or several cells sit, one row per cell, synapse and side.
--
-- Takes root ids or nucleus ids of cells whose skeletons are here. Each synapse goes to the nearest point of the skeleton
-- of its own cell, measured in space from the point on that cell's side of the cleft (post for an input, pre for an
-- output); compartment and way to the soma are that point's. `skeleton_distance_um` says how far it is: half a micrometre
-- to two for a synapse on a shaft or a spine, up to the radius of the soma for one on the soma. A synapse with no point
-- within `within_um` keeps its row, with NULL.
--
-- Limits: nearest in space is not nearest along the membrane. Where the axon passes its own dendrite or soma within a few
-- micrometres the wrong one can win; near the soma, where the skeleton is one point for some 7.5 um, a synapse on the
-- soma can go to the first point of a branch. Look at `skeleton_distance_um` before you trust a single synapse.
--
-- `side` is 'both', 'input' or 'output'; 'in' and 'out' mean the same. Inputs need all synapses; where only the outputs of
-- proofread axons are here, ask for 'output'. Autapses are on both sides and flagged.
-- grain: pt_root_id, id, side
-- requires: skeleton_vertices, synapses_pni_2, nucleus_detection_v0
-- scope: all, proofread, cells
-- macro: synapses_on_skeleton(ids, side := 'both', within_um := 15)
-- example: SELECT side, compartment, count(*) AS n_syn, round(median(skeleton_distance_um), 1) AS median_distance_um
--     FROM synapses_on_skeleton(424569) GROUP BY ALL ORDER BY ALL
-- warning: outputs of axons that were not proofread are not to be interpreted
-- cite: microns2025, turner2022, cave2025
WITH somata AS MATERIALIZED (
    SELECT
        CASE
            WHEN h.pt_root_id IS NULL
                THEN error(
                    'the skeleton of ' || r.root || ' is not here; fetch it with: microns snapshot ' || _version()
                    || ' --skeletons ' || r.root
                )
            WHEN within_um >= 0.01 THEN r.root
            ELSE error('within_um is a distance of 0.01 um or more, not ' || coalesce(within_um::VARCHAR, 'NULL'))
        END AS root,
        r.is_complete
    FROM _roots(ids) AS r
    LEFT JOIN (SELECT DISTINCT pt_root_id FROM cable_length) AS h ON h.pt_root_id = r.root
),

dendrites AS MATERIALIZED (
    SELECT
        CASE
            WHEN _synapse_scope() = 'proofread'
                THEN error(
                    'the inputs of ' || c.root || ' are not all here: v' || _version() || ' holds only the outputs of '
                    || 'proofread axons; ask with side := ''output'', or ' || _way_out(c.root)
                )
            ELSE _in_scope_inputs(c.root, c.is_complete)
        END AS root,
        unnest(_buckets_onto(c.root)) AS b
    FROM somata AS c
    WHERE _one_of(_side(side), 'side', ['both', 'input', 'output']) <> 'output'
),

placed AS MATERIALIZED (
    SELECT
        s.id,
        'input' AS side, -- Which side of the synapse is on the cell: input (the cell receives) or output
        s.post_pt_root_id AS pt_root_id,
        s.pre_pt_root_id AS partner_pt_root_id, -- The segment on the other side of the cleft
        s.size,
        s.is_autapse,
        coalesce(s.post_pt_position_x, s.ctr_pt_position_x) * _voxel_x_nm('synapses_pni_2') AS x_nm, -- The point that was placed, x [nm]
        coalesce(s.post_pt_position_y, s.ctr_pt_position_y) * _voxel_y_nm('synapses_pni_2') AS y_nm, -- The point that was placed, y [nm]
        coalesce(s.post_pt_position_z, s.ctr_pt_position_z) * _voxel_z_nm('synapses_pni_2') AS z_nm, -- The point that was placed, z [nm]
        CASE
            WHEN s.post_pt_position_x IS NOT NULL THEN 'side'
            WHEN s.ctr_pt_position_x IS NOT NULL THEN 'centre'
        END AS point_source -- Which point was placed: side (on the cell's side of the cleft), or centre, where only that is here
    FROM _synapses_by_post AS s
    JOIN dendrites AS d ON d.b = s.b AND d.root = s.post_pt_root_id
    WHERE _is_live(s.pre_pt_root_id, s.id, s.b)
    UNION ALL
    SELECT
        s.id,
        'output',
        s.pre_pt_root_id,
        s.post_pt_root_id,
        s.size,
        s.is_autapse,
        coalesce(s.pre_pt_position_x, s.ctr_pt_position_x) * _voxel_x_nm('synapses_pni_2'),
        coalesce(s.pre_pt_position_y, s.ctr_pt_position_y) * _voxel_y_nm('synapses_pni_2'),
        coalesce(s.pre_pt_position_z, s.ctr_pt_position_z) * _voxel_z_nm('synapses_pni_2'),
        CASE WHEN s.pre_pt_position_x IS NOT NULL THEN 'side' WHEN s.ctr_pt_position_x IS NOT NULL THEN 'centre' END
    FROM _synapses_from(([ids])[:(_side(side) <> 'input')::INTEGER]) AS s
),

-- Bins as wide as the search: whatever is within reach of a point lies in one of the eight that its corners are in.
corners AS (
    SELECT
        p.*,
        floor((p.x_nm + i.step * within_um * 1000) / (within_um * 2000))::INTEGER AS x_bin,
        floor((p.y_nm + j.step * within_um * 1000) / (within_um * 2000))::INTEGER AS y_bin,
        floor((p.z_nm + k.step * within_um * 1000) / (within_um * 2000))::INTEGER AS z_bin
    FROM placed AS p
    CROSS JOIN (VALUES (-1), (1)) AS i (step)
    CROSS JOIN (VALUES (-1), (1)) AS j (step)
    CROSS JOIN (VALUES (-1), (1)) AS k (step)
),

vertices AS (
    SELECT
        v.*,
        floor(v.x_nm / (within_um * 2000))::INTEGER AS x_bin,
        floor(v.y_nm / (within_um * 2000))::INTEGER AS y_bin,
        floor(v.z_nm / (within_um * 2000))::INTEGER AS z_bin
    FROM skeletons AS v
    JOIN somata AS c ON c.root = v.pt_root_id
),

nearest AS (
    SELECT
        n.pt_root_id,
        n.id,
        n.side,
        min(
            n.skeleton_distance_um
        ) AS skeleton_distance_um, -- Distance to the nearest point of the skeleton; NULL if none is within reach [um]
        arg_min(n.vertex, (n.skeleton_distance_um, n.vertex)) AS vertex -- The nearest point of the skeleton; NULL if none is within reach
    FROM (
        SELECT
            p.pt_root_id,
            p.id,
            p.side,
            v.vertex,
            sqrt(_squared(p.x_nm - v.x_nm) + _squared(p.y_nm - v.y_nm) + _squared(p.z_nm - v.z_nm)) / 1000 AS skeleton_distance_um
        FROM corners AS p
        JOIN vertices AS v
            ON
                v.pt_root_id = p.pt_root_id AND v.x_bin = p.x_bin AND v.y_bin = p.y_bin AND v.z_bin = p.z_bin
    ) AS n
    WHERE n.skeleton_distance_um <= within_um
    GROUP BY n.pt_root_id, n.id, n.side
)

SELECT
    p.id,
    p.side,
    p.pt_root_id, -- The cell
    p.partner_pt_root_id,
    p.size,
    p.is_autapse,
    p.x_nm,
    p.y_nm,
    p.z_nm,
    p.point_source,
    depth_um(p.x_nm, p.y_nm) AS depth_um, -- Depth of this point below the pia, negative above it [um]
    _across_um(p.x_nm, p.y_nm) AS across_um, -- Place of this point along the pia, at right angles to depth and z [um]
    n.vertex,
    n.skeleton_distance_um,
    v.compartment, -- Where the nearest point is: soma, axon, dendrite, apical dendrite
    v.path_um -- Length of the way from the nearest point to the soma [um]
FROM placed AS p
LEFT JOIN nearest AS n ON n.pt_root_id = p.pt_root_id AND n.id = p.id AND n.side = p.side
LEFT JOIN vertices AS v ON v.pt_root_id = n.pt_root_id AND v.vertex = n.vertex
