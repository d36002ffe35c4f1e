-- Bins of distance add up to the type pairs that they divide, possible and connected; a pair in no bin or in two bends
-- the fall with distance.
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
WITH binned AS (
    SELECT
        d.measure,
        d.pre_strategy_axon,
        d.pre_cell_type,
        d.post_cell_type,
        sum(d.n_possible) AS n_possible,
        sum(d.n_connected) AS n_connected
    FROM distance_dependence AS d
    GROUP BY d.measure, d.pre_strategy_axon, d.pre_cell_type, d.post_cell_type
)

SELECT
    m.measure,
    t.pre_strategy_axon,
    t.pre_cell_type,
    t.post_cell_type,
    t.n_possible,
    coalesce(b.n_possible, 0) AS n_possible_in_bins,
    t.n_connected,
    coalesce(b.n_connected, 0) AS n_connected_in_bins
FROM cell_type_connectivity AS t
CROSS JOIN (VALUES ('space'), ('lateral')) AS m (measure)
LEFT JOIN binned AS b
    ON
        b.measure = m.measure
        AND b.pre_strategy_axon = t.pre_strategy_axon
        AND b.pre_cell_type IS NOT DISTINCT FROM t.pre_cell_type
        AND b.post_cell_type IS NOT DISTINCT FROM t.post_cell_type
WHERE t.n_possible <> coalesce(b.n_possible, 0) OR t.n_connected <> coalesce(b.n_connected, 0)
