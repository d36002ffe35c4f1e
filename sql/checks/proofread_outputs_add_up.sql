-- A proofread axon has as many synapses in connections_proofread as in connections; more means a repeated join.
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
WITH interpreted AS (
    SELECT
        pre_pt_root_id,
        sum(n_syn) AS n_syn
    FROM connections_proofread
    GROUP BY pre_pt_root_id
),

direct AS (
    SELECT
        k.pre_pt_root_id,
        sum(k.n_syn) AS n_syn
    FROM connections AS k
    SEMI JOIN proofreading AS p ON p.pt_root_id = k.pre_pt_root_id AND p.status_axon AND p.strategy_axon <> 'none'
    GROUP BY k.pre_pt_root_id
)

SELECT
    coalesce(d.pre_pt_root_id, i.pre_pt_root_id) AS pre_pt_root_id,
    d.n_syn AS n_syn_direct,
    i.n_syn AS n_syn_in_view
FROM direct AS d
FULL JOIN interpreted AS i ON i.pre_pt_root_id = d.pre_pt_root_id
WHERE d.n_syn IS DISTINCT FROM i.n_syn
