-- The bucket of `_axon_synapses` that holds what an axon sends out: one for all proofread axons, a few for the others.
--
-- Nearly all questions about outputs are about proofread axons, and those are a ninth of the rows. The numbers are others
-- than those of the synapse table's buckets, so that a look-up in both opens the files of one.
-- macro: _axon_bucket(root, is_proofread)
SELECT CASE WHEN is_proofread THEN _proofread_bucket() ELSE 1001 + (root % 4)::INTEGER END AS _axon_bucket -- Number of the bucket
