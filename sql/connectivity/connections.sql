-- Connected pairs of segments, one row per ordered pair.
--
-- All synapses of a pair are counted; there is no threshold. Autapses and sides without a segment (roots 0 and 1) are
-- left out. Number, summed size and mean size answer different questions: a sum of sizes is not a number of synapses.
-- Segments need not be cells: see `connections_typed`.
--
-- Fast: a filter on `post_pt_root_id` by a value or a list, or a join with few cells. These open few files. Slow: `IN
-- (SELECT ...)`, because DuckDB 2 forms all pairs first; a filter on `pre_pt_root_id`, because it reads the ids of all
-- synapses. Without a filter all pairs are formed. For the whole volume that takes minutes and much memory.
-- grain: pre_pt_root_id, post_pt_root_id
-- requires: synapses_pni_2
-- warning: outputs of axons that were not proofread are not to be interpreted, see `connections_proofread`
-- cite: microns2025, turner2022
-- questions: Q20, Q21, Q26
-- example: SELECT n_syn, count(*) AS n_pairs FROM connections GROUP BY ALL ORDER BY ALL LIMIT 4
SELECT
    s.pre_pt_root_id,
    s.post_pt_root_id,
    count(*) AS n_syn, -- Number of synapses of the pair
    sum(s.size)::BIGINT AS sum_size, -- Summed cleft size of the pair's synapses [voxel]
    avg(s.size) AS mean_size, -- Mean cleft size of the pair's synapses [voxel]
    _outputs_here(s.pre_pt_root_id) AS pre_is_complete, -- Whether all outputs of the presynaptic segment are here
    _inputs_here(s.post_pt_root_id) AS post_is_complete -- Whether all inputs of the postsynaptic segment are here; if not, never count them
FROM _partner_synapses AS s
GROUP BY s.pre_pt_root_id, s.post_pt_root_id
