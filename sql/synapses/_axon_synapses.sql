-- Synapses that leave a cell or a proofread axon, sorted by the axon, one row per cleft.
--
-- Some six in a hundred of all synapses, but all those whose presynaptic side is somebody: what an axon sends out is
-- found here without reading the whole table, which is sorted by the receiving side.
-- grain: id
-- requires: synapses_pni_2
-- store: pre_pt_root_id, id
-- buckets: kept
WITH axons AS (
    SELECT pt_root_id FROM _nuclei
    UNION
    SELECT pt_root_id FROM _proofreading
)

SELECT
    s.*,
    a.b -- Number of the bucket that the presynaptic segment is in
FROM synapses_pni_2 AS s
JOIN (
    SELECT
        x.pt_root_id,
        _bucket_of(x.pt_root_id) AS b
    FROM axons AS x
    WHERE x.pt_root_id NOT IN (0, 1)
) AS a ON a.pt_root_id = s.pre_pt_root_id
