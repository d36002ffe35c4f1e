"""The central views against a second implementation, on tables out of a real server.

The second implementation reads the recorded Parquet files with polars and imports nothing from this project.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

pytestmark = pytest.mark.slow

Ask = Callable[[int, str], pl.DataFrame]
PAIR = ["pre_pt_root_id", "post_pt_root_id"]
CLASSES = {"excitatory_neuron": "excitatory", "inhibitory_neuron": "inhibitory", "nonneuron": "nonneuron"}
BOUNDS = [0, 91.80615154, 261.21908419, 391.8631847, 537.04973966, 753.58049474]
LAYERS = ["above", "L1", "L2/3", "L4", "L5", "L6", "WM"]


class Tables:
    """The valid rows of the recorded tables of a version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self._folder / f"{name}.parquet").filter("valid")


@pytest.fixture(params=[943, 1300])
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def tables(shared_dir: Path, version: int) -> Tables:
    return Tables(shared_dir / "cave-recordings" / "tables" / f"v{version}")


def connections(tables: Tables) -> pl.DataFrame:
    synapses = tables("synapses_pni_2").with_columns(pl.col(PAIR).fill_null(1))
    pre, post = map(pl.col, PAIR)
    return (
        synapses.filter(pre != post, ~pre.is_in([0, 1]), ~post.is_in([0, 1]))
        .group_by(PAIR)
        .agg(
            pl.len().cast(pl.Int64).alias("n_syn"),
            pl.col("size").sum().cast(pl.Int64).alias("sum_size"),
            pl.col("size").mean().alias("mean_size"),
        )
        .sort(PAIR)
    )


def proofreading(tables: Tables, version: int) -> pl.DataFrame:
    """One row per root: current before stale, then a proofread axon, then the latest."""
    if version == 943:
        words = {"non": "none", "clean": "clean", "extended": "extended"}
        axons = {"none": "none", "clean": "axon_clean", "extended": "axon_fully_extended"}
        dendrites = {"none": "none", "clean": "dendrite_clean", "extended": "dendrite_extended"}
        old = tables("proofreading_status_public_release")
        rows = old.with_columns(
            pl.col("status_axon").replace_strict(words).replace_strict(axons).alias("strategy_axon"),
            pl.col("status_dendrite").replace_strict(words).replace_strict(dendrites).alias("strategy_dendrite"),
            pl.col("status_axon", "status_dendrite") != "non",
        )
    else:
        rows = tables("proofreading_status_and_strategy")
    return (
        rows.filter(~pl.col("pt_root_id").is_in([0, 1]))
        .with_columns((pl.col("valid_id") == pl.col("pt_root_id")).alias("is_current"))
        .sort("is_current", "status_axon", "id", descending=True)
        .unique("pt_root_id", keep="first", maintain_order=True)
        .select(
            "pt_root_id",
            "valid_id",
            "is_current",
            "status_dendrite",
            "strategy_dendrite",
            "status_axon",
            "strategy_axon",
        )
        .sort("pt_root_id")
    )


