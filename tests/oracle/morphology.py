"""Skeletons, their cable, and the point of a skeleton that each synapse is nearest to."""

from __future__ import annotations

from functools import cache

import polars as pl

from tests.oracle.dataset import VOXEL, across, depth, straight
from tests.oracle.ids import Ids, roots
from tests.oracle.synapses import placed
from tests.oracle.tables import Version, count

CODES = {1: "soma", 2: "axon", 3: "dendrite", 4: "apical dendrite"}
POINTS = "skeleton_vertices"


@cache
def skeletons(version: Version) -> pl.DataFrame:
    rows = version.tables[POINTS]
    x, y = pl.col("x_nm"), pl.col("y_nm")
    code = pl.col("compartment_code").cast(pl.Int64)
    return rows.select(
        *("pt_root_id", "vertex", "parent_vertex", "x_nm", "y_nm", "z_nm", "radius_nm"),
        compartment=code.replace_strict(CODES, default=None, return_dtype=pl.String),
        depth_um=depth(x, y),
        across_um=across(x, y),
        length_um=pl.col("length_nm") / 1000,
        path_um=pl.col("path_nm") / 1000,
    )


def cable_length(version: Version) -> pl.DataFrame:
    rows = skeletons(version).with_columns(pl.col("compartment").fill_null("unknown"))
    return rows.group_by("pt_root_id", "compartment").agg(
        n_vertices=count(),
        cable_um=pl.col("length_um").sum(),
        longest_path_um=pl.col("path_um").max(),
    )


def on_side(version: Version, ids: Ids, side: str, here: str, there: str) -> pl.DataFrame:
    """The synapses that cells have on one side, with the point on them; else with the centre."""
    rows = placed(version).filter(pl.col(f"{here}_pt_root_id").is_in(roots(version, ids)))
    point = {axis: [f"{here}_pt_position_{axis}", f"ctr_pt_position_{axis}"] for axis in VOXEL}
    source = pl.when(pl.col(point["x"][0]).is_not_null()).then(pl.lit("side"))
    return rows.select(
        *("id", "size", "is_autapse"),
        *((pl.coalesce(names) * float(VOXEL[axis])).alias(f"{axis}_nm") for axis, names in point.items()),
        side=pl.lit(side),
        pt_root_id=f"{here}_pt_root_id",
        partner_pt_root_id=f"{there}_pt_root_id",
        point_source=source.when(pl.col(point["x"][1]).is_not_null()).then(pl.lit("centre")),
    )


def synapses_on_skeleton(version: Version, ids: Ids, side: str = "both", within_um: float = 15) -> pl.DataFrame:
    """Each synapse is compared with every point of its own cell."""
    sides = []
    if side in ("both", "input", "in"):
        sides.append(on_side(version, ids, "input", "post", "pre"))
    if side in ("both", "output", "out"):
        sides.append(on_side(version, ids, "output", "pre", "post"))
    rows = pl.concat(sides)
    x, y = pl.col("x_nm"), pl.col("y_nm")
    rows = rows.with_columns(depth_um=depth(x, y), across_um=across(x, y))
    points = skeletons(version).select(
        "pt_root_id",
        "vertex",
        "compartment",
        "path_um",
        *(pl.col(f"{each}_nm").alias(f"to_{each}") for each in VOXEL),
    )
    steps = [(pl.col(f"{axis}_nm") - pl.col(f"to_{axis}")).cast(pl.Float64) for axis in VOXEL]
    key = ["pt_root_id", "id", "side"]
    near = rows.join(points, on="pt_root_id").with_columns(skeleton_distance_um=straight(*steps))
    near = near.filter(pl.col("skeleton_distance_um") <= within_um).sort("skeleton_distance_um", "vertex")
    nearest = near.unique(key, keep="first", maintain_order=True)
    found = nearest.select(*key, "vertex", "skeleton_distance_um", "compartment", "path_um")
    return rows.join(found, on=key, how="left")


VIEWS = {"skeletons": skeletons, "cable_length": cable_length}
MACROS = {"synapses_on_skeleton": synapses_on_skeleton}
