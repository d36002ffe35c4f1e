-- The segments that the ids of an argument stand for, one row per segment; an id that stands for none is an error.
--
-- The error comes out of the key that others join on: there no filter, LIMIT or count(*) of the asker can remove it.
-- grain: root
-- macro: _roots(ids)
SELECT
    CASE WHEN c.problem IS NULL THEN c.root ELSE error(c.problem) END AS root, -- The segment in this version
    max(c.n_nuclei) AS n_nuclei, -- Number of nuclei on the segment: 0 = orphan piece, 1 = a cell, more = merged cells
    bool_or(c.is_sender) AS is_sender, -- Whether its outputs are in `_axon_synapses`
    bool_or(c.axon_proofread) AS axon_proofread, -- Whether the axon was proofread
    bool_or(f.pt_root_id IS NOT NULL) AS is_complete -- Whether all its synapses are here although others' are not
FROM _checked(ids) AS c
LEFT JOIN _complete_roots AS f ON f.pt_root_id = c.root
GROUP BY ALL
LIMIT 1000000
