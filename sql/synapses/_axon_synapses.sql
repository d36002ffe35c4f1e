-- Synapses that leave a cell or a proofread axon, sorted by the axon, one row per cleft.
--
-- Some six in a hundred of all synapses, but all those whose presynaptic side is somebody: what an axon sends out is
-- found here without reading the whole table, which is sorted by the receiving side. Those of proofread axons lie apart.
-- grain: id
-- requires: synapses_pni_2
-- store: pre_pt_root_id, id
-- buckets: kept
SELECT
    s.*,
    _axon_bucket(x.pt_root_id, a.pt_root_id IS NOT NULL) AS b -- Number of the bucket that the axon is in
FROM synapses_pni_2 AS s
JOIN (
    SELECT n.pt_root_id FROM _nuclei AS n
    UNION
    SELECT p.pt_root_id FROM _proofreading AS p
) AS x ON x.pt_root_id = s.pre_pt_root_id
LEFT JOIN _proofread_axons AS a ON a.pt_root_id = x.pt_root_id
WHERE s.pre_pt_root_id NOT IN (0, 1)
