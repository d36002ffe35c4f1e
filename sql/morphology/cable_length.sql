-- How long a cell's axon and dendrites are, one row per cell and compartment.
--
-- The sum of the edges of its skeleton. The soma has no length of its own: what leaves it begins with the first point
-- outside, some 7.5 um from the centre, and the edge to that point counts with it. A cell without a row has no skeleton
-- in this warehouse; fetch it with `microns snapshot VERSION --skeletons ROOT`.
-- grain: pt_root_id, compartment
-- requires: skeleton_vertices
-- store: pt_root_id, compartment
-- warning: the axon's length means something only where the axon was proofread, and how much depends on `strategy_axon`
-- warning: cable beyond the volume's faces is not there; compare cells far from them (`edge_distance_um` of `cells`)
-- cite: microns2025, cave2025
-- example: SELECT compartment, count(*) AS n_cells, round(median(cable_um)) AS median_cable_um FROM cable_length
--     GROUP BY ALL ORDER BY ALL
SELECT
    s.pt_root_id,
    coalesce(s.compartment, 'unknown') AS compartment, -- soma, axon, dendrite, apical dendrite; unknown where CAVE does not say
    count(*) AS n_vertices, -- Number of points
    sum(s.length_um) AS cable_um, -- Summed length of the edges; 0 for the soma [um]
    max(s.path_um) AS longest_path_um -- Longest way to the soma along the skeleton [um]
FROM skeletons AS s
GROUP BY ALL
