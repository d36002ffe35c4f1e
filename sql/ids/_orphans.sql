-- The segments that occur in the synapse table and are no cell: orphan pieces of axon and dendrite, one row per segment.
--
-- Some seventy million in the whole volume, in one column: an id that is no cell's is looked up here. Other root ids are
-- not known, although some segment without a synapse may have them.
-- grain: root
-- requires: nucleus_detection_v0
-- store: root
-- row_group: 1048576
WITH segments AS (
    SELECT s.pre_pt_root_id AS root FROM synapses_pni_2 AS s
    UNION
    SELECT s.post_pt_root_id FROM synapses_pni_2 AS s
)

SELECT s.root -- Segment in this version
FROM segments AS s
ANTI JOIN _id_index AS k ON k.id = s.root
WHERE s.root NOT IN (0, 1)
