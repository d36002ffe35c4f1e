"""Populations once more, in polars: a second implementation, which imports nothing from the project.

`cells` has a row per nucleus, with the columns of that name in the view `cells`; `synapses` are CAVE's rows;
`axons` are the segments whose axon was proofread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

SUMS = (pl.len().cast(pl.Int64).alias("n_syn"), pl.col("size").cast(pl.Int64).sum().alias("sum_size"))
TYPES = ["pre_strategy_axon", "pre_cell_type", "post_cell_type"]
CLASSES = ("excitatory", "inhibitory", "nonneuron")
PLACES = ("spine", "shaft", "soma")
NO_TAGS = pl.DataFrame(schema={"target_id": pl.Int64, "tag": pl.String})
BIN = 25


def single_soma(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells that are alone on their segment."""
    on_root = pl.len().over("pt_root_id")
    return cells.filter(on_root == 1, ~pl.col("pt_root_id").is_in([0, 1]))


def senders(cells: pl.DataFrame) -> pl.DataFrame:
    """Those of them whose outputs may be analysed."""
    return single_soma(cells).filter(pl.col("status_axon"), pl.col("strategy_axon") != "none")


def ends(cells: pl.DataFrame, end: str) -> pl.DataFrame:
    return cells.select(pl.all().name.prefix(f"{end}_"))


def connected(cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    """Connected ordered pairs of a sender and another cell."""
    return (
        synapses.filter(pl.col("pre_pt_root_id") != pl.col("post_pt_root_id"))
        .join(ends(senders(cells), "pre"), on="pre_pt_root_id")
        .join(ends(single_soma(cells), "post"), on="post_pt_root_id")
        .group_by("pre_nucleus_id", "post_nucleus_id")
        .agg(*SUMS)
    )


def possible(cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    """All ordered pairs of a sender and another cell, with what connects them."""
    return (
        ends(senders(cells), "pre")
        .join(ends(single_soma(cells), "post"), how="cross")
        .filter(pl.col("pre_nucleus_id") != pl.col("post_nucleus_id"))
        .join(connected(cells, synapses), on=["pre_nucleus_id", "post_nucleus_id"], how="left")
        .with_columns(pl.col("n_syn", "sum_size").fill_null(0))
    )


def counted(pairs: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return pairs.group_by(by).agg(
        pl.len().cast(pl.Int64).alias("n_possible"),
        (pl.col("n_syn") > 0).sum().cast(pl.Int64).alias("n_connected"),
        pl.col("n_syn", "sum_size").sum(),
    )


def cell_type_connectivity(cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    current = possible(cells, synapses).filter("pre_is_current")
    return counted(current, TYPES)


def connectivity_by_cell(cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    return counted(possible(cells, synapses), ["pre_nucleus_id", "pre_strategy_axon", "post_cell_type"])


def distance_dependence(cells: pl.DataFrame, synapses: pl.DataFrame, measure: str) -> pl.DataFrame:
    """`measure` space, or lateral: along the sheet, which lies at 5 degrees to x."""
    dx, dy, dz = ((pl.col(f"pre_{axis}_nm") - pl.col(f"post_{axis}_nm")).cast(pl.Float64) / 1000 for axis in "xyz")
    across = math.cos(math.radians(5)) * dx - math.sin(math.radians(5)) * dy
    squared = across**2 + dz**2 if measure == "lateral" else dx**2 + dy**2 + dz**2
    current = possible(cells, synapses).filter("pre_is_current")
    placed = current.with_columns((squared.sqrt() // BIN * BIN).cast(pl.Int32).alias("distance_from_um"))
    return counted(placed, [*TYPES, "distance_from_um"]).drop("sum_size")


def reciprocal_pairs(cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    """Unordered pairs of two senders with a synapse in either direction."""
    ours = senders(cells)["nucleus_id"].implode()
    rows = connected(cells, synapses).filter(pl.col("post_nucleus_id").is_in(ours))
    a, b = pl.col("pre_nucleus_id"), pl.col("post_nucleus_id")
    there = rows.filter(a < b).select(a.alias("nucleus_id_a"), b.alias("nucleus_id_b"), n_syn_ab="n_syn")
    back = rows.filter(b < a).select(b.alias("nucleus_id_a"), a.alias("nucleus_id_b"), n_syn_ba="n_syn")
    return there.join(back, on=["nucleus_id_a", "nucleus_id_b"], how="full", coalesce=True).with_columns(
        pl.col("n_syn_ab", "n_syn_ba").fill_null(0),
        is_reciprocal=pl.col("n_syn_ab").is_not_null() & pl.col("n_syn_ba").is_not_null(),
    )


def ei_balance(
    cells: pl.DataFrame, synapses: pl.DataFrame, axons: pl.Series, tags: Sequence[pl.DataFrame]
) -> pl.DataFrame:
    """Inputs of each cell by the class of the presynaptic cell and by what they land on, as the first tags say."""
    pre = pl.col("pre_pt_root_id")
    known = pl.concat([frame.select("target_id", "tag") for frame in tags] or [NO_TAGS]).drop_nulls()
    once = known.unique("target_id", keep="first", maintain_order=True)
    counts = {
        f"n_{place}_{name}": (pl.col("tag").fill_null("untagged") == place) & of
        for place in (*PLACES, "untagged")
        for name, of in {
            "syn": pl.lit(True),
            "excitatory": (pl.col("pre_cell_class") == "excitatory").fill_null(False),
            "inhibitory": (pl.col("pre_cell_class") == "inhibitory").fill_null(False),
        }.items()
    }
    classed = ends(single_soma(cells).select("pt_root_id", "cell_class"), "pre")
    return (
        synapses.filter(pre != pl.col("post_pt_root_id"), ~pre.is_in([0, 1]))
        .join(ends(single_soma(cells).select("nucleus_id", "pt_root_id"), "post"), on="post_pt_root_id")
        .join(classed, on="pre_pt_root_id", how="left")
        .join(once, left_on="id", right_on="target_id", how="left")
        .group_by(pl.col("post_nucleus_id").alias("nucleus_id"))
        .agg(
            pl.len().cast(pl.Int64).alias("n_input_syn"),
            *((pl.col("pre_cell_class") == name).sum().alias(f"n_{name}") for name in CLASSES),
            pl.col("pre_cell_class").is_null().sum().alias("n_unknown"),
            pre.is_in(axons.implode()).mean().alias("proofread_fraction"),
            # Without a table of tags, nobody was asked.
            **{name: condition.sum() if tags else pl.lit(None, pl.Int64) for name, condition in counts.items()},
        )
    )
