-- The cells that were chosen for this bundle, one row per nucleus: all of their synapses are here.
--
-- Of other cells not all inputs are here; the outputs of proofread axons are, if the bundle was made of them. Empty where
-- no cells were chosen.
-- grain: nucleus_id
-- only: bundles
-- cite: microns2025
-- example: FROM bundle_cells LIMIT 4
SELECT
    c.nucleus_id, -- The cell: its id in the table of nuclei
    c.pt_root_id, -- Its segment in this version
    c.cell_class, -- Class of the cell: excitatory, inhibitory, nonneuron
    c.cell_type -- Type of the cell, by the precedence of `cells`
FROM cells AS c
JOIN _complete_roots AS r ON r.pt_root_id = c.pt_root_id
