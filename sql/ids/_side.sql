-- The full word of a side of the synapse: `in` is read as input and `out` as output, any other word stays as it is.
--
-- Checked by `_one_of` after that; apart from it, because a check is a subquery, which the planner does not fold.
-- macro: _side(side)
SELECT CASE side WHEN 'in' THEN 'input' WHEN 'out' THEN 'output' ELSE side END AS _side -- The word
