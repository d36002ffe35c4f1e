-- What is known of each id of a list, one row per distinct id: the way to look over a list before using it.
--
-- Takes root ids and nucleus ids, as numbers, text or lists, mixed as they come. All other macros refuse a list with one
-- wrong id and say the same sentence; here it stands in `problem`, so that one sees all of them at once. A root id
-- is known if it is a cell's, a proofread segment's, or occurs in the synapse table. `moved_to_root_id` translates ids of
-- other local versions: a cell's through its nucleus, any other one's through its synapses (see `root_lineage`).
-- grain: id
-- macro: check_ids(ids)
-- example: FROM check_ids([424569, 864691135572530981]) WHERE problem IS NOT NULL
-- cite: cave2025
-- questions: Q10, Q12
SELECT
    c.id,
    c.root AS pt_root_id, -- Its segment in this version; NULL if it has none
    CASE
        WHEN c.root IS NOT NULL THEN c.n_nuclei
    END AS n_nuclei_on_root, -- Number of nuclei on the segment: 0 = orphan piece, 1 = a cell, more = merged cells
    CASE WHEN c.n_nuclei <= 1 OR c.id = c.nucleus_id THEN c.nucleus_id END AS nucleus_id, -- The cell, if it is one
    CASE
        WHEN _has_proofreading() THEN c.axon_proofread
    END AS axon_proofread, -- Whether the axon was proofread, so that its outputs may be analysed; NULL without a table of proofreading
    c.moved_to_root_id,
    c.problem
FROM _checked(ids) AS c
