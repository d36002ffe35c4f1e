-- Connected ordered pairs of cells, the presynaptic axon proofread, one row per pair.
-- grain: pre_nucleus_id, post_nucleus_id
SELECT
    s.pre_nucleus_id,
    s.post_nucleus_id,
    count(*) AS n_syn, -- Number of synapses of the pair
    sum(s.size)::BIGINT AS sum_size -- Summed cleft size of the pair's synapses [voxel]
FROM _cell_outputs AS s
GROUP BY s.pre_nucleus_id, s.post_nucleus_id
