-- Synapses whose presynaptic side is one of the segments, one row per cleft.
--
-- Cells and proofread axons are looked up in their rows sorted by axon, orphan pieces in the whole table; that is not
-- touched if there is no orphan piece among the ids.
-- grain: id
-- macro: _synapses_from(ids)
WITH axons AS MATERIALIZED (
    SELECT
        _in_scope(r.root, r.n_nuclei, r.axon_proofread, r.is_complete) AS root,
        r.is_sender
    FROM _roots(ids) AS r
),

orphans AS MATERIALIZED (
    SELECT a.root
    FROM axons AS a
    WHERE NOT a.is_sender
)

SELECT s.*
FROM _synapses_by_pre AS s
JOIN axons AS a ON a.root = s.pre_pt_root_id
UNION ALL
SELECT s.*
FROM _orphan_synapses AS s
JOIN orphans AS o ON o.root = s.pre_pt_root_id
