-- Which root became which root between two local versions, for any segment that has a synapse, cell or not.
--
-- An old root with several new ones was split; a new root with
-- several old ones was merged. It is found through the synapses that both versions have here: a segment without any is not
-- listed, nor are roots that are the same in both.
-- grain: old_version, new_version, old_root, new_root
-- cite: cave2025
-- questions: Q10, Q11
-- example: FROM root_lineage ORDER BY n_sides DESC, old_root LIMIT 4
SELECT
    l.old_version,
    l.new_version,
    l.old_root,
    l.new_root,
    l.n_sides
FROM _lineages AS l
