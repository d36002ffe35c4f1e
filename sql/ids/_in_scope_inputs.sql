-- A segment, if all of its inputs are here; else a sentence that says what is missing.
--
-- A view that asks this names the scopes `all` and `cells`: in any other it refuses before it comes to a segment.
-- macro: _in_scope_inputs(root, is_complete)
SELECT
    CASE
        WHEN _synapse_scope() IN ('all', '') OR is_complete THEN root
        ELSE error(
            'the inputs of ' || root || ' are not all here: v' || _version() || ' here holds those of chosen cells; '
            || _way_out(root)
        )
    END AS _in_scope_inputs -- The segment
