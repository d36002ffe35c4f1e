-- The class that a cell type belongs to, in the words of `cell_class`; NULL for a word that is no type of `cells`.
-- macro: _class_of_type(cell_type)
SELECT
    CASE
        WHEN cell_type IN ('23P', '4P', '5P-IT', '5P-ET', '5P-NP', '6P-IT', '6P-CT', '6P-U', 'WM-P') THEN 'excitatory'
        WHEN cell_type IN ('BC', 'BPC', 'MC', 'NGC') THEN 'inhibitory'
        WHEN cell_type IN ('OPC', 'astrocyte', 'microglia', 'oligo', 'pericyte') THEN 'nonneuron'
    END AS _class_of_type -- excitatory, inhibitory, nonneuron
