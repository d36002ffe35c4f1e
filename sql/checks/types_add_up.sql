-- Synapses of all type pairs are those between their cells in the table of synapses, and no more pairs connect than are
-- possible; otherwise numerator and denominator are of different cells.
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
WITH direct AS (
    SELECT
        pre.strategy_axon,
        pre.cell_type AS pre_cell_type,
        post.cell_type AS post_cell_type,
        count(*) AS n_syn
    FROM synapses_pni_2 AS s
    JOIN cells AS pre ON pre.pt_root_id = s.pre_pt_root_id AND pre.is_single_soma
    JOIN cells AS post ON post.pt_root_id = s.post_pt_root_id AND post.is_single_soma
    WHERE
        pre.status_axon
        AND pre.strategy_axon <> 'none'
        AND pre.is_current
        AND pre.nucleus_id <> post.nucleus_id
    GROUP BY pre.strategy_axon, pre.cell_type, post.cell_type
)

SELECT
    t.pre_strategy_axon,
    t.pre_cell_type,
    t.post_cell_type,
    t.n_possible,
    t.n_connected,
    t.n_syn,
    coalesce(d.n_syn, 0) AS n_syn_direct
FROM cell_type_connectivity AS t
LEFT JOIN direct AS d
    ON
        d.strategy_axon = t.pre_strategy_axon
        AND d.pre_cell_type IS NOT DISTINCT FROM t.pre_cell_type
        AND d.post_cell_type IS NOT DISTINCT FROM t.post_cell_type
WHERE t.n_syn <> coalesce(d.n_syn, 0) OR t.n_connected > t.n_possible
