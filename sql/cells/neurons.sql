-- Neurons that are alone on their segment, one row per nucleus.
--
-- Use these cells to count synapses. The classifier calls the nucleus a neuron's, and no other nucleus lies on its
-- segment, not even a glial one (the strict rule, `is_single_soma`). For CAVE's looser rule, filter `cells` by
-- `is_single_neuron`.
--
-- Class and type come from other tables than the classifier of neurons. So some rows have none, and a few have the
-- class nonneuron.
-- grain: nucleus_id
-- requires: nucleus_detection_v0, nucleus_ref_neuron_svm
-- cite: microns2025
-- questions: Q01
-- example: SELECT cell_class, count(*) AS n FROM neurons GROUP BY ALL ORDER BY ALL
SELECT c.*
FROM cells AS c
WHERE c.is_neuron AND c.is_single_soma
