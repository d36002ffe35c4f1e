-- A table of tags has one row for each synapse; a synapse that it has twice counts twice in synapses_typed and ei_balance.
-- requires: synapse_target_predictions_ssa_v2 or synapse_target_predictions_ssa
SELECT
    'synapse_target_predictions_ssa_v2' AS table_name,
    t.target_id AS synapse_id,
    count(*) AS n_rows
FROM synapse_target_predictions_ssa_v2 AS t
GROUP BY t.target_id
HAVING count(*) > 1
UNION ALL
SELECT
    'synapse_target_predictions_ssa',
    t.target_id,
    count(*)
FROM synapse_target_predictions_ssa AS t
GROUP BY t.target_id
HAVING count(*) > 1
