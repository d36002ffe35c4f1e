"""Recorded units: which cell each is of, how it is tuned, and how alike two cells are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import polars as pl

from tests.oracle.cells import cells, single_cells
from tests.oracle.connectivity import connected, senders
from tests.oracle.dataset import between_ends
from tests.oracle.steps import COREGISTRATIONS, UNIT, matches, nuclei
from tests.oracle.tables import Version, count, latest, named

TWINS = [
    "digital_twin_properties_bcm_coreg_v4",
    "digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2",
    "digital_twin_properties_bcm_coreg_apl_vess_fwd",
]
OLDER = "functional_properties_v3_bcm"
ANGLES = {"pref_ori": 180, "pref_dir": 360}
INDICES = ["gOSI", "gDSI", "OSI", "DSI", "cc_abs", "cc_max", "cc_norm", "readout_loc_x", "readout_loc_y"]
TUNING = [*(f"{name}_{unit}" for name in ANGLES for unit in ("deg", "rad")), *INDICES]
MONITOR_CM = {"width": 55.2, "height": 31.0, "distance": 15.0}


def tuning(version: Version) -> pl.DataFrame:
    """One row per unit: from the first of the twin's tables that has it, else from the older model."""
    empty = pl.DataFrame(schema=dict.fromkeys(UNIT, pl.Int64) | dict.fromkeys(TUNING, pl.Float64))
    empty = empty.with_columns(pl.lit(None, pl.String).alias("tuning_source"))
    frames = [*_tunings(version), empty]
    return pl.concat(frames, how="diagonal_relaxed").unique(UNIT, keep="first", maintain_order=True)


def _tunings(version: Version) -> Iterator[pl.DataFrame]:
    for name in (*TWINS, OLDER):
        if name in version.tables:
            rows = latest(version.tables[name], *UNIT)
            angles = [angle for each in ANGLES for angle in _angles(each, name == OLDER)]
            here = [pl.col(each).cast(pl.Float64) for each in INDICES if each in rows.columns]
            yield rows.select(*UNIT, *here, *angles, tuning_source=pl.lit(name))


def _angles(name: str, is_older: bool) -> list[pl.Expr]:
    """The older model counts in radians, clockwise, from a bar that moves up, which is at 90 degrees here."""
    angle = pl.col(name).cast(pl.Float64)
    if not is_older:
        return [angle.alias(f"{name}_deg")]
    turned, around = 90 - angle.degrees(), ANGLES[name]
    return [(turned - (turned / around).floor() * around).alias(f"{name}_deg"), angle.alias(f"{name}_rad")]


def functional_units(version: Version) -> pl.DataFrame:
    roots = nuclei(version).select("nucleus_id", "pt_root_id")
    return matches(version).join(tuning(version), on=UNIT, how="left").join(roots, on="nucleus_id", how="left")


@cache
def functional_best(version: Version) -> pl.DataFrame:
    """The method decides, then how well the unit is predicted, then how near it lies, then its number."""
    scan = ["session", "scan_idx", "match_source"]
    rank = {source: number for number, source in enumerate(COREGISTRATIONS)}
    units = functional_units(version).with_columns(
        pl.col("match_source").replace_strict(rank, return_dtype=pl.Int64).alias("rank"),
        count().over("nucleus_id", "match_source").alias("n_units"),
        *(
            (pl.col(f"readout_loc_{axis}") - pl.col(f"readout_loc_{axis}").mean().over(scan)).alias(
                f"readout_in_scan_{axis}"
            )
            for axis in "xy"
        ),
    )
    order = ["nucleus_id", "rank", "cc_abs", "cc_max", "residual_um", *UNIT]
    falling = [name in ("cc_abs", "cc_max") for name in order]
    best = units.sort(order, descending=falling, nulls_last=True).unique("nucleus_id", keep="first")
    alone = cells(version).select("nucleus_id", "is_single_soma")
    best = best.with_columns(n_cells_of_unit=count().over(UNIT)).join(alone, on="nucleus_id", how="left")
    return best.drop("rank", "pref_ori_rad", "pref_dir_rad")


