-- What segments with a nucleus receive from other segments, one row per segment that receives anything.
--
-- Counting the segments that 337 million synapses come from takes 10 GB at once. Bucket by bucket it takes little.
-- grain: pt_root_id
-- store: pt_root_id
-- buckets: made
-- scope: all
-- requires: synapses_pni_2, nucleus_detection_v0
SELECT
    s.post_pt_root_id AS pt_root_id, -- Segment in this version
    count(*) AS n_syn, -- Number of synapses
    count(DISTINCT s.pre_pt_root_id) AS n_segments, -- Number of segments they come from
    sum(s.size)::BIGINT AS sum_size -- Their summed cleft size [voxel]
FROM synapses_pni_2 AS s
SEMI JOIN _root_nuclei AS r ON r.pt_root_id = s.post_pt_root_id
WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1)
GROUP BY s.post_pt_root_id
