-- All synapses, sorted by the presynaptic segment where the layout is full: for the outputs of orphan pieces.
-- grain: id
-- requires: synapses_pni_2
-- store: pre_pt_root_id, id
-- layout: full
SELECT s.*
FROM synapses_pni_2 AS s
