"""What all figures share: colours of cell types, names and units of axes, depth downwards, whose data it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import matplotlib.pyplot as plt
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from warehouse.errors import UsageError
from warehouse.storage.manifest import NOT_BIOLOGY

if TYPE_CHECKING:
    from warehouse.query.session import Warehouse

UNKNOWN = "unknown"

# Found by maximising the smallest distance (OKLab) between any two, as seen with normal vision, protanopia,
# deuteranopia and tritanopia, within a family of hues for each class. tests/unit/test_plots.py holds it.
COLOURS = {
    "23P": "#48bdc9",
    "4P": "#262174",
    "5P-IT": "#798ddb",
    "5P-ET": "#8148d9",
    "5P-NP": "#0e5c5e",
    "6P-IT": "#217b9a",
    "6P-CT": "#5de4e5",
    "6P-U": "#6b04ad",
    "WM-P": "#0d0026",
    "BC": "#cf5d20",
    "MC": "#e7b345",
    "BPC": "#4f192f",
    "NGC": "#64522a",
    "astrocyte": "#526d5a",
    "oligo": "#d0cfa9",
    "OPC": "#a1ac99",
    "microglia": "#3f4335",
    "pericyte": "#828780",
    "excitatory": "#217b9a",
    "inhibitory": "#cf5d20",
    "nonneuron": "#828780",
    UNKNOWN: "#c4c4c4",
}
"""Colour of each type and class, in the order of legends: cool hues excitatory, warm inhibitory, grey the rest."""

_OTHERS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)  # Okabe and Ito's, for all other words
_MARKERS = {"BC": "^", "MC": "^", "BPC": "^", "NGC": "^", "inhibitory": "^"}
_MARKERS |= dict.fromkeys(("astrocyte", "oligo", "OPC", "microglia", "pericyte", "nonneuron"), "s")
_MARKERS |= {UNKNOWN: "x"}
_LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")

_WORDS = {
    "depth_um": "depth below the pia (µm)",
    "nucleus_volume_um3": "nucleus volume (µm³)",
    "distance_um": "distance between nuclei (µm)",
    "lateral_um": "lateral distance between nuclei (µm)",
    "mean_n_syn": "synapses per connected pair",
    "n_cells": "cells",
    "n_nuclei": "nuclei",
    "n_rows": "rows",
    "n_syn": "synapses",
    "n_partners": "partner segments",
    "n_connected": "connected pairs",
    "n_possible": "possible pairs",
    "sum_size": "summed cleft size (voxels)",
    "delta_ori_deg": "difference of preferred orientation (degrees)",
    "delta_dir_deg": "difference of preferred direction (degrees)",
    "pre_depth_um": "depth of the presynaptic soma (µm)",
    "post_depth_um": "depth of the postsynaptic soma (µm)",
}
_UNITS = {"_um3": "µm³", "_um": "µm", "_nm": "nm", "_deg": "degrees"}
_GREY = "#555555"

_source = ""


def use(warehouse: Warehouse) -> None:
    """Have every figure from now on say which data it shows, and whether they are synthetic.

    Args:
        warehouse: the session that frames come from.
    """
    global _source
    name = f"{warehouse.manifest.datastack} v{warehouse.version}"
    _source = f"{NOT_BIOLOGY} ({name})" if warehouse.manifest.synthetic else name


def new_figure(
    width: float, height: float, panels: int = 1, shares: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure of some inches with panels side by side, marked with whose data it shows."""
    figure, axes = plt.subplots(
        1, panels, figsize=(width, height), layout="constrained", squeeze=False, sharey=True, width_ratios=shares
    )
    plt.close(figure)  # else a notebook shows it twice: when it is made and when it is returned
    if _source:
        below = 0.2 / height
        figure.set_layout_engine("constrained", rect=(0, below, 1, 1 - below))
        figure.text(0.995, 0.03 / height, _source, ha="right", va="bottom", fontsize=8, color="#a00000")
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes.flat)


def require(frame: pl.DataFrame, *columns: str) -> None:
    """Refuse a frame that lacks a column, or has no rows.

    Raises:
        UsageError: it does.
    """
    if missing := [name for name in columns if name not in frame.columns]:
        raise UsageError(
            f"this figure needs the columns {', '.join(columns)}; the frame has no {', '.join(missing)}, "
            f"only {', '.join(frame.columns)}"
        )
    if frame.is_empty():
        raise UsageError("there is nothing to draw: the frame has no rows; look at the WHERE of its query")


def words(column: pl.Series) -> pl.Series:
    """A column of labels without nulls."""
    return column.cast(pl.String).fill_null(UNKNOWN)


def in_order(labels: Iterable[str]) -> list[str]:
    """Each label once: cell types by class and depth, other words by alphabet, unknown last."""
    place = {name: index for index, name in enumerate(COLOURS)}
    place[UNKNOWN] = len(place) + 1
    return sorted(set(labels), key=lambda label: (place.get(label, len(COLOURS)), label))


def colours_of(labels: Sequence[str]) -> dict[str, str]:
    """The colour of each label: that of its cell type, else one of six."""
    others = [label for label in labels if label not in COLOURS]
    return {label: COLOURS.get(label) or _OTHERS[others.index(label) % len(_OTHERS)] for label in labels}


def marker_of(label: str) -> str:
    """Circles are excitatory, triangles inhibitory, squares other cells."""
    return _MARKERS.get(label, "o")


def line_of(index: int) -> Literal["-", "--", ":", "-."]:
    """A style of lines that tells groups apart in print."""
    return _LINES[index % len(_LINES)]


def axis_label(column: str) -> str:
    """A column's name in words, with the unit that the name ends in."""
    if column in _WORDS:
        return _WORDS[column]
    for ending, unit in _UNITS.items():
        if column.endswith(ending):
            return f"{column.removesuffix(ending).replace('_', ' ')} ({unit})"
    return column.replace("_", " ")


def legend(figure: Figure, entries: dict[str, str], *, line: bool = False, marker: bool = True) -> None:
    """A legend beside the axes: the text of each label, under its colour, marker and style of line."""
    colours = colours_of(list(entries))
    handles = [
        Line2D(
            [],
            [],
            color=colours[label],
            label=text,
            marker=marker_of(label) if marker else "",
            linestyle=line_of(index) if line else "",
        )
        for index, (label, text) in enumerate(entries.items())
    ]
    length = 2.5 if line else 1
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8, handlelength=length)


def depth_axis(axis: Axes, layers: pl.DataFrame | None, label: str = "depth below the pia (µm)") -> None:
    """Depth grows downwards; borders of layers are dashed lines with their names at the right.

    Args:
        axis: its y axis is a depth in um.
        layers: rows of the view layer_bounds, or None for no lines.
        label: what the y axis says.
    """
    axis.set_ylabel(label)
    low, high = sorted(axis.get_ylim())
    axis.set_ylim(high, low)
    if layers is None:
        return
    for name, top, bottom in layers.select("layer", "top_um", "bottom_um").sort("top_um").iter_rows():
        axis.axhline(top, color=_GREY, linewidth=0.6, linestyle=(0, (4, 4)), zorder=0)
        middle = (max(top, low) + min(bottom or high, high)) / 2
        if low < middle < high:
            axis.annotate(
                name, (1, middle), xycoords=("axes fraction", "data"), xytext=(3, 0), textcoords="offset points",
                va="center", fontsize=8, color=_GREY,
            )  # fmt: skip
    axis.set_ylim(high, low)
