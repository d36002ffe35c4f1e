-- The bucket of `_all_by_pre` that holds the outputs of a segment, where the layout is full.
-- macro: _piece_bucket(root)
SELECT 2000 + (root % 64)::INTEGER AS _piece_bucket -- Number of the bucket
