-- The synapse table with the bucket that each row lies in, one row per cleft.
--
-- A join on bucket and postsynaptic root opens the files that hold these roots and no other: see `_bucket_of`. Where
-- the rows lie in buckets, the version reads `b` from the names of the folders.
-- grain: id
-- requires: synapses_pni_2
SELECT
    s.*,
    0 AS b -- Number of the bucket
FROM synapses_pni_2 AS s
