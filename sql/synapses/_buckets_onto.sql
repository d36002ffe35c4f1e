-- The buckets of `_rows_onto` that hold the inputs of a segment.
-- macro: _buckets_onto(root)
SELECT [_bucket_of(root)] AS _buckets_onto -- Numbers of buckets
