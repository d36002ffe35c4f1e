-- Whether a row that was found by one of its sides is one of the version's; `other_root` is the segment on its other side.
--
-- All are, unless the version is stored as what differs from another one: then it puts its lists of what is dead here.
-- macro: _is_live(other_root, id, b)
SELECT TRUE AS _is_live -- Whether it is
