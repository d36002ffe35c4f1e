-- Whether the classifier calls each nucleus a neuron's, one row per nucleus that it saw.
-- grain: nucleus_id
SELECT
    target_id AS nucleus_id, -- The cell
    max_by(cell_type, id) = 'neuron' AS is_neuron -- Whether the classifier calls the nucleus a neuron's (nucleus_ref_neuron_svm)
FROM nucleus_ref_neuron_svm
GROUP BY target_id
