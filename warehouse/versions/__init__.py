"""A version beside another one: storing only what differs, making it a full copy, removing it."""
