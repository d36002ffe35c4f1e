-- The buckets of `_rows_from` that hold the outputs of a segment; a sender is a cell or a proofread segment.
-- macro: _buckets_from(root, is_sender, is_proofread)
SELECT CASE WHEN is_sender THEN [_axon_bucket(root, is_proofread)] ELSE _piece_buckets(root) END AS _buckets_from -- Numbers of buckets
