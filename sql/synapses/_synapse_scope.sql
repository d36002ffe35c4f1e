-- Which synapses the version holds: all, proofread, neurons; empty where it has no synapse table.
--
-- Each version puts its own here when its schema is made.
-- macro: _synapse_scope()
SELECT '' AS _synapse_scope -- all, proofread or neurons
