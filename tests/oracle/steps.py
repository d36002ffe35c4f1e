"""What other definitions begin with: the segment of each nucleus and unit, and what was proofread of a segment."""

from __future__ import annotations

from functools import cache

import polars as pl

from tests.oracle.dataset import VOXEL, in_nm
from tests.oracle.tables import NEWER, NUCLEI, OLDER, Version, count, is_segment, latest

POINTS = "nucleus_alternative_points"
ASSESSMENT = {
    "id": pl.Int64,
    "pt_root_id": pl.Int64,
    "valid_id": pl.Int64,
    "status_dendrite": pl.Boolean,
    "strategy_dendrite": pl.String,
    "status_axon": pl.Boolean,
    "strategy_axon": pl.String,
}
UNIT = ["session", "scan_idx", "unit_id"]
COREGISTRATIONS = {
    "manual": "coregistration_manual_v4",
    "combined": "coregistration_auto_phase3_fwd_apl_vess_combined_v2",
    "automatic": "coregistration_auto_phase3_fwd_v2",
    "vessel": "apl_functional_coreg_vess_fwd",
}
"""From the method that is believed first to the one that is believed last."""


@cache
def assessments(version: Version) -> pl.DataFrame:
    """Every assessment. The older table only answers where the newer one says nothing at all."""
    newer = version.rows(NEWER)
    if newer.height:
        return newer.select(*ASSESSMENT, source=pl.lit(NEWER))
    if OLDER not in version.tables:
        return pl.DataFrame(schema=ASSESSMENT | {"source": pl.String})
    old = version.tables[OLDER]
    done = {part: pl.col(f"status_{part}").is_in(["clean", "extended"]) for part in ("dendrite", "axon")}
    words = {
        "axon": {"non": "none", "clean": "axon_clean", "extended": "axon_fully_extended"},
        "dendrite": {"non": "none", "clean": "dendrite_clean", "extended": "dendrite_extended"},
    }
    return old.select(
        "id",
        "pt_root_id",
        "valid_id",
        *(done[part].alias(f"status_{part}") for part in done),
        *(
            pl.col(f"status_{part}").replace_strict(words[part], return_dtype=pl.String).alias(f"strategy_{part}")
            for part in done
        ),
        source=pl.lit(OLDER),
    )


@cache
def proofreading(version: Version) -> pl.DataFrame:
    """The best assessment of each segment: one that still holds, then of a proofread axon, then the last."""
    rows = assessments(version).filter(is_segment("pt_root_id"))
    rows = rows.with_columns(is_current=pl.col("valid_id") == pl.col("pt_root_id"))
    best = rows.sort("is_current", "status_axon", "id", descending=True).group_by(
        "pt_root_id", maintain_order=True
    )
    return best.agg(pl.all().first(), n_assessments=count()).rename(
        {"id": "proofreading_id", "source": "proofreading_source"}
    )


@cache
def proofread_axons(version: Version) -> pl.DataFrame:
    """Segments whose outputs may be analysed."""
    rows = proofreading(version).filter(pl.col("status_axon"), pl.col("strategy_axon") != "none")
    return rows.select("pt_root_id", "strategy_axon", "is_current")


def knows_proofreading(version: Version) -> bool:
    return version.has_any(NEWER, OLDER)


@cache
def nuclei(version: Version) -> pl.DataFrame:
    """Each nucleus with the segment under its better point, where somebody gave one."""
    rows = in_nm(version.tables[NUCLEI].rename({"id": "nucleus_id"}))
    point = ["pt_root_id", "pt_supervoxel_id", *(f"pt_position_{axis}" for axis in VOXEL)]
    better = latest(version.rows(POINTS, "id", "target_id", *point), "target_id")
    better = better.select(pl.col("target_id").alias("nucleus_id"), pl.col(point).name.prefix("better_"))
    rows = rows.join(better, on="nucleus_id", how="left")
    is_better = pl.col("better_pt_root_id").is_not_null()
    chosen = {name: pl.when(is_better).then(f"better_{name}").otherwise(name) for name in point}
    return rows.select(
        "nucleus_id",
        "x_nm",
        "y_nm",
        "z_nm",
        *point[2:],
        nucleus_volume_um3=pl.col("volume"),
        orig_root_id=pl.col("pt_root_id"),
        pt_root_id=chosen["pt_root_id"],
        pt_supervoxel_id=chosen["pt_supervoxel_id"],
        root_source=pl.when(is_better).then(pl.lit("alternative point")).otherwise(pl.lit("centroid")),
        **{f"pt_position_lookup_{axis}": chosen[f"pt_position_{axis}"] for axis in VOXEL},
    )


@cache
def matches(version: Version) -> pl.DataFrame:
    """One nucleus for each unit and method: the nearest, then the older annotation; with the number of all."""
    empty: dict[str, type[pl.DataType]] = dict.fromkeys(
        (*UNIT, "nucleus_id", "field", "n_nuclei_of_unit"), pl.Int64
    )
    empty |= {"match_source": pl.String, "residual_um": pl.Float64, "score_um": pl.Float64}
    frames = [
        version.tables[table].select(
            *UNIT,
            "id",
            "field",
            nucleus_id="target_id",
            match_source=pl.lit(source),
            residual_um=pl.col("residual").cast(pl.Float64),
            score_um=pl.col("score").cast(pl.Float64),
        )
        for source, table in COREGISTRATIONS.items()
        if table in version.tables
    ]
    if not frames:
        return pl.DataFrame(schema=empty)
    rows = pl.concat(frames).with_columns(
        n_nuclei_of_unit=pl.col("nucleus_id").n_unique().over(UNIT).cast(pl.Int64)
    )
    nearest = rows.sort("residual_um", "id", nulls_last=True)
    return nearest.unique([*UNIT, "match_source"], keep="first", maintain_order=True).drop("id")


def coregistered(version: Version) -> pl.DataFrame:
    """The nuclei that have a unit."""
    return matches(version).select("nucleus_id").unique()
