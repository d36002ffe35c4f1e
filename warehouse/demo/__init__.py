"""Synthetic data, and the loopback servers that offer them as CAVE and the public bucket would."""
