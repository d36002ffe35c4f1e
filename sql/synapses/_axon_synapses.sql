-- Synapses that leave a cell or a proofread axon, sorted by the axon, one row per cleft.
--
-- Some six in a hundred of all synapses, but all those whose presynaptic side is somebody: what an axon sends out is
-- found here without reading the whole table, which is sorted by the receiving side.
-- grain: id
-- requires: synapses_pni_2
-- store: pre_pt_root_id, id
WITH axons AS (
    SELECT pt_root_id FROM _nuclei
    UNION
    SELECT pt_root_id FROM _proofreading
)

SELECT s.*
FROM synapses_pni_2 AS s
SEMI JOIN axons AS a ON a.pt_root_id = s.pre_pt_root_id
WHERE s.pre_pt_root_id NOT IN (0, 1)
