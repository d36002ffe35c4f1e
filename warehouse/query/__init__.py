"""Asking: a session in Python, its parameters, polars scans and matrices."""
