-- How many synapses each cell gained and lost between two local versions, one row per pair of versions and cell.
--
-- Only cells whose root changed: with the same root a cell has the same synapses. A synapse is the same one in both
-- versions if it has the same id. Gained and lost are counted apart, which the difference of two degrees hides: a
-- false piece of axon that was cut off and a true one that was joined. Two nuclei on one segment have the same numbers.
-- Autapses and synapses without a segment on the other side (roots 0 and 1) are left out, as in `in_out_degree`: kept and
-- gained together are the degree in the later version, kept and lost the degree in the earlier one.
--
-- Both versions must have all synapses here; of two with the outputs of proofread axons only, the outputs of cells
-- that are proofread in both are compared, and inputs are NULL. Other pairs are left out. It reads the synapses of
-- all cells that changed: seconds to a minute at full size.
-- grain: version_a, version_b, nucleus_id
-- warning: always filter by version_a and version_b; all pairs of local versions are here
-- cite: cave2025
-- questions: Q11, Q19
-- example: SELECT nucleus_id, n_output_syn_kept, n_output_syn_gained, n_output_syn_lost FROM cell_synapse_changes ORDER BY ALL LIMIT 3
SELECT
    s.version_a, -- The earlier version
    s.version_b, -- The later version
    s.nucleus_id, -- The cell: `id` in nucleus_detection_v0
    max(s.n_kept) FILTER (WHERE s.side = 'input') AS n_input_syn_kept, -- Input synapses in both versions; NULL if unknown
    max(s.n_gained) FILTER (WHERE s.side = 'input') AS n_input_syn_gained, -- Input synapses in the later version only; NULL if unknown
    max(s.n_lost) FILTER (WHERE s.side = 'input') AS n_input_syn_lost, -- Input synapses in the earlier version only; NULL if unknown
    max(s.n_kept) FILTER (WHERE s.side = 'output') AS n_output_syn_kept, -- Output synapses in both versions; NULL if unknown or none
    max(s.n_gained) FILTER (WHERE s.side = 'output') AS n_output_syn_gained, -- Output synapses in the later version only; NULL likewise
    max(s.n_lost) FILTER (WHERE s.side = 'output') AS n_output_syn_lost -- Output synapses in the earlier version only; NULL likewise
FROM _side_changes AS s
GROUP BY s.version_a, s.version_b, s.nucleus_id
