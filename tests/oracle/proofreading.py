"""What was proofread, from the tables themselves."""

from __future__ import annotations

import polars as pl

from tests.oracle.cells import CLASSES, CORRECTED, cells
from tests.oracle.steps import assessments, nuclei, proofread_axons, proofreading
from tests.oracle.tables import Version


def afferents(version: Version) -> pl.DataFrame:
    """Proofread axons without a nucleus, and what two tables call them."""
    axons = proofread_axons(version).join(nuclei(version), on="pt_root_id", how="anti")
    tables = {kind: f"vortex_{kind}_proofreading_status" for kind in ("peptidergic", "thalamic")}
    roots = {kind: set(version.rows(name, "pt_root_id")["pt_root_id"]) for kind, name in tables.items()}
    kinds = [[kind for kind in tables if root in roots[kind]] for root in axons["pt_root_id"]]
    return axons.with_columns(
        afferent_type=pl.Series([", ".join(each) or None for each in kinds], dtype=pl.String),
        afferent_type_source=pl.Series(
            [", ".join(tables[kind] for kind in each) or None for each in kinds], dtype=pl.String
        ),
    )


def inclusion_funnel(version: Version) -> pl.DataFrame:
    """Assessments, then segments, then one condition after another on the segments that are left."""
    alone = cells(version).filter("is_single_soma").select("pt_root_id", "nucleus_id", "cell_class")
    segments = proofreading(version).join(alone, on="pt_root_id", how="left")
    classified = version.has_any(*(table for table, _ in CLASSES.values() if table != CORRECTED))
    conditions = [
        pl.col("status_axon") & (pl.col("strategy_axon") != "none"),
        pl.col("status_dendrite"),
        pl.col("is_current"),
        pl.col("nucleus_id").is_not_null(),
        pl.col("cell_class").is_in(["excitatory", "inhibitory"]),
    ]
    left = [segments]
    for condition in conditions:
        left.append(left[-1].filter(condition))
    # Assessments that are not the best of their segment, or have none, are only a number.
    numbers = [assessments(version).height, *(len(each) for each in left)]
    rows = []
    for step, frame in enumerate([segments, *left], start=1):
        known = classified or step < 7
        rows.append(
            {
                "step_number": step,
                "n_remaining": numbers[step - 1] if known else None,
                "n_excluded": (numbers[step - 2] - numbers[step - 1] if step > 1 else 0) if known else None,
                "n_remaining_excitatory": _of(frame, "cell_class", "excitatory") if classified else None,
                "n_remaining_inhibitory": _of(frame, "cell_class", "inhibitory") if classified else None,
                "n_remaining_fully_extended": _of(frame, "strategy_axon", "axon_fully_extended")
                if known
                else None,
            }
        )
    return pl.DataFrame(rows)


def _of(frame: pl.DataFrame, column: str, word: str) -> int:
    return len(frame.filter(pl.col(column) == word))


VIEWS = {"proofreading": proofreading, "afferents": afferents, "inclusion_funnel": inclusion_funnel}
UNCHECKED = {"inclusion_funnel": ["step"]}
