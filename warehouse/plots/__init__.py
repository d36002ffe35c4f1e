"""Figures of the usual questions: each function takes a polars frame and returns a matplotlib Figure.

    from warehouse import plots

    plots.use(wh)  # every figure then says which data it shows
    plots.depth_volume(wh.sql("FROM neurons").pl())

Colours belong to cell types, the same in every figure; they stay apart for colour-blind readers, and markers tell
classes apart without any colour. Depth grows downwards. Units stand on the axes, taken from the names of columns.
A figure is saved with `figure.savefig("depth.png")` and changed by matplotlib's own means (`figure.axes`).

Needs matplotlib: the extra `plots`.
"""

from __future__ import annotations

from importlib.util import find_spec

from warehouse.errors import UsageError

if find_spec("matplotlib") is None:
    raise UsageError("figures need matplotlib; install it with: pip install 'microns-warehouse[plots]'")

from warehouse.plots.connections import matrix, soma_depths, type_matrix
from warehouse.plots.depth import depth_by_type, depth_histogram, depth_volume
from warehouse.plots.shapes import skeleton
from warehouse.plots.style import COLOURS, use
from warehouse.plots.summaries import bars, curve, null_distribution

__all__ = [
    "COLOURS",
    "bars",
    "curve",
    "depth_by_type",
    "depth_histogram",
    "depth_volume",
    "matrix",
    "null_distribution",
    "skeleton",
    "soma_depths",
    "type_matrix",
    "use",
]
