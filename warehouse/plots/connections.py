"""Figures of who connects to whom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from warehouse.errors import UsageError
from warehouse.plots import style

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NO_PAIR = "#dddddd"
_MOST_DOTS = 600
"""On a side of a matrix; a screen shows no more."""
_MOST_POINTS = 5_000
"""Of a figure of pairs; more hide each other."""
_FIELD_UM = 25.0


def matrix(counts: npt.ArrayLike, pre: pl.DataFrame, post: pl.DataFrame, by: str = "cell_type") -> Figure:
    """Which cells connect: a dot for each connected pair, cells sorted by type, with colour bars of types.

    Within a type cells are sorted by depth where both frames have `depth_um`. A cell and itself is grey where both
    frames have `nucleus_id`: that is no pair.

    Args:
        counts: synapses of each pair, shape (pre cells, post cells), as `wh.matrix` returns them.
        pre: one row per row of `counts`, in its order, with the column `by`.
        post: one row per column of `counts`, in its order, with the column `by`.
        by: the column to sort by.

    Raises:
        UsageError: the frames do not fit the array.
    """
    array = np.asarray(counts, dtype=float)
    style.require(pre, by)
    style.require(post, by)
    if array.shape != (len(pre), len(post)):
        raise UsageError(
            f"a matrix of {array.shape} cannot be sorted by frames of {len(pre)} and {len(post)} rows"
        )
    rows, columns = _sorted(pre, by), _sorted(post, by)
    array = array[np.ix_(rows, columns)]
    row_labels, column_labels = (style.words(f[by]).gather(i).to_list() for f, i in ((pre, rows), (post, columns)))
    figure, (axis,) = style.new_figure(7, 5.6)
    _pairs(axis, array > 0, _same_cell(pre, post, rows, columns))
    _strip(axis, row_labels, f"presynaptic cells ({len(pre):,})", vertical=True)
    _strip(axis, column_labels, f"postsynaptic cells ({len(post):,})", vertical=False)
    labels = style.in_order([*row_labels, *column_labels])
    colours = style.colours_of(labels)
    patches = [
        Patch(color=colours[label], label=f"{label} ({row_labels.count(label):,}, {column_labels.count(label):,})")
        for label in labels
    ]
    figure.legend(
        handles=patches, loc="outside right upper", frameon=False, fontsize=8, title="type (pre, post)"
    ).get_title().set_fontsize(8)
    return figure


def _sorted(cells: pl.DataFrame, by: str) -> npt.NDArray[np.int64]:
    """The order of rows: by type, then by depth."""
    labels = style.words(cells[by])
    place = {label: index for index, label in enumerate(style.in_order(labels))}
    depth = cells["depth_um"].fill_null(0).to_numpy() if "depth_um" in cells.columns else np.zeros(len(cells))
    return np.lexsort((depth, np.array([place[label] for label in labels])))


def _same_cell(pre: pl.DataFrame, post: pl.DataFrame, rows: Places, columns: Places) -> Mask:
    """Where row and column are the same cell."""
    if "nucleus_id" not in pre.columns or "nucleus_id" not in post.columns:
        return np.zeros((len(pre), len(post)), dtype=bool)
    same: Mask = (
        pre["nucleus_id"].gather(rows).to_numpy()[:, None]
        == post["nucleus_id"].gather(columns).to_numpy()[None, :]
    )
    return same


def _pairs(axis: Axes, connected: Mask, same: Mask) -> None:
    """A picture of all pairs: black where connected, grey where no pair can be.

    Where cells are more than the picture has dots, a dot is the darker the more of its pairs connect; by the
    square root of their share, so that a single one is seen too.
    """
    step = max(1, *(-(-length // _MOST_DOTS) for length in connected.shape))
    edges = [np.arange(0, length, step) for length in connected.shape]
    found, self_pairs, every = (
        np.add.reduceat(np.add.reduceat(mask.astype(np.int32), edges[0], axis=0), edges[1], axis=1)
        for mask in (connected, same, np.ones_like(connected))
    )
    picture = np.repeat(1 - np.sqrt(found / every)[:, :, None], 3, axis=2)
    picture[(self_pairs > 0) & (found == 0)] = to_rgb(_NO_PAIR)
    rows, columns = connected.shape
    axis.imshow(picture, extent=(0, columns, rows, 0), aspect="auto", interpolation="nearest")
    if 0.25 < rows / columns < 4:
        axis.set_aspect("equal", anchor="NW")  # the corner with the labels stays where the layout puts it
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(True)


def _strip(axis: Axes, labels: list[str], title: str, *, vertical: bool) -> None:
    """A bar with the colour of each cell's type beside the matrix, and thin lines where the type changes."""
    colours = style.colours_of(style.in_order(labels))
    picture = np.array([to_rgb(colours[label]) for label in labels])
    place = (-0.05, 0, 0.035, 1) if vertical else (0, 1.015, 1, 0.035)
    beside = axis.inset_axes(place)
    beside.imshow(picture[:, None] if vertical else picture[None, :], aspect="auto", interpolation="nearest")
    beside.set(xticks=[], yticks=[])
    beside.spines[:].set_visible(False)
    if vertical:  # on the matrix itself, so that the layout makes room for it
        axis.set_ylabel(title, labelpad=24)
    else:
        axis.set_title(title, fontsize="medium", pad=24)
    line = axis.axhline if vertical else axis.axvline
    for position in range(1, len(labels)):
        if labels[position] != labels[position - 1]:
            line(position, color="#999999", linewidth=0.5)


