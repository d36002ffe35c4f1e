-- Neurons that share their segment with no other neuron: CAVE's view of this name, one row per segment.
--
-- CAVE's rule counts neurons, not nuclei. So a neuron that is merged with a glial cell or a false detection is here,
-- and all synapses of the segment count as its own. The strict rule is `is_single_soma` of `cells`; `neurons` lists
-- the neurons that meet it.
-- grain: pt_root_id
-- requires: nucleus_detection_v0, nucleus_ref_neuron_svm
-- cite: microns2025
-- questions: Q01, Q03
-- example: SELECT count(*) AS n FROM single_neurons
SELECT
    c.nucleus_id AS id, -- Nucleus id: `nucleus_id` of `cells`
    c.pt_root_id
FROM cells AS c
WHERE c.is_single_neuron
