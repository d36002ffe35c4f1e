"""What every source has in common: requests, parts on disk, progress, and the cast to the declared columns."""