def type_matrix(
    frame: pl.DataFrame,
    pre: str = "pre_cell_type",
    post: str = "post_cell_type",
    value: str = "connection_probability",
) -> Figure:
    """How often cells of one type connect to another: a coloured table with its counts.

    Each field says how many pairs connect of how many could; a field without a possible pair is grey. Where a
    frame has several rows for a field (strategies of axons), choose before: they are not to be pooled.

    Args:
        frame: one row per pair of types with `pre`, `post`, `value`, n_connected and n_possible; rows of
            cell_type_connectivity, or of type_connectivity with pre="pre_label", post="post_label".
        pre: the column for the rows of the table.
        post: the column for its columns.
        value: the column that gives the colour.

    Raises:
        UsageError: several rows for a pair of types.
    """
    style.require(frame, pre, post, value, "n_connected", "n_possible")
    shown = frame.with_columns(style.words(frame[pre]).alias(pre), style.words(frame[post]).alias(post))
    if shown.select(pre, post).is_duplicated().any():
        raise UsageError(
            "several rows for one pair of types: choose one pre_strategy_axon first, they must not be pooled"
        )
    rows, columns = style.in_order(shown[pre]), style.in_order(shown[post])
    values = np.full((len(rows), len(columns)), np.nan)
    texts = {}
    for a, b, number, connected, possible in shown.select(
        pre, post, value, "n_connected", "n_possible"
    ).iter_rows():
        if number is not None:
            values[rows.index(a), columns.index(b)] = number
            texts[rows.index(a), columns.index(b)] = f"{_short(connected)}\n/{_short(possible)}"
    figure, (axis,) = style.new_figure(2.8 + 0.56 * len(columns), 1.6 + 0.46 * len(rows))
    axis.set_facecolor(_NO_PAIR)
    image = axis.imshow(np.ma.masked_invalid(values), cmap="cividis", vmin=0, aspect="auto")
    for (row, column), text in texts.items():
        luminance = np.dot(image.to_rgba(values[row, column])[:3], (0.3, 0.59, 0.11))
        shade = "white" if luminance < 0.5 else "black"
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color=shade, linespacing=0.95)
    axis.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel="postsynaptic type", ylabel="presynaptic type")
    figure.colorbar(image, label=style.axis_label(value), shrink=0.9)
    return figure


