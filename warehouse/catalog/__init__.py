"""The SQL: reading the files under sql/ and making microns.duckdb out of them."""
