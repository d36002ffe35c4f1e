-- The bucket of `_axon_synapses` that holds the outputs of all proofread axons and nothing else.
-- macro: _proofread_bucket()
SELECT 1000 AS _proofread_bucket -- Number of the bucket
