-- The synapses of all pairs are the synapses between two different segments; otherwise a join has multiplied them.
-- requires: synapses_pni_2
WITH counted AS (
    SELECT
        (SELECT coalesce(sum(n_syn), 0)::BIGINT FROM connections) AS in_pairs,
        (SELECT coalesce(sum(sum_size), 0)::BIGINT FROM connections) AS size_in_pairs,
        count(*) AS in_table,
        coalesce(sum(s.size), 0)::BIGINT AS size_in_table
    FROM synapses_pni_2 AS s
    WHERE
        s.pre_pt_root_id <> s.post_pt_root_id
        AND s.pre_pt_root_id NOT IN (0, 1)
        AND s.post_pt_root_id NOT IN (0, 1)
)

SELECT
    k.in_pairs,
    k.in_table,
    k.size_in_pairs,
    k.size_in_table
FROM counted AS k
WHERE k.in_pairs <> k.in_table OR k.size_in_pairs <> k.size_in_table
