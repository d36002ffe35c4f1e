"""Synapses from Delta tables, as CAVE exports them."""
