-- Possible pairs over all kinds and distances are presynaptic times postsynaptic cells, less each cell with itself; a
-- denominator that is not makes every connection probability wrong.
-- requires: nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
WITH ends AS (
    SELECT
        c.strategy_axon,
        c.is_current,
        coalesce(c.status_axon AND c.strategy_axon <> 'none', FALSE) AS is_pre
    FROM cells AS c
    WHERE c.is_single_soma
),

expected AS (
    SELECT
        e.strategy_axon,
        e.is_current,
        count(*) * ((SELECT count(*) FROM ends) - 1) AS n
    FROM ends AS e
    WHERE e.is_pre
    GROUP BY e.strategy_axon, e.is_current
),

binned AS (
    SELECT
        p.pre_strategy_axon,
        p.pre_is_current,
        sum(p.n_possible) AS n
    FROM possible_pairs AS p
    GROUP BY p.pre_strategy_axon, p.pre_is_current
)

SELECT
    coalesce(e.strategy_axon, b.pre_strategy_axon) AS strategy_axon,
    coalesce(e.is_current, b.pre_is_current) AS is_current,
    e.n AS n_expected,
    b.n AS n_in_bins
FROM expected AS e
FULL JOIN binned AS b ON b.pre_strategy_axon = e.strategy_axon AND b.pre_is_current = e.is_current
WHERE coalesce(e.n, 0) <> coalesce(b.n, 0)