def cells(tables: Tables, version: int) -> pl.DataFrame:
    nuclei = tables("nucleus_detection_v0").with_columns(pl.col("pt_root_id").fill_null(1))
    counts = nuclei.filter(~pl.col("pt_root_id").is_in([0, 1])).group_by("pt_root_id").len("n_nuclei_on_root")
    types = tables("aibs_metamodel_celltypes_v661").sort("id").unique("target_id", keep="last")
    # A unit is of one cell: of two that are matched to it, the one that is nearer.
    matches = tables("coregistration_manual_v4").sort("residual", "id")
    units = matches.unique(["session", "scan_idx", "unit_id"], keep="first").select("target_id").unique()
    units = units.with_columns(seen=True)
    angle = math.radians(5)
    depth = (
        pl.col("pt_position_x") * 4 * math.sin(angle)
        + pl.col("pt_position_y") * 4 * math.cos(angle)
        - 396671.0322102845
    ) / 1000
    status = proofreading(tables, version)
    frame = (
        nuclei.join(counts, "pt_root_id", how="left")
        .join(
            types.select("target_id", "cell_type", "classification_system"),
            left_on="id",
            right_on="target_id",
            how="left",
        )
        .join(status, "pt_root_id", how="left")
        .join(units, left_on="id", right_on="target_id", how="left")
        .with_columns(depth.alias("depth_um"))
    )
    layer = pl.lit(LAYERS[0])
    for bound, name in zip(BOUNDS, LAYERS[1:], strict=True):
        layer = pl.when(pl.col("depth_um") >= bound).then(pl.lit(name)).otherwise(layer)
    return frame.select(
        pl.col("id").alias("nucleus_id"),
        "pt_root_id",
        pl.col("n_nuclei_on_root").cast(pl.Int64),
        (pl.col("n_nuclei_on_root") == 1).fill_null(False).alias("is_single_soma"),
        pl.col("classification_system").replace_strict(CLASSES, default=None).alias("cell_class"),
        "cell_type",
        "depth_um",
        layer.replace({"above": None}).alias("layer"),
        "status_axon",
        "strategy_axon",
        "is_current",
        pl.col("seen").alias("is_coregistered"),
    ).sort("nucleus_id")


def test_connections(recorded: Ask, tables: Tables, version: int) -> None:
    expected = connections(tables)
    assert len(expected) > 10_000
    columns = ", ".join(expected.columns)
    assert_frame_equal(recorded(version, f"SELECT {columns} FROM connections ORDER BY ALL"), expected)


def test_proofreading(recorded: Ask, tables: Tables, version: int) -> None:
    expected = proofreading(tables, version)
    columns = ", ".join(expected.columns)
    assert_frame_equal(recorded(version, f"SELECT {columns} FROM proofreading ORDER BY pt_root_id"), expected)


def test_cells(recorded: Ask, tables: Tables, version: int) -> None:
    expected = cells(tables, version)
    columns = ", ".join(expected.columns)
    assert_frame_equal(recorded(version, f"SELECT {columns} FROM cells ORDER BY nucleus_id"), expected)


def test_connections_proofread(recorded: Ask, tables: Tables, version: int) -> None:
    axons = proofreading(tables, version).filter(pl.col("status_axon"), pl.col("strategy_axon") != "none")
    expected = (
        connections(tables)
        .join(axons.select(pl.col("pt_root_id", "strategy_axon", "is_current").name.prefix("pre_")), on=PAIR[0])
        .sort(PAIR)
    )
    columns = ", ".join(expected.columns)
    found = recorded(version, f"SELECT {columns} FROM connections_proofread ORDER BY ALL")
    assert len(found) > 1000
    assert_frame_equal(found, expected, check_row_order=False)


def test_what_needs_an_absent_table_refuses_or_is_empty(recorded: Ask, version: int) -> None:
    with pytest.raises(Exception, match="neurons needs the table nucleus_ref_neuron_svm"):
        recorded(version, "SELECT count(*) FROM neurons")
    assert recorded(version, "FROM nucleus_alternative_points").is_empty()
    assert recorded(version, "SELECT DISTINCT is_neuron FROM cells").rows() == [(None,)]
    assert recorded(version, "SELECT DISTINCT root_source FROM cells").rows() == [("centroid",)]


def test_root_changes(recorded: Ask, shared_dir: Path) -> None:
    older, newer = (
        Tables(shared_dir / f"cave-recordings/tables/v{number}")("nucleus_detection_v0") for number in (943, 1300)
    )
    both = older.join(newer, "id").filter(pl.col("pt_root_id") != pl.col("pt_root_id_right"))
    changes = recorded(1300, "FROM root_id_changes WHERE change = 'root changed' ORDER BY nucleus_id")
    assert changes["nucleus_id"].to_list() == both["id"].sort().to_list()
