"""Figures of the shapes of cells."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from warehouse.errors import UsageError
from warehouse.plots import style

_CABLE = {
    style.UNKNOWN: ("#c4c4c4", 0.8),
    "dendrite": ("#7f7f7f", 0.9),
    "apical dendrite": ("#4d4d4d", 1.1),
    "axon": ("#56B4E9", 0.8),
}
"""Colour and width of each compartment's lines; what comes later lies on top."""
_SOMA = "#333333"
_SYNAPSES = {"input": ("#009E73", "o"), "output": ("#D55E00", "^")}
_MARGIN_UM = 15.0
_SIDES = {"across_um": "along the pia,\nfrom the soma (µm)", "z_um": "z,\nfrom the soma (µm)"}
_WIDEST, _HIGHEST, _LEAST_SHARE = 7.0, 7.5, 0.3
"""Of both panels together [inch]; and the least share of the width that one has, for its labels."""


def skeleton(
    vertices: pl.DataFrame, synapses: pl.DataFrame | None = None, layers: pl.DataFrame | None = None
) -> Figure:
    """One cell's skeleton seen from two sides, compartment by compartment, with its synapses.

    Args:
        vertices: the rows of one cell in the view `skeletons`.
        synapses: rows of `synapses_on_skeleton` for the cell, all or some; None for none.
        layers: rows of layer_bounds, to draw the borders of layers.

    Raises:
        UsageError: there are no rows, or rows of several cells.
    """
    columns = ("pt_root_id", "vertex", "parent_vertex", "compartment", "length_um", "radius_nm")
    style.require(vertices, *columns, "across_um", "depth_um", "z_nm")
    if (n_cells := vertices["pt_root_id"].n_unique()) > 1:
        raise UsageError(f"this figure shows one cell, and the frame has {n_cells}; choose one pt_root_id")
    soma = vertices.sort((pl.col("compartment") == "soma").fill_null(False), descending=True).head(1).to_dicts()[0]
    cable = _edges(_from_soma(vertices, soma))
    shown = None if synapses is None else _from_soma(synapses, soma)
    figure, axes = _two_panels(cable)
    for axis, (across, words) in zip(axes, _SIDES.items(), strict=True):
        _draw_cable(axis, cable, across)
        axis.add_patch(Circle((0, soma["depth_um"]), (soma["radius_nm"] or 0) / 1_000, color=_SOMA, zorder=4))
        if shown is not None:
            _draw_synapses(axis, shown, across)
        axis.set_xlabel(words)
        axis.autoscale_view()
    for axis, words in zip(axes, (style.axis_label("depth_um"), ""), strict=True):
        style.depth_axis(axis, layers, words)
    figure.legend(handles=_handles(cable, shown), loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def _two_panels(cable: pl.DataFrame) -> tuple[Figure, list[Axes]]:
    """Panels side by side with one scale, as wide as the cell is from either side, and the figure no larger."""
    limits = []
    for across in _SIDES:
        places = np.append(cable[across].to_numpy(), 0.0)
        limits.append((places.min() - _MARGIN_UM, places.max() + _MARGIN_UM))
    spans = np.diff(limits)[:, 0]
    missing = np.maximum(0, _LEAST_SHARE * spans.sum() - spans)
    spans = spans + missing
    depth = np.ptp(cable["depth_um"].to_numpy()) + 2 * _MARGIN_UM if len(cable) else 2 * _MARGIN_UM
    scale = min(_WIDEST / spans.sum(), _HIGHEST / depth)
    width, height = max(_WIDEST, 1.5 + scale * spans.sum()), max(3.0, 1.7 + scale * depth)
    figure, axes = style.new_figure(width, height, panels=2, shares=spans.tolist())
    for axis, (low, high), more in zip(axes, limits, missing, strict=True):
        axis.set_xlim(low - more / 2, high + more / 2)
        axis.set_aspect("equal")
    return figure, axes


def _from_soma(points: pl.DataFrame, soma: dict[str, float]) -> pl.DataFrame:
    """Points with the two coordinates besides depth, in um from the soma."""
    return points.with_columns(
        across_um=pl.col("across_um") - soma["across_um"], z_um=(pl.col("z_nm") - soma["z_nm"]) / 1_000
    )


def _edges(vertices: pl.DataFrame) -> pl.DataFrame:
    """Each vertex with its parent's place."""
    above = vertices.select("vertex", "across_um", "depth_um", "z_um")
    edges = vertices.join(above, left_on="parent_vertex", right_on="vertex", suffix="_above")
    return edges.with_columns(style.words(edges["compartment"]))


def _draw_cable(axis: Axes, edges: pl.DataFrame, across: str) -> None:
    for name, (colour, width) in _CABLE.items():
        part = edges.filter(pl.col("compartment") == name)
        ends = part.select(across, "depth_um", f"{across}_above", "depth_um_above").to_numpy().reshape(-1, 2, 2)
        axis.add_collection(LineCollection(list(ends), colors=colour, linewidths=width, rasterized=True))


def _draw_synapses(axis: Axes, synapses: pl.DataFrame, across: str) -> None:
    for side, (colour, marker) in _SYNAPSES.items():
        points = synapses.filter(pl.col("side") == side)
        axis.scatter(
            points[across].to_numpy(), points["depth_um"].to_numpy(), s=7, c=colour, marker=marker, linewidths=0,
            alpha=0.8, zorder=3, rasterized=True,
        )  # fmt: skip


def _handles(edges: pl.DataFrame, synapses: pl.DataFrame | None) -> list[Line2D]:
    """What the legend says: the cable of each compartment that is there, and how many synapses are shown."""
    handles = []
    for name, (colour, width) in _CABLE.items():
        part = edges.filter(pl.col("compartment") == name)
        if len(part):
            text = f"{name} ({part['length_um'].sum() / 1_000:.1f} mm)"
            handles.append(Line2D([], [], color=colour, linewidth=2 * width, label=text))
    for side, (colour, marker) in _SYNAPSES.items():
        count = 0 if synapses is None else len(synapses.filter(pl.col("side") == side))
        if count:
            text = f"{side} synapses ({count:,})"
            handles.append(Line2D([], [], color=colour, marker=marker, linestyle="", markersize=4, label=text))
    return handles
