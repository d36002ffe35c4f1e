-- The skeletons of chosen cells: a cell's shape as a tree of points, one row per point and its edge towards the soma.
--
-- From CAVE's skeleton service; here are the cells that were asked for (`microns snapshot VERSION --skeletons ...`), see
-- `cable_length` for which. Each point knows the next one towards the soma (`parent_vertex`), so a row is also an edge
-- of the length `length_um`; the sum of these is the cable. Within 7.5 um of the centre of the soma all is one point,
-- the only one with compartment `soma`. Fast: a filter on `pt_root_id`, by which the rows are sorted.
--
-- Axon and dendrite are told apart by a rule on where synapses come in and go out, branch by branch; nobody looked at
-- them. The radius is that of a cylinder with the volume of the piece of segmentation there.
-- grain: pt_root_id, vertex
-- requires: skeleton_vertices
-- warning: the axon of a cell that was not proofread is incomplete, and may hold pieces of other cells
-- warning: cable beyond the volume's faces is not there; compare cells far from them (`edge_distance_um` of `cells`)
-- cite: microns2025, cave2025
-- example: SELECT vertex, parent_vertex, compartment, length_um, path_um FROM skeletons WHERE vertex < 3
--     ORDER BY pt_root_id, vertex LIMIT 3
SELECT
    s.pt_root_id,
    s.vertex,
    s.parent_vertex,
    CASE s.compartment_code WHEN 1 THEN 'soma' WHEN 2 THEN 'axon' WHEN 3 THEN 'dendrite' WHEN 4 THEN 'apical dendrite' END
        AS compartment, -- soma (one point), axon, dendrite, apical dendrite; NULL where CAVE does not say
    s.x_nm,
    s.y_nm,
    s.z_nm,
    depth_um(s.x_nm, s.y_nm) AS depth_um, -- Depth below the pia, negative above it [um]
    _across_um(s.x_nm, s.y_nm) AS across_um, -- Place along the pia, at right angles to depth and z [um]
    s.radius_nm,
    s.length_nm / 1000 AS length_um, -- Length of the edge to the parent; 0 without one [um]
    s.path_nm / 1000 AS path_um -- Length of the way to the soma along the skeleton; NULL in a piece that hangs on nothing [um]
FROM skeleton_vertices AS s
