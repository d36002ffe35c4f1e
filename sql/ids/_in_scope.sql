-- A segment, if the synapses that are here can answer for its outputs; else a sentence that says what is missing.
--
-- In a snapshot of proofread outputs the other axons have no outputs, in one of neurons orphan pieces have no synapses,
-- and in one of chosen cells the others have only those with a chosen one; no rows would read as no synapses.
-- macro: _in_scope(root, n_nuclei, axon_proofread, is_complete)
SELECT
    CASE
        WHEN _synapse_scope() = 'neurons' AND n_nuclei = 0
            THEN error(
                root || ' has no nucleus, and v' || _version()
                || ' here holds only synapses between segments with a nucleus; ' || _way_out(root)
            )
        WHEN _synapse_scope() IN ('all', 'neurons', '') OR is_complete THEN root
        WHEN contains(_synapse_scope(), 'proofread') AND axon_proofread THEN root
        WHEN _synapse_scope() = 'proofread'
            THEN error(
                'the axon of ' || root || ' was not proofread, and v' || _version()
                || ' here holds only the outputs of proofread axons; ' || _way_out(root)
            )
        ELSE error(
            'the outputs of ' || root || ' are not all here: v' || _version() || ' here holds the synapses of chosen cells'
            || CASE WHEN contains(_synapse_scope(), 'proofread') THEN ' and the outputs of proofread axons' ELSE '' END
            || '; ' || _way_out(root)
        )
    END AS _in_scope -- The segment
