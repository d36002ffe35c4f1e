-- Whether a table is here that says what synapses land on; without one, their numbers are unknown.
-- macro: _has_targets()
SELECT
    _has_any(
        ['synapse_target_predictions_ssa_v2', 'synapse_target_predictions_ssa', 'synapse_target_structure']
    ) AS _has_targets -- Whether there is one
