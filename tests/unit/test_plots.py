"""Figures: what stands on their axes, whose data they show, colours that stay apart, refusals."""

from __future__ import annotations

import io
import itertools

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tests.conftest import SmallWarehouse
from warehouse import UsageError, plots
from warehouse.plots import style

LAYERS = pl.DataFrame({"layer": ["L1", "L2/3"], "top_um": [0.0, 92.0], "bottom_um": [92.0, None]})
CELLS = pl.DataFrame(
    {
        "nucleus_id": [1, 2, 3, 4],
        "cell_type": ["BC", "23P", None, "23P"],
        "cell_class": ["inhibitory", "excitatory", None, "excitatory"],
        "depth_um": [150.0, 140.0, 300.0, 120.0],
        "nucleus_volume_um3": [400.0, 250.0, 80.0, 260.0],
    }
)
CURVE = pl.DataFrame(
    {"lateral_um": [12.5, 37.5], "probability": [0.2, None], "low": [0.1, None], "high": [0.3, None], "group": "a"}
)
PAIRS = pl.DataFrame(
    {
        "pre_depth_um": [1.0, 2.0],
        "post_depth_um": [5.0, 9.0],
        "n_syn": [1, 3],
        "pre_cell_class": ["excitatory", None],
    }
)
TYPES = pl.DataFrame(
    {
        "pre_cell_type": ["BC", "BC", "23P"],
        "post_cell_type": ["23P", "BC", "23P"],
        "connection_probability": [0.5, None, 0.25],
        "n_connected": [1, 0, 2],
        "n_possible": [2, 0, 8],
    }
)
VERTICES = pl.DataFrame(
    {
        "pt_root_id": [1, 1, 1, 1],
        "vertex": [0, 1, 2, 3],
        "parent_vertex": [1, None, 1, None],
        "compartment": ["dendrite", "soma", "axon", None],
        "across_um": [0.0, 0.0, 30.0, 90.0],
        "depth_um": [60.0, 100.0, 130.0, 100.0],
        "z_nm": [0, 0, 20_000, 0],
        "radius_nm": [300.0, 5_000.0, 100.0, None],
        "length_um": [40.0, 0.0, 46.9, 0.0],
    }
)
ON_SKELETON = pl.DataFrame(
    {
        "side": ["input", "input", "output"],
        "across_um": [0.0, 1.0, 30.0],
        "depth_um": [60.0, 80.0, 131.0],
        "z_nm": 0,
    }
)


def every_figure() -> dict[str, Figure]:
    """Each function once, on frames with missing values."""
    return {
        "depth_volume": plots.depth_volume(CELLS, layers=LAYERS),
        "depth_by_type": plots.depth_by_type(CELLS, layers=LAYERS),
        "depth_histogram": plots.depth_histogram(CELLS, "cell_class", layers=LAYERS, counted="cells"),
        "bars": plots.bars(CELLS, "cell_type", ["nucleus_volume_um3", "nucleus_id"]),
        "curve": plots.curve(CURVE, "lateral_um", "probability", "low", "high", "group"),
        "matrix": plots.matrix(np.ones((4, 4)), CELLS, CELLS),
        "type_matrix": plots.type_matrix(TYPES),
        "soma_depths": plots.soma_depths(PAIRS, layers=LAYERS),
        "null_distribution": plots.null_distribution([1, 2, 2, 3], 5, "pairs"),
        "skeleton": plots.skeleton(VERTICES, ON_SKELETON, LAYERS),
    }


def test_every_function_draws_missing_values_without_a_warning() -> None:
    figures = every_figure()
    assert set(figures) == set(plots.__all__) - {"COLOURS", "use"}
    for figure in figures.values():
        figure.savefig(io.BytesIO())


def test_depth_grows_downwards_and_axes_have_units() -> None:
    figures = every_figure()
    for name in ("depth_volume", "depth_by_type", "depth_histogram", "soma_depths", "skeleton"):
        top, bottom = reversed(figures[name].axes[0].get_ylim())
        assert top < bottom or figures[name].axes[0].yaxis_inverted(), name
        assert "(µm)" in figures[name].axes[0].get_ylabel()
        assert figures[name].axes[0].yaxis_inverted()
    assert figures["depth_volume"].axes[0].get_xlabel() == "nucleus volume (µm³)"
    assert figures["curve"].axes[0].get_xlabel() == "lateral distance between nuclei (µm)"
    down = plots.curve(CURVE.rename({"lateral_um": "depth_um"}), "depth_um", "probability")
    assert down.axes[0].yaxis_inverted()
    assert style.axis_label("edge_distance_um") == "edge distance (µm)"


def test_layers_are_named_at_their_depth() -> None:
    axis = plots.depth_volume(CELLS.vstack(CELLS.with_columns(depth_um=pl.lit(10.0))), layers=LAYERS).axes[0]
    assert [text.get_text() for text in axis.texts] == ["L1", "L2/3"]


def test_a_matrix_is_sorted_by_type_then_depth_and_its_diagonal_is_no_pair() -> None:
    counts = np.zeros((4, 4))
    counts[0, 3] = 5  # BC onto the upper 23P
    figure = plots.matrix(counts, CELLS, CELLS)
    picture = np.asarray(figure.axes[0].images[0].get_array())
    # Sorted: 23P at 120 um (row 3), 23P at 140 um (row 1), BC (row 0), unknown (row 2).
    assert np.argwhere(picture.sum(axis=2) == 0).tolist() == [[2, 0]]
    assert [picture[i, i].tolist() for i in range(4)] == [list(to_rgb("#dddddd"))] * 4
    assert "23P (2, 2)" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_large_matrix_loses_no_pair() -> None:
    counts = np.zeros((1501, 700))
    counts[1500, 699] = counts[0, 0] = 1
    cells = pl.DataFrame({"cell_type": ["23P"] * 1501})
    picture = np.asarray(plots.matrix(counts, cells, cells[:700]).axes[0].images[0].get_array())
    assert max(picture.shape) <= 600
    assert (picture.min(axis=2) < 0.9).sum() == 2


