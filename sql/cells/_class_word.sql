-- The three classes of cells in common words. Tables use different words for them; any other word gives NULL.
-- macro: _class_word(answer)
SELECT
    CASE
        WHEN answer IN ('excitatory_neuron', 'aibs_coarse_excitatory', 'excitatory') THEN 'excitatory'
        WHEN answer IN ('inhibitory_neuron', 'aibs_coarse_inhibitory', 'inhibitory') THEN 'inhibitory'
        WHEN answer IN ('nonneuron', 'aibs_coarse_nonneuronal') THEN 'nonneuron'
    END AS _class_word -- excitatory, inhibitory, nonneuron
