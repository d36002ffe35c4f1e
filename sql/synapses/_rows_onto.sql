-- The synapse table as it lies, with the bucket of each row: what look-ups by the receiving segment join to.
--
-- A join on bucket and segment opens the files of `_buckets_onto` and no other. Of a version that is stored as what
-- differs from another one, these are the other's rows too, dead ones among them: who reads this asks `_is_live`.
-- grain: id, b
-- requires: synapses_pni_2
SELECT
    s.*,
    0 AS b -- Number of the bucket
FROM synapses_pni_2 AS s
