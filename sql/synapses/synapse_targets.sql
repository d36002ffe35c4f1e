-- What each synapse lands on (spine, shaft or soma), one row per synapse that any table classified.
--
-- Three tables answer. `compartment` is the answer of the later release of the predictions
-- (synapse_target_predictions_ssa_v2), else of the earlier (synapse_target_predictions_ssa), as `compartment_source` says;
-- each stays beside it. The codes of synapse_target_structure are kept as they are and never enter `compartment`: what
-- they mean is not part of the table. A synapse that is not here was not classified, which is no statement about it.
-- Where a table has several rows for a synapse, its latest counts.
-- grain: synapse_id
-- requires: synapse_target_predictions_ssa_v2 or synapse_target_predictions_ssa or synapse_target_structure
-- warning: tags of different releases differ for some synapses: compare like with like through compartment_source
-- cite: microns2025
-- questions: Q24
SELECT
    t.synapse_id,
    t.compartment,
    t.compartment_source,
    t.tag_v2,
    t.tag_v1,
    t.structure_code
FROM _synapse_targets AS t
