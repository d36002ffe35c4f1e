-- Segments with more than one nucleus: merged cells, one row per segment.
--
-- The synapses of such a segment cannot be given to one cell. Nuclei are counted in the table of nuclei, by look-up
-- root. Counting the rows of a cell type table misses a typed cell that is merged with an untyped one.
--
-- If a neuron is merged with a glial cell or a false detection, `n_neurons_on_root` is 1. To keep such neurons, use
-- `is_single_neuron` of `cells`. Roots 0 and 1 mean "no segment" and are never listed.
-- grain: pt_root_id
-- requires: nucleus_detection_v0
-- cite: microns2025
-- questions: Q03
-- example: SELECT n_nuclei_on_root, n_neurons_on_root, count(*) AS n_roots FROM multi_soma_roots GROUP BY ALL ORDER BY ALL
SELECT
    r.pt_root_id,
    r.n_nuclei AS n_nuclei_on_root, -- Number of nuclei on the segment
    r.n_neurons AS n_neurons_on_root, -- Number of them that the classifier calls neurons; NULL where it saw none of them
    list(n.nucleus_id ORDER BY n.nucleus_id) AS nucleus_ids -- The nuclei, ascending
FROM _root_nuclei AS r
JOIN _nuclei AS n ON n.pt_root_id = r.pt_root_id
WHERE r.n_nuclei > 1
GROUP BY r.pt_root_id, r.n_nuclei, r.n_neurons
