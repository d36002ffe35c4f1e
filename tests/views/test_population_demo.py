"""Populations of the synthetic volume against a second implementation in polars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from warehouse.query.session import connect

if TYPE_CHECKING:
    from warehouse.query.session import Warehouse
    from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow

PRE, POST = pl.col("pre_pt_root_id"), pl.col("post_pt_root_id")
TYPES = ["pre_strategy_axon", "pre_cell_type", "post_cell_type"]
BIN = 25


@pytest.fixture(scope="module")
def demo(synthetic: Folder) -> Iterator[Warehouse]:
    with connect(root=synthetic.path.parent) as opened:
        yield opened


@pytest.fixture(scope="module")
def synapses(demo: Warehouse) -> pl.DataFrame:
    """Of CAVE's table: what connects two segments."""
    rows: pl.DataFrame = demo.sql("SELECT pre_pt_root_id, post_pt_root_id, size FROM synapses_pni_2").pl()
    return rows.filter(PRE != POST, ~PRE.is_in([0, 1]), ~POST.is_in([0, 1]))


@pytest.fixture(scope="module")
def cells(demo: Warehouse) -> pl.DataFrame:
    """Cells alone on their segment; `is_pre` where outputs may be analysed and the axon was not edited since."""
    rows: pl.DataFrame = demo.sql(
        "SELECT nucleus_id, pt_root_id, cell_type, status_axon, strategy_axon, is_current, "
        "x_nm, y_nm, z_nm, edge_distance_um FROM cells"
    ).pl()
    alone = rows.filter(~pl.col("pt_root_id").is_in([0, 1]), pl.len().over("pt_root_id") == 1)
    analysable = pl.col("status_axon") & (pl.col("strategy_axon") != "none") & pl.col("is_current")
    return alone.with_columns(is_pre=analysable.fill_null(False))


@pytest.fixture(scope="module")
def pairs(cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    """Every possible ordered pair, with its synapses and its distances."""
    pre = cells.filter("is_pre").select(pl.all().name.prefix("pre_"))
    post = cells.select(pl.all().name.prefix("post_"))
    counts = synapses.group_by("pre_pt_root_id", "post_pt_root_id").agg(
        pl.len().cast(pl.Int64).alias("n_syn"), pl.col("size").cast(pl.Int64).sum().alias("sum_size")
    )
    dx, dy, dz = ((pl.col(f"pre_{axis}_nm") - pl.col(f"post_{axis}_nm")).cast(pl.Float64) for axis in "xyz")
    space = (dx**2 + dy**2 + dz**2).sqrt() / 1000
    return (
        pre.join(post, how="cross")
        .filter(pl.col("pre_nucleus_id") != pl.col("post_nucleus_id"))
        .join(counts, on=["pre_pt_root_id", "post_pt_root_id"], how="left")
        .with_columns(pl.col("n_syn", "sum_size").fill_null(0), from_um=(space // BIN * BIN).cast(pl.Int32))
        .with_columns(inside=pl.col("pre_edge_distance_um") >= pl.col("from_um") + BIN)
    )


def same(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    assert_frame_equal(
        ours, theirs.select(ours.columns), check_row_order=False, check_dtypes=False, check_exact=False
    )


def test_type_connectivity_is_that_of_the_second_implementation(demo: Warehouse, pairs: pl.DataFrame) -> None:
    theirs = pairs.group_by(TYPES).agg(
        n_possible=pl.len(),
        n_connected=(pl.col("n_syn") > 0).sum(),
        n_syn=pl.col("n_syn").sum(),
        sum_size=pl.col("sum_size").sum(),
    )
    assert theirs["n_connected"].sum() > 0
    columns = ", ".join([*TYPES, "n_possible", "n_connected", "n_syn", "sum_size"])
    same(demo.sql(f"SELECT {columns} FROM cell_type_connectivity WHERE n_possible > 0").pl(), theirs)


def test_rows_of_cells_add_up_to_rows_of_types(demo: Warehouse) -> None:
    counts = "n_possible, n_connected, n_syn, sum_size"
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in counts.split(", "))
    by_cell = f"SELECT {', '.join(TYPES)}, {sums} FROM connectivity_by_cell WHERE pre_is_current GROUP BY ALL"
    same(demo.sql(f"SELECT {', '.join(TYPES)}, {counts} FROM cell_type_connectivity").pl(), demo.sql(by_cell).pl())


def test_bins_are_those_of_the_second_implementation(demo: Warehouse, pairs: pl.DataFrame) -> None:
    connected = pl.col("n_syn") > 0
    theirs = pairs.group_by(*TYPES, pl.col("from_um").alias("distance_from_um")).agg(
        n_possible=pl.len(),
        n_connected=connected.sum(),
        n_possible_inside=pl.col("inside").sum(),
        n_connected_inside=(connected & pl.col("inside")).sum(),
    )
    assert 0 < theirs["n_possible_inside"].sum() < theirs["n_possible"].sum()
    counts = "n_possible, n_connected, n_possible_inside, n_connected_inside"
    ours = (
        f"SELECT {', '.join(TYPES)}, distance_from_um, {counts} FROM distance_dependence WHERE measure = 'space'"
    )
    same(demo.sql(ours).pl(), theirs)


def test_degrees_are_those_of_the_second_implementation(demo: Warehouse, synapses: pl.DataFrame) -> None:
    nuclei = demo.sql("SELECT pt_root_id FROM _nuclei WHERE pt_root_id NOT IN (0, 1)").pl()
    roots = nuclei.group_by("pt_root_id").len("n_nuclei_on_root")
    alone = roots.filter(pl.col("n_nuclei_on_root") == 1)["pt_root_id"]

    def side(own: str, partner: str, syn: str, name: str) -> pl.DataFrame:
        partners = pl.col(partner)
        return synapses.group_by(pl.col(own).alias("pt_root_id")).agg(
            pl.len().alias(syn),
            partners.n_unique().alias(f"{name}_segments"),
            partners.filter(partners.is_in(alone.implode())).n_unique().alias(f"{name}_cells"),
        )

    theirs = (
        roots.join(side("post_pt_root_id", "pre_pt_root_id", "n_input_syn", "n_pre"), on="pt_root_id", how="left")
        .join(side("pre_pt_root_id", "post_pt_root_id", "n_output_syn", "n_post"), on="pt_root_id", how="left")
        .fill_null(0)
    )
    columns = "n_input_syn, n_pre_segments, n_pre_cells, n_output_syn, n_post_segments, n_post_cells"
    same(demo.sql(f"SELECT pt_root_id, n_nuclei_on_root, {columns} FROM in_out_degree").pl(), theirs)


def test_compartments_add_up_to_all_inputs(demo: Warehouse) -> None:
    sums = "sum(n_spine_syn + n_shaft_syn + n_soma_syn + n_untagged_syn), sum(n_spine_syn) > 0"
    classes = "sum(n_excitatory + n_inhibitory + n_nonneuron + n_unknown), sum(n_input_syn)"
    ((tagged, some, classed, inputs),) = demo.sql(f"SELECT {sums}, {classes} FROM ei_balance").fetchall()
    assert some
    assert tagged == classed == inputs
