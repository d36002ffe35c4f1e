-- Neurons whose segment is theirs alone, one row per nucleus.
--
-- The cells to count synapses of: the classifier calls the nucleus a neuron's, and no other nucleus, not even a glial
-- one, lies on its segment (the strict rule, `is_single_soma`). Whoever wants CAVE's looser rule filters `cells` by
-- `is_single_neuron`. Class and type come from other tables than the classifier of neurons: some rows have none, and a
-- few are called nonneuron there.
-- grain: nucleus_id
-- requires: nucleus_detection_v0, nucleus_ref_neuron_svm
-- cite: microns2025
-- questions: Q01
-- example: SELECT cell_class, count(*) AS n FROM neurons GROUP BY ALL ORDER BY ALL
SELECT c.*
FROM cells AS c
WHERE c.is_neuron AND c.is_single_soma
