-- How many nuclei lie on each segment, one row per segment with at least one nucleus.
--
-- Nuclei are counted by look-up root, in the table of nuclei. A type table may lack one of two merged cells.
-- grain: pt_root_id
-- requires: nucleus_detection_v0
SELECT
    n.pt_root_id, -- Segment in this version
    count(*) AS n_nuclei, -- Number of nuclei on the segment
    CASE
        WHEN count(a.is_neuron) > 0 THEN count(*) FILTER (WHERE a.is_neuron)
    END AS n_neurons, -- Number of them that the classifier calls neurons; NULL where it saw none of them
FROM _nuclei AS n
LEFT JOIN _neuron_answers AS a ON a.nucleus_id = n.nucleus_id
WHERE n.pt_root_id NOT IN (0, 1)
GROUP BY n.pt_root_id
