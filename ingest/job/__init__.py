"""The snapshot job: which tables to fetch, from which source, and publishing them."""
