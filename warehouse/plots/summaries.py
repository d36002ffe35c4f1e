"""Figures of numbers that a query has already summed up: bars, curves with uncertainty, a null distribution."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from warehouse.plots import style

_PLAIN = "#44546a"
_LONGEST_LINE = 44
_MOST_BARS = 40


def bars(frame: pl.DataFrame, label: str, values: str | Sequence[str]) -> Figure:
    """Horizontal bars with their numbers, in the order of the rows; one panel for each column of values.

    For counts of types, a funnel, or the partners of a cell (synapses and cells in two panels: two answers).

    Args:
        frame: one row per bar.
        label: the column that names the bars, such as cell_type.
        values: the column, or columns, that give their length.
    """
    names = [values] if isinstance(values, str) else list(values)
    style.require(frame, label, *names)
    labels = style.words(frame[label]).to_list()
    texts = [textwrap.fill(each, _LONGEST_LINE, break_long_words=False) for each in labels]
    lines = [line for text in texts for line in text.split("\n")]
    margin = 0.6 + 0.075 * max(map(len, lines))
    known = any(each in style.COLOURS for each in labels)
    colours = style.colours_of(labels) if known else dict.fromkeys(labels, _PLAIN)
    figure, axes = style.new_figure(margin + 2.6 * len(names), 0.8 + 0.14 * (len(labels) + len(lines)), len(names))
    for axis, name in zip(axes, names, strict=True):
        numbers = frame[name].fill_null(0).to_numpy()
        axis.barh(range(len(labels)), numbers, color=[colours[each] for each in labels])
        for place, number in enumerate(numbers.tolist()):
            text = f"{number:,.3g}" if isinstance(number, float) else f"{number:,}"
            axis.annotate(
                text, (number, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8
            )
        axis.set_xlabel(style.axis_label(name))
        axis.set_xlim(0, 1.25 * max(numbers.max(), 1e-9))
        if frame[name].dtype.is_integer():
            axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            axis.xaxis.set_major_formatter("{x:,.0f}")
    axes[0].set_yticks(range(len(labels)), texts)
    axes[0].invert_yaxis()
    return figure


def curve(
    frame: pl.DataFrame,
    x: str,
    y: str,
    low: str | None = None,
    high: str | None = None,
    by: str | None = None,
    layers: pl.DataFrame | None = None,
) -> Figure:
    """A number along a distance, a depth or a difference of tuning, with its uncertainty as a band.

    If `x` is a depth it goes down the page. Where `y` is missing the line breaks off.

    Args:
        frame: one row per point (and group); `x` is where it is drawn: the middle of a bin.
        x: the column along which the curve goes.
        y: the column that it shows.
        low: lower end of the uncertainty, if there is one.
        high: upper end of it.
        by: the column that gives a curve each.
        layers: rows of layer_bounds, to draw the borders of layers where `x` is a depth.
    """
    style.require(frame, x, y, *(name for name in (low, high, by) if name))
    groups = style.in_order(style.words(frame[by])) if by else [""]
    colours = style.colours_of(groups)
    down = "depth" in x
    figure, (axis,) = style.new_figure(5.2 + 1.3 * bool(by), 5 if down else 3.8)
    for index, group in enumerate(groups):
        points = (frame.filter(style.words(frame[by]) == group) if by else frame).sort(x)
        place, number = points[x].to_numpy(), _floats(points[y])
        colour = colours[group] if by else _PLAIN
        drawn = (number, place) if down else (place, number)
        axis.plot(
            *drawn, color=colour, linestyle=style.line_of(index), marker=style.marker_of(group), markersize=4
        )
        if low and high:
            band = axis.fill_betweenx if down else axis.fill_between
            band(place, _floats(points[low]), _floats(points[high]), color=colour, alpha=0.18, linewidth=0)
    _name_axes(axis, x, y, down=down, layers=layers)
    if by:
        style.legend(figure, {group: group for group in groups}, line=True)
    return figure


def null_distribution(draws: npt.ArrayLike, observed: float, label: str) -> Figure:
    """What chance gives under a null model, beside what was found.

    Args:
        draws: the number in each random sample.
        observed: the number in the data.
        label: what the number is, with its unit.
    """
    numbers = np.asarray(draws, dtype=float)
    figure, (axis,) = style.new_figure(5.2, 3.4)
    low, high = numbers.min(), numbers.max()
    counted = bool((numbers == numbers.round()).all())
    width = (high - low) // _MOST_BARS + 1  # of a bar: as many whole numbers in each
    axis.hist(
        numbers,
        bins=np.arange(low - 0.5, high + width, width).tolist() if counted else _MOST_BARS,
        color="#9a9a9a",
        rwidth=0.95,
    )
    axis.axvline(observed, color="#cf5d20", linewidth=2)
    axis.annotate(
        f"found: {observed:,.4g}", (observed, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
        textcoords="offset points", ha="center", color="#cf5d20", fontsize=9,
    )  # fmt: skip
    axis.set(xlabel=label, ylabel=f"random samples (of {len(numbers):,})")
    return figure


def _name_axes(axis: Axes, x: str, y: str, *, down: bool, layers: pl.DataFrame | None) -> None:
    if down:
        axis.set_xlabel(style.axis_label(y))
        axis.set_xlim(left=min(0, axis.get_xlim()[0]))
        style.depth_axis(axis, layers, style.axis_label(x))
    else:
        axis.set(xlabel=style.axis_label(x), ylabel=style.axis_label(y))
        axis.set_ylim(bottom=min(0, axis.get_ylim()[0]))


def _floats(column: pl.Series) -> npt.NDArray[np.float64]:
    """Numbers, nan where there is none."""
    numbers: npt.NDArray[np.float64] = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return numbers
