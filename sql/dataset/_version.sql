-- The number of the version that is asked.
--
-- Each version puts its own number here when its schema is made.
-- macro: _version()
SELECT 0 AS _version -- Materialization version of CAVE
