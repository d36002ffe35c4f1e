-- How many somata there are of each cell type: CAVE's view of this name, one row per type.
--
-- `total_count` counts all nuclei, also those on merged segments and those without a segment. `neuron_count` counts
-- those that the classifier calls neurons, if they have a segment. For the number of cells that can be analysed, use
-- `cell_type_counts`.
-- grain: cell_type
-- requires: nucleus_detection_v0, nucleus_ref_neuron_svm
-- warning: a nucleus is a detection: merged, split and false ones are counted
-- cite: microns2025
-- questions: Q02, Q03
-- example: FROM soma_counts ORDER BY total_count DESC, cell_type LIMIT 5
SELECT
    c.cell_type, -- Type by the precedence of `cells`; NULL for nuclei without one
    count(*) FILTER (WHERE c.is_neuron AND c.pt_root_id NOT IN (0, 1)) AS neuron_count, -- Number of neuronal nuclei
    count(*) AS total_count -- Number of all nuclei
FROM cells AS c
GROUP BY c.cell_type
