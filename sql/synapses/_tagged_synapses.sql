-- Synapses with what they land on, one row per cleft.
--
-- Joined with the tables of tags as they are, not with `synapse_targets`, so that it needs none of them. A synapse that a
-- table has twice would be two rows here: the check synapses_are_tagged_once names it.
-- grain: id
-- requires: synapses_pni_2
SELECT
    s.*,
    coalesce(v2.tag, v1.tag) AS target_structure, -- spine, shaft or soma, as in `synapse_targets`; NULL = not classified
    CASE
        WHEN v2.tag IS NOT NULL THEN 'synapse_target_predictions_ssa_v2'
        WHEN v1.tag IS NOT NULL THEN 'synapse_target_predictions_ssa'
    END AS target_structure_source -- The table that target_structure comes from
FROM synapses AS s
LEFT JOIN synapse_target_predictions_ssa_v2 AS v2 ON v2.target_id = s.id
LEFT JOIN synapse_target_predictions_ssa AS v1 ON v1.target_id = s.id
