"""A bundle: one file, or one folder of Parquet, with a chosen part of a version."""
