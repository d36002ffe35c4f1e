-- A root that a cell had in another version, and has no more, is no segment here: synapses on it are another version's.
--
-- Only cells whose look-up point is the same in both versions tell: of others the old root may live on without the cell.
-- requires: synapses_pni_2, nucleus_detection_v0
SELECT
    h.pt_root_id,
    min(h.version) AS is_of_version,
    min(h.nucleus_id) AS nucleus_id
FROM _nuclei_history AS h
JOIN _nuclei AS n ON n.nucleus_id = h.nucleus_id AND n.pt_supervoxel_id = h.pt_supervoxel_id AND n.pt_root_id <> h.pt_root_id
SEMI JOIN _orphans AS o ON o.root = h.pt_root_id
WHERE h.version <> _version() AND h.pt_root_id NOT IN (0, 1) AND n.pt_root_id NOT IN (0, 1)
GROUP BY h.pt_root_id