def _short(number: int) -> str:
    """A number that fits into a field."""
    return (
        f"{number:,}" if number < 100_000 else f"{number / 1e3:,.0f}k" if number < 1e7 else f"{number / 1e6:,.1f}M"
    )


def soma_depths(
    connections: pl.DataFrame, by: str = "pre_cell_class", layers: pl.DataFrame | None = None
) -> Figure:
    """At which depths connected cells lie: one point per connected pair, larger for more synapses.

    Of more than 5,000 pairs, the number in each field of 25 um by 25 um, one panel per group.

    Args:
        connections: one row per pair with pre_depth_um, post_depth_um, n_syn and `by`; rows of
            connections_proofread.
        by: the column that gives the colour.
        layers: rows of layer_bounds, to draw the borders of layers.
    """
    style.require(connections, "pre_depth_um", "post_depth_um", "n_syn", by)
    shown = connections.with_columns(style.words(connections[by]).alias(by)).drop_nulls(
        ["pre_depth_um", "post_depth_um"]
    )
    labels = style.in_order(shown[by])
    colours = style.colours_of(labels)
    texts = {label: f"{label} ({(shown[by] == label).sum():,} pairs)" for label in labels}
    if len(shown) > _MOST_POINTS:
        return _pairs_by_field(shown, by, texts, layers)
    figure, (axis,) = style.new_figure(6.5, 5.5)
    for label in labels:
        pairs = shown.filter(pl.col(by) == label)
        axis.scatter(
            pairs["pre_depth_um"].to_numpy(), pairs["post_depth_um"].to_numpy(),
            s=5 + 6 * pairs["n_syn"].to_numpy(), c=colours[label], marker=style.marker_of(label), alpha=0.6,
            linewidths=0, rasterized=True,
        )  # fmt: skip
    _depth_axes(axis, layers)
    style.legend(figure, texts)
    return figure


def _pairs_by_field(pairs: pl.DataFrame, by: str, texts: dict[str, str], layers: pl.DataFrame | None) -> Figure:
    """A panel for each group: so many points would hide each other, so fields of depth by depth are counted."""
    pre, post = pairs["pre_depth_um"].to_numpy(), pairs["post_depth_um"].to_numpy()
    low = _FIELD_UM * (min(pre.min(), post.min()) // _FIELD_UM)
    high = _FIELD_UM * (max(pre.max(), post.max()) // _FIELD_UM + 1)
    edges = np.arange(low, high + _FIELD_UM, _FIELD_UM)
    groups = [(pairs[by] == label).to_numpy() for label in texts]
    counts = [np.histogram2d(pre[group], post[group], bins=[edges, edges])[0] for group in groups]
    figure, axes = style.new_figure(1.2 + 3.4 * len(texts), 4.2, len(texts))
    norm = LogNorm(1, max(float(count.max()) for count in counts))
    for axis, count, text in zip(axes, counts, texts.values(), strict=True):
        image = axis.pcolormesh(
            edges, edges, np.ma.masked_less(count.T, 1), norm=norm, cmap="cividis_r", rasterized=True
        )
        axis.set_title(text, fontsize="medium")
        _depth_axes(axis, layers if axis is axes[-1] else None)
        axis.set_ylim(high, low)
        axis.set_ylabel(axis.get_ylabel() if axis is axes[0] else "")
    figure.colorbar(image, ax=axes, label=f"connected pairs per field of {_FIELD_UM:g} µm", shrink=0.9)
    return figure


def _depth_axes(axis: Axes, layers: pl.DataFrame | None) -> None:
    axis.set_xlabel(style.axis_label("pre_depth_um"))
    if layers is not None:
        for top in layers["top_um"]:
            axis.axvline(top, color="#555555", linewidth=0.6, linestyle=(0, (4, 4)), zorder=0)
    style.depth_axis(axis, layers, style.axis_label("post_depth_um"))
