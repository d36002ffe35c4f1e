-- Which root became which root between two local versions, for any segment that has a synapse, cell or not.
--
-- An old root with several new ones was split; a new root with
-- several old ones was merged. It is found through the synapses that both versions have here: a segment without any is not
-- listed, nor are roots that are the same in both.
-- grain: version_a, version_b, pt_root_id_a, pt_root_id_b
-- cite: cave2025
-- questions: Q10, Q11
-- example: FROM root_lineage ORDER BY n_sides DESC, pt_root_id_a LIMIT 4
SELECT
    l.version_a,
    l.version_b,
    l.pt_root_id_a,
    l.pt_root_id_b,
    l.n_sides
FROM _lineages AS l
