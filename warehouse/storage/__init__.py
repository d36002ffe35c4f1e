"""Files on disk: where they lie, how rows lie in them, and how they are written, verified and published."""
