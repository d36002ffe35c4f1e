-- Which root id each nucleus has in each local version, one row per nucleus and version.
--
-- A root id is only valid in its version; to carry a cell to another version, go through its nucleus. That says where the
-- nucleus is, not where all of its former root went: `cell_synapse_changes` counts the synapses that the cell kept, gained
-- and lost, `root_lineage` has every part of a root, of segments without a nucleus too. Where the supervoxel of a nucleus
-- differs between versions, its look-up point was moved, and the two roots need not have anything in common. A version
-- whose table of nuclei is not here has no rows.
-- grain: nucleus_id, version
-- cite: cave2025
-- questions: Q10, Q11, Q12, Q47
-- example: FROM id_map ORDER BY nucleus_id, version LIMIT 4
SELECT
    n.nucleus_id,
    n.version,
    n.pt_root_id,
    n.pt_supervoxel_id
FROM _nuclei_history AS n
