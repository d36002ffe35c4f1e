"""A synthetic minnie65: seeded, in two versions, with the shapes and the traps of the real tables.

`synthesize` makes a small volume; `stream_synapses` streams the synapses of one as large as the real one.
"""

from __future__ import annotations

from warehouse.demo.synthetic.volume import (
    NEWER,
    OLDER,
    TableMetadata,
    VersionInfo,
    Volume,
    cells_for,
    stream_synapses,
    synthesize,
)

__all__ = [
    "NEWER",
    "OLDER",
    "TableMetadata",
    "VersionInfo",
    "Volume",
    "cells_for",
    "stream_synapses",
    "synthesize",
]
