-- Number and mean size of the synapses of every segment, unfiltered: CAVE's view of this name, one row per segment.
--
-- It has CAVE's columns, for code that was written against CAVE. Nothing is left out: autapses count on both sides,
-- and roots 0 and 1, which are no segments, have rows. A number of synapses is not a number of partners, and most
-- segments are orphan pieces: for cells see `in_out_degree`. If CAVE's own table was fetched, it is in the version's
-- `_cave` schema.
--
-- Slow: a filter on `root_id` reads the presynaptic ids of all synapses.
-- grain: root_id
-- scope: all
-- requires: synapses_pni_2
-- warning: roots 0 and 1 are not segments: leave them out of every distribution
-- cite: microns2025, turner2022
-- questions: Q33
-- example: FROM synapses_pni_2_in_out_degree WHERE root_id > 1 ORDER BY n_input DESC NULLS LAST, root_id LIMIT 3
WITH sides AS (
    SELECT
        s.post_pt_root_id AS root_id,
        s.size AS input_size,
        NULL AS output_size
    FROM synapses_pni_2 AS s
    UNION ALL
    SELECT
        s.pre_pt_root_id,
        NULL,
        s.size
    FROM synapses_pni_2 AS s
)

SELECT
    s.root_id, -- Segment in this version
    nullif(count(s.input_size), 0) AS n_input, -- Number of input synapses; NULL without one
    avg(s.input_size) AS avg_input_size, -- Mean cleft size of the inputs [voxel]
    nullif(count(s.output_size), 0) AS n_output, -- Number of output synapses; NULL without one
    avg(s.output_size) AS avg_output_size -- Mean cleft size of the outputs [voxel]
FROM sides AS s
GROUP BY s.root_id
