-- Synapses between two different segments: those that count as a connection.
-- grain: id
-- requires: synapses_pni_2
SELECT
    s.id,
    s.pre_pt_root_id, -- Presynaptic segment in this version; never 0 or 1
    s.post_pt_root_id, -- Postsynaptic segment in this version; never 0 or 1
    s.size
FROM synapses AS s
WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1) AND s.post_pt_root_id NOT IN (0, 1)
