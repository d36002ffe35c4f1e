-- What each synapse lands on (spine, shaft or soma), one row per synapse that any table classified.
--
-- Three tables answer. `target_structure` is the answer of the later release of the predictions
-- (synapse_target_predictions_ssa_v2), else of the earlier (synapse_target_predictions_ssa), as `target_structure_source` says;
-- each stays beside it. The codes of synapse_target_structure are kept as they are and never enter `target_structure`: what
-- they mean is not part of the table. A synapse that is not here was not classified, which is no statement about it.
-- Where a table has several rows for a synapse, its latest counts.
--
-- The predictions are made from the shape of the postsynaptic cell's surface around the synapse. Of the later release its
-- authors give a weighted F1 score of 0.96 over soma, shaft and spine (Pedigo et al. 2026, bdpedigo.github.io/neuron-hks).
-- grain: id
-- store: id
-- requires: synapse_target_predictions_ssa_v2 or synapse_target_predictions_ssa or synapse_target_structure
-- warning: tags of different releases differ for some synapses: compare like with like through target_structure_source
-- cite: microns2025
-- questions: Q24
-- example: SELECT target_structure, target_structure_source, count(*) AS n FROM synapse_targets GROUP BY ALL ORDER BY ALL
WITH answers AS (
    SELECT
        target_id,
        id,
        'v2' AS source,
        tag,
        NULL::BIGINT AS code
    FROM synapse_target_predictions_ssa_v2
    UNION ALL
    SELECT
        target_id,
        id,
        'v1',
        tag,
        NULL
    FROM synapse_target_predictions_ssa
    UNION ALL
    SELECT
        target_id,
        id,
        'structure',
        NULL,
        value
    FROM synapse_target_structure
),

tags AS (
    SELECT
        a.target_id,
        max_by(a.tag, a.id) FILTER (WHERE a.source = 'v2') AS tag_v2,
        max_by(a.tag, a.id) FILTER (WHERE a.source = 'v1') AS tag_v1,
        max_by(a.code, a.id) FILTER (WHERE a.source = 'structure') AS structure_code
    FROM answers AS a
    GROUP BY a.target_id
)

SELECT
    t.target_id AS id, -- The synapse: `id` in `synapses`
    coalesce(t.tag_v2, t.tag_v1) AS target_structure, -- spine, shaft or soma: tag_v2, else tag_v1; NULL where neither predicted it
    CASE
        WHEN t.tag_v2 IS NOT NULL THEN 'synapse_target_predictions_ssa_v2'
        WHEN t.tag_v1 IS NOT NULL THEN 'synapse_target_predictions_ssa'
    END AS target_structure_source, -- The table that target_structure comes from
    t.tag_v2, -- Answer of synapse_target_predictions_ssa_v2, verbatim
    t.tag_v1, -- Answer of synapse_target_predictions_ssa, verbatim
    t.structure_code -- Code 0 to 6 of synapse_target_structure, verbatim
FROM tags AS t
