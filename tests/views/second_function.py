"""Recorded units once more, in polars: a second implementation, which imports nothing from the project.

`tables` has CAVE's tables by name, those that are there; `cells` and `connected` are as in `second.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from tests.views.second import connected, ends, senders, single_soma

Tables = Mapping[str, pl.DataFrame]
KEY = ["session", "scan_idx", "unit_id"]
MATCHES = {
    "manual": "coregistration_manual_v4",
    "combined": "coregistration_auto_phase3_fwd_apl_vess_combined_v2",
    "automatic": "coregistration_auto_phase3_fwd_v2",
    "vessel": "apl_functional_coreg_vess_fwd",
}
"""From the method that is believed first to the one that is believed last."""
TWINS = [
    "digital_twin_properties_bcm_coreg_v4",
    "digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2",
    "digital_twin_properties_bcm_coreg_apl_vess_fwd",
]
OLDER = "functional_properties_v3_bcm"
ANGLES = {"pref_ori": 180, "pref_dir": 360}
VALUES = ["cc_abs", "cc_max", "readout_loc_x", "readout_loc_y"]


def matches(tables: Tables) -> pl.DataFrame:
    """One nucleus for each unit and method: the nearest, then the older annotation; with the number of all."""
    rows = [tables[name].select(*KEY, "target_id") for name in MATCHES.values() if name in tables]
    all_nuclei = pl.concat(rows).group_by(KEY).agg(n_nuclei_of_unit=pl.col("target_id").n_unique())
    chosen = pl.concat(
        tables[name]
        .sort("residual", "id", nulls_last=True)
        .unique(KEY, keep="first", maintain_order=True)
        .select(*KEY, nucleus_id="target_id", residual_um=pl.col("residual"), match_source=pl.lit(source))
        for source, name in MATCHES.items()
        if name in tables
    )
    return chosen.join(all_nuclei, on=KEY)


def tuning(tables: Tables) -> pl.DataFrame:
    """One row per unit: the twin's tables in their order, then the older, turned into the twin's convention."""
    frames = list(_tunings(tables))
    empty = pl.DataFrame(schema=dict.fromkeys(KEY, pl.Int64) | dict.fromkeys(VALUES, pl.Float64))
    empty = empty.with_columns(
        pl.lit(None, pl.String).alias("tuning_source"),
        *(pl.lit(None, pl.Float64).alias(f"{name}_deg") for name in ANGLES),
    )
    return pl.concat([*frames, empty], how="diagonal_relaxed").unique(KEY, keep="first", maintain_order=True)


def _tunings(tables: Tables) -> Iterator[pl.DataFrame]:
    for name in (*TWINS, OLDER):
        if name in tables:
            rows = tables[name].sort("id", descending=True)
            angles = (_in_degrees(each, name == OLDER) for each in ANGLES)
            values = (_number(each) for each in VALUES if each in rows.columns)
            yield rows.select(*KEY, *values, *angles, tuning_source=pl.lit(name))


def _number(name: str) -> pl.Expr:
    """In 32 bits, as CAVE gives it."""
    return pl.col(name).cast(pl.Float32).cast(pl.Float64)


def _in_degrees(name: str, older: bool) -> pl.Expr:
    angle = _number(name)
    if older:  # radians clockwise from a horizontal bar moving up, which is at 90 degrees
        around = ANGLES[name]
        turned = 90 - angle.degrees()
        angle = turned - (turned / around).floor() * around
    return angle.alias(f"{name}_deg")


def functional_units(tables: Tables) -> pl.DataFrame:
    return matches(tables).join(tuning(tables), on=KEY, how="left")


def functional_best(tables: Tables) -> pl.DataFrame:
    """The method decides, then how well the unit is predicted, then how near it lies, then its number."""
    scan = ["session", "scan_idx", "match_source"]
    rank = pl.col("match_source").replace_strict({source: number for number, source in enumerate(MATCHES)})
    units = functional_units(tables).with_columns(
        rank.alias("rank"),
        pl.len().over("nucleus_id", "match_source").alias("n_units"),
        *(
            (pl.col(f"readout_loc_{axis}") - pl.col(f"readout_loc_{axis}").mean().over(scan)).alias(
                f"readout_in_scan_{axis}"
            )
            for axis in "xy"
        ),
    )
    order = ["nucleus_id", "rank", "cc_abs", "cc_max", "residual_um", *KEY]
    falling = [name in ("cc_abs", "cc_max") for name in order]
    best = units.sort(order, descending=falling, nulls_last=True).unique("nucleus_id", keep="first")
    return best.with_columns(n_cells_of_unit=pl.len().over(KEY)).drop("rank")


def functional_pairs(tables: Tables, cells: pl.DataFrame, synapses: pl.DataFrame) -> pl.DataFrame:
    """All ordered pairs of recorded cells, the first with a proofread axon."""
    columns = ["nucleus_id", "x_nm", "y_nm", "z_nm", *(["visual_area"] if "visual_area" in cells.columns else [])]
    recorded = functional_best(tables).join(single_soma(cells).select(columns), on="nucleus_id")
    ours = senders(cells)["nucleus_id"].implode()
    pairs = (
        ends(recorded.filter(pl.col("nucleus_id").is_in(ours)), "pre")
        .join(ends(recorded, "post"), how="cross")
        .filter(pl.col("pre_nucleus_id") != pl.col("post_nucleus_id"))
        .join(connected(cells, synapses), on=["pre_nucleus_id", "post_nucleus_id"], how="left")
        .with_columns(pl.col("n_syn", "sum_size").fill_null(0))
    )
    same = {
        "is_same_tuning_source": ["tuning_source"],
        "is_same_scan": ["session", "scan_idx"],
        "is_same_unit": KEY,
    }
    same |= {"is_same_area": ["visual_area"]} if "visual_area" in columns else {}
    return pairs.select(
        "pre_nucleus_id",
        "post_nucleus_id",
        "n_syn",
        "sum_size",
        is_connected=pl.col("n_syn") > 0,
        pre_n_syn=pl.col("n_syn").sum().over("pre_nucleus_id"),
        delta_ori_deg=_apart("pref_ori_deg", 180),
        delta_dir_deg=_apart("pref_dir_deg", 360),
        readout_distance_deg=_angle("readout_loc_x", "readout_loc_y"),
        readout_distance_in_scan_deg=_angle("readout_in_scan_x", "readout_in_scan_y"),
        soma_distance_um=_distance("x_nm", "y_nm", "z_nm") / 1000,
        **{name: pl.all_horizontal(*(_both(each) for each in of)) for name, of in same.items()},
    )


def _both(name: str) -> pl.Expr:
    return pl.col(f"pre_{name}") == pl.col(f"post_{name}")


def _apart(name: str, around: int) -> pl.Expr:
    """On the circle: the shortest of the ways there."""
    angle = pl.col(f"pre_{name}") - pl.col(f"post_{name}")
    return pl.min_horizontal(*((angle + turns * around).abs() for turns in (-1, 0, 1)))


def _angle(x: str, y: str) -> pl.Expr:
    """Between the lines of sight to two points of a monitor of 55.2 x 31 cm, 15 cm away, by the law of cosines."""
    eye = {
        end: (pl.col(f"{end}_{x}").cast(pl.Float64) * 27.6, pl.col(f"{end}_{y}").cast(pl.Float64) * 15.5)
        for end in ("pre", "post")
    }
    one, other = ((across**2 + up**2 + 15**2) for across, up in eye.values())
    side = (eye["pre"][0] - eye["post"][0]) ** 2 + (eye["pre"][1] - eye["post"][1]) ** 2
    return ((one + other - side) / (2 * (one * other).sqrt())).clip(-1, 1).arccos().degrees()


def _distance(*names: str) -> pl.Expr:
    squares = (
        (pl.col(f"pre_{name}").cast(pl.Float64) - pl.col(f"post_{name}").cast(pl.Float64)) ** 2 for name in names
    )
    return pl.sum_horizontal(*squares, ignore_nulls=False).sqrt()
