"""Figures of cells: where they lie and how large they are."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from warehouse.plots import style


def depth_volume(cells: pl.DataFrame, by: str = "cell_type", layers: pl.DataFrame | None = None) -> Figure:
    """Depth of each cell against the volume of its nucleus, coloured by type.

    Args:
        cells: one row per cell with depth_um, nucleus_volume_um3 and `by`; rows of `cells` or `neurons`.
        by: the column that gives the colour.
        layers: rows of layer_bounds, to draw the borders of layers.
    """
    style.require(cells, "depth_um", "nucleus_volume_um3", by)
    shown = cells.with_columns(style.words(cells[by]).alias(by)).drop_nulls(["depth_um", "nucleus_volume_um3"])
    labels = style.in_order(shown[by])
    colours = style.colours_of(labels)
    figure, (axis,) = style.new_figure(7, 5.5)
    size = float(np.clip(30_000 / max(len(shown), 1), 2, 22))
    # Many thin layers of points, so that no type hides under another.
    slices = max(1, min(40, len(shown) // 200))
    shuffled = shown.sample(fraction=1, shuffle=True, seed=0)
    for start in range(slices):
        part = shuffled.gather_every(slices, start)
        for label in labels:
            points = part.filter(pl.col(by) == label)
            axis.scatter(
                points["nucleus_volume_um3"].to_numpy(), points["depth_um"].to_numpy(), s=size,
                c=colours[label], marker=style.marker_of(label), linewidths=0.5 if label == style.UNKNOWN else 0,
                alpha=0.75, rasterized=True,
            )  # fmt: skip
    axis.set_xlabel(style.axis_label("nucleus_volume_um3"))
    style.depth_axis(axis, layers)
    style.legend(figure, {label: f"{label} ({count:,})" for label, count in _counted(shown[by], labels)})
    return figure


def depth_by_type(
    cells: pl.DataFrame, by: str = "cell_type", layers: pl.DataFrame | None = None, bin_um: float = 25
) -> Figure:
    """How the cells of each type are spread over depth: one sideways histogram per type.

    Widths are scaled type by type: compare shapes, not areas; the numbers of cells stand on top.

    Args:
        cells: one row per cell with depth_um and `by`.
        by: the column that gives a histogram each.
        layers: rows of layer_bounds, to draw the borders of layers.
        bin_um: height of a bin.
    """
    style.require(cells, "depth_um", by)
    shown = cells.with_columns(style.words(cells[by]).alias(by)).drop_nulls("depth_um")
    labels = style.in_order(shown[by])
    colours = style.colours_of(labels)
    edges = _edges(shown["depth_um"], bin_um)
    figure, (axis,) = style.new_figure(max(4.0, 1.2 + 0.6 * len(labels)), 5)
    for place, (label, count) in enumerate(_counted(shown[by], labels)):
        heights, _ = np.histogram(shown.filter(pl.col(by) == label)["depth_um"].to_numpy(), edges)
        width = 0.8 * heights / heights.max()
        axis.barh(
            edges[:-1], width, bin_um, left=place - width / 2, align="edge", color=colours[label], linewidth=0
        )
        axis.annotate(
            f"{count:,}", (place, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8
        )
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    style.depth_axis(axis, layers)
    return figure


def depth_histogram(
    frame: pl.DataFrame,
    by: str,
    depth: str = "depth_um",
    layers: pl.DataFrame | None = None,
    bin_um: float = 25,
    counted: str = "synapses",
) -> Figure:
    """How many synapses, or whatever the rows are, lie at each depth: one outline per group.

    Args:
        frame: one row per thing to count with `depth` and `by`.
        by: the column that gives an outline each; at most six groups can be read.
        depth: a column of depths in um.
        layers: rows of layer_bounds, to draw the borders of layers.
        bin_um: height of a bin.
        counted: what the rows are, for the axis.
    """
    style.require(frame, depth, by)
    shown = frame.with_columns(style.words(frame[by]).alias(by)).drop_nulls(depth)
    labels = style.in_order(shown[by])
    colours = style.colours_of(labels)
    edges = _edges(shown[depth], bin_um)
    figure, (axis,) = style.new_figure(5.5, 5)
    for index, label in enumerate(labels):
        heights, _ = np.histogram(shown.filter(pl.col(by) == label)[depth].to_numpy(), edges)
        axis.stairs(
            heights,
            edges,
            orientation="horizontal",
            color=colours[label],
            linestyle=style.line_of(index),
            linewidth=1.6,
        )
    axis.set_xlabel(f"{counted} per {bin_um:g} µm of depth")
    axis.set_xlim(left=0)
    style.depth_axis(axis, layers)
    style.legend(
        figure,
        {label: f"{label} ({count:,})" for label, count in _counted(shown[by], labels)},
        line=True,
        marker=False,
    )
    return figure


def _counted(column: pl.Series, labels: list[str]) -> list[tuple[str, int]]:
    found = dict(column.value_counts().iter_rows())
    return [(label, found[label]) for label in labels]


def _edges(depth: pl.Series, bin_um: float) -> np.ndarray:
    values = depth.to_numpy()
    return np.arange(np.floor(values.min() / bin_um), np.floor(values.max() / bin_um) + 2) * bin_um
