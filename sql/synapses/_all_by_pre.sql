-- All synapses, sorted by the presynaptic segment if the layout is full: for the outputs of orphan pieces.
-- grain: id
-- requires: synapses_pni_2
-- store: pre_pt_root_id, id
-- row_group: 122880
-- buckets: kept
-- layout: full
SELECT
    s.*,
    _piece_bucket(s.pre_pt_root_id) AS b -- Number of the bucket that the presynaptic segment is in
FROM synapses_pni_2 AS s
