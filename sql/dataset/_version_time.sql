-- The moment that the version describes.
--
-- Each version puts its own time here when its schema is made.
-- macro: _version_time()
SELECT TIMESTAMP '1970-01-01' AS _version_time -- The moment that the version describes, UTC