def test_many_pairs_are_counted_by_field_and_none_hides_another() -> None:
    many = pl.concat(
        [PAIRS.with_columns(pre_cell_class=pl.lit(each)) for each in ("excitatory", "inhibitory")] * 3_000
    )
    panels = plots.soma_depths(many).axes[:2]
    counted = many.drop_nulls(["pre_depth_um", "post_depth_um"]).height // 2
    assert [np.asarray(panel.collections[0].get_array(), dtype=float).sum() for panel in panels] == [
        counted,
        counted,
    ]
    assert all(panel.yaxis_inverted() for panel in panels)


def test_a_type_matrix_shows_its_counts() -> None:
    assert sorted(text.get_text() for text in plots.type_matrix(TYPES).axes[0].texts) == ["1\n/2", "2\n/8"]


def test_strategies_are_not_pooled_by_accident() -> None:
    with pytest.raises(UsageError, match="choose one pre_strategy_axon first"):
        plots.type_matrix(pl.concat([TYPES, TYPES]))


def test_a_skeleton_is_drawn_around_its_soma_at_one_scale_from_both_sides() -> None:
    figure = every_figure()["skeleton"]
    front, side = figure.axes
    figure.draw_without_rendering()
    inches = [np.ptp(axis.transData.transform([(0, 0), (1, 1)]), axis=0).tolist() for axis in (front, side)]
    assert np.ptp(inches) < 1e-9, "along both axes of both panels"
    assert front.get_ylim() == side.get_ylim()
    drawn = [lines for lines in side.collections if isinstance(lines, LineCollection)]
    assert [np.asarray(lines.get_segments()).tolist() for lines in drawn] == [
        [],
        [[[0.0, 60.0], [0.0, 100.0]]],
        [],
        [[[20.0, 130.0], [0.0, 100.0]]],
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "dendrite (0.0 mm)",
        "axon (0.0 mm)",
        "input synapses (2)",
        "output synapses (1)",
    ]
    assert len(plots.skeleton(VERTICES).legends[0].get_texts()) == 2
    with pytest.raises(UsageError, match="shows one cell, and the frame has 2"):
        plots.skeleton(pl.concat([VERTICES, VERTICES.with_columns(pt_root_id=pl.lit(2, pl.Int64))]))


def test_what_a_figure_needs_is_said() -> None:
    with pytest.raises(
        UsageError, match=r"needs the columns depth_um, nucleus_volume_um3, cell_type; the frame has no "
    ):
        plots.depth_volume(pl.DataFrame({"depth_um": [1.0]}))
    with pytest.raises(UsageError, match="no rows"):
        plots.bars(CELLS.clear(), "cell_type", "depth_um")
    with pytest.raises(UsageError, match="frames of 4 and 3 rows"):
        plots.matrix(np.ones((4, 4)), CELLS, CELLS[:3])


def test_a_figure_says_whose_data_it_shows(small: SmallWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    small.given(1718, nucleus_detection_v0="id\n1")
    monkeypatch.setattr(style, "_source", "")
    assert plots.bars(CELLS, "cell_type", "depth_um").texts == []
    plots.use(small.connect())
    (mark,) = plots.bars(CELLS, "cell_type", "depth_um").texts
    assert mark.get_text() == "synthetic, not biology (minnie65_public v1718)"


# Linear RGB as it is seen, after Machado, Oliveira and Fernandes (2009), severity 1.
VISION = {
    "normal": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "protanopia": (0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998),
    "deuteranopia": (0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881),
    "tritanopia": (1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039),
}
TO_CONES = [
    [0.41222147, 0.53633254, 0.05144599],
    [0.2119035, 0.68069955, 0.10739696],
    [0.08830246, 0.28171884, 0.6299787],
]
TO_OKLAB = [
    [0.21045426, 0.79361779, -0.00407205],
    [1.9779985, -2.4285922, 0.4505937],
    [0.0259040, 0.78277177, -0.80867577],
]


def seen(colour: str, vision: str) -> npt.NDArray[np.float64]:
    """A colour in OKLab, as a person sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.array(TO_CONES) @ (np.reshape(VISION[vision], (3, 3)) @ linear).clip(0, 1)
    lab: npt.NDArray[np.float64] = np.array(TO_OKLAB) @ np.cbrt(cones)
    return lab


@pytest.mark.parametrize("vision", VISION)
def test_types_stay_apart_for_colour_blind_readers(vision: str) -> None:
    types = [name for name in plots.COLOURS if name not in {"excitatory", "inhibitory", "nonneuron", "unknown"}]
    near = {
        (a, b): np.linalg.norm(seen(plots.COLOURS[a], vision) - seen(plots.COLOURS[b], vision))
        for a, b in itertools.combinations(types, 2)
        if style.marker_of(a) == style.marker_of(b)  # other markers tell the others apart
    }
    pair = min(near, key=lambda each: near[each])
    assert near[pair] > 0.09, f"{pair} look alike"  # 0.02 is just noticeable
    classes = ("excitatory", "inhibitory", "nonneuron")
    assert all(
        np.linalg.norm(seen(plots.COLOURS[a], vision) - seen(plots.COLOURS[b], vision)) > 0.065
        for a, b in itertools.combinations(classes, 2)
    )
