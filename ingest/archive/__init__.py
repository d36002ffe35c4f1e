"""Tables from the dumps of the public archive."""
