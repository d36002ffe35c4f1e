-- The buckets of `_all_by_pre` among which the outputs of a segment are: one where the layout is full.
--
-- Elsewhere that is the table sorted by the receiving side, and each version puts all of its buckets here.
-- macro: _piece_buckets(root)
SELECT [_piece_bucket(root)] AS _piece_buckets -- Numbers of buckets
