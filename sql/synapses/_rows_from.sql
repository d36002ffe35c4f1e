-- All synapses as they lie, with the bucket of each row: what look-ups by the sending segment join to.
--
-- The outputs of cells and proofread axons are here twice, by axon and among all rows: `_buckets_from` says where to look.
-- Where both lie in files that are written alike, a version reads them in one scan here. Two scans would be
-- planned twice, and of two look-ups in one query DuckDB 1.5 would first put all rows of both into memory. As in
-- `_rows_onto`, dead rows are among these.
-- grain: id, b
-- requires: synapses_pni_2
SELECT a.*
FROM _axon_synapses AS a
UNION ALL
SELECT p.*
FROM _all_by_pre AS p
