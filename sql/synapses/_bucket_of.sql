-- The bucket of the synapse files that holds the inputs of a segment.
--
-- Each version puts the bounds of its own buckets here when its schema is made.
-- macro: _bucket_of(root)
SELECT 0 * root AS _bucket_of -- Number of the bucket
