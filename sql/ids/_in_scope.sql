-- A segment, if the synapses that are here can answer for it; else a sentence that says what is missing.
--
-- In a snapshot of proofread outputs the other axons have no outputs, and in one of neurons orphan pieces have no
-- synapses; no rows would read as no synapses.
-- macro: _in_scope(root, n_nuclei, axon_proofread)
SELECT
    CASE
        WHEN _synapse_scope() = 'proofread' AND NOT axon_proofread
            THEN error(
                'the axon of ' || root || ' was not proofread, and v' || _version()
                || ' here holds only the outputs of proofread axons; fetch all with: microns snapshot '
                || _version() || ' --synapses all'
            )
        WHEN _synapse_scope() = 'neurons' AND n_nuclei = 0
            THEN error(
                root || ' has no nucleus, and v' || _version()
                || ' here holds only synapses between segments with a nucleus; fetch all with: microns snapshot '
                || _version() || ' --synapses all'
            )
        ELSE root
    END AS _in_scope -- The segment