def functional_pairs(version: Version) -> pl.DataFrame:
    """All ordered pairs of recorded cells that are alone on their segment, the first with a proofread axon."""
    of_cell = ["x_nm", "y_nm", "z_nm", "visual_area", "layer", "cell_class", "cell_type"]
    of_cell += ["strategy_axon", "is_current"]
    known = single_cells(version).select("nucleus_id", *of_cell)
    region = pl.when(pl.col("visual_area") == "V1").then(pl.lit("V1")).when(pl.col("visual_area") != "V1")
    recorded = (
        functional_best(version).join(known, on="nucleus_id").with_columns(region=region.then(pl.lit("HVA")))
    )
    ours = senders(version).select("nucleus_id")
    links = connected(version).select("pre_nucleus_id", "post_nucleus_id", "n_syn", "sum_size")
    pairs = (
        named(recorded.join(ours, on="nucleus_id", how="semi"), "pre")
        .join(named(recorded, "post"), how="cross")
        .filter(pl.col("pre_nucleus_id") != pl.col("post_nucleus_id"))
        .join(links, on=["pre_nucleus_id", "post_nucleus_id"], how="left")
    )
    same = {
        "is_same_tuning_source": ["tuning_source"],
        "is_same_scan": ["session", "scan_idx"],
        "is_same_unit": UNIT,
        "is_same_area": ["visual_area"],
    }
    in_scan = _angle("readout_in_scan_x", "readout_in_scan_y")
    pairs = between_ends(pairs).with_columns(
        is_connected=pl.col("n_syn").is_not_null(),
        mean_size=pl.col("sum_size") / pl.col("n_syn"),
        pre_n_syn=pl.col("n_syn").sum().over("pre_nucleus_id"),
        delta_ori_deg=_apart("pref_ori_deg", 180),
        delta_dir_deg=_apart("pref_dir_deg", 360),
        readout_distance_deg=_angle("readout_loc_x", "readout_loc_y"),
        readout_distance_in_scan_deg=in_scan,
        **{name: pl.all_horizontal(*(_both(each) for each in of)) for name, of in same.items()},
    )
    ends = ["nucleus_id", "pt_root_id", "visual_area", "region", "layer", "cell_class", "cell_type", *UNIT]
    ends += [
        "match_source",
        "n_nuclei_of_unit",
        "pref_ori_deg",
        "pref_dir_deg",
        "gOSI",
        "gDSI",
        "cc_abs",
        "cc_max",
    ]
    both = [f"{end}_{name}" for end in ("pre", "post") for name in ends]
    numbers = ["is_connected", "mean_size", "pre_n_syn", "delta_ori_deg", "delta_dir_deg", "readout_distance_deg"]
    numbers += ["readout_distance_in_scan_deg", "soma_distance_um", "soma_lateral_um", *same]
    counts = pl.col("n_syn", "sum_size").fill_null(0)
    return pairs.select(*both, *numbers, counts, "pre_strategy_axon", "pre_is_current")


def _both(name: str) -> pl.Expr:
    return pl.col(f"pre_{name}") == pl.col(f"post_{name}")


def _apart(name: str, around: int) -> pl.Expr:
    """On the circle: the shortest of the ways there."""
    angle = pl.col(f"pre_{name}") - pl.col(f"post_{name}")
    return pl.min_horizontal(*((angle + turns * around).abs() for turns in (-1, 0, 1)))


def _angle(x: str, y: str) -> pl.Expr:
    """Between the lines of sight to two points of the monitor, whose edges are at -1 and 1."""
    half = {x: MONITOR_CM["width"] / 2, y: MONITOR_CM["height"] / 2}
    ends = [[pl.col(f"{end}_{name}") * half[name] for name in (x, y)] for end in ("pre", "post")]
    dot = sum((a * b for a, b in zip(*ends, strict=True)), pl.lit(MONITOR_CM["distance"] ** 2))
    lengths = [(a**2 + b**2 + MONITOR_CM["distance"] ** 2).sqrt() for a, b in ends]
    return (dot / (lengths[0] * lengths[1])).clip(-1, 1).arccos().degrees()


VIEWS = {
    "functional_units": functional_units,
    "functional_best": functional_best,
    "functional_pairs": functional_pairs,
}


def fold_deg(a: float, b: float, period: float) -> float:
    return min(abs(a - b + turns * period) for turns in range(-3, 4))


VALUES = {"fold_deg": fold_deg}
CALLS = {"fold_deg": [(179, 1, 180), (350, 20, 360), (90, 0, 180), (0, 180, 360), (10, 725, 360), (5, 5, 180)]}
assert math.isclose(fold_deg(179, 1, 180), 2)
