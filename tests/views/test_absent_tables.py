"""What was not asked is NULL: without a table, no view says FALSE or 0 where the table says otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from warehouse.catalog.build import build
from warehouse.catalog.refusal import refusal
from warehouse.catalog.views import load_views
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.tables import TABLES
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow

VERSION = 1718
VIEWS = [
    view for view in load_views(MINNIE65).values() if not (view.hidden or view.is_macro or view.spans_versions)
]
PROOFREADING = {"proofreading_status_and_strategy", "proofreading_status_public_release"}
COREGISTRATION = {name for name, table in TABLES.items() if table.role == "coregistration"}
TYPES = {name for name, table in TABLES.items() if table.role == "cell type"}
GROUPS = {"all of proofreading": PROOFREADING, "all of coregistration": COREGISTRATION, "all types": TYPES}
BY_LABEL = {
    "cell_type_connectivity",
    "distance_dependence",
    "connectivity_by_cell",
    "soma_counts",
    "cell_type_counts",
}
OTHERWISE = {
    **{name: {"functional_pairs"} for name in COREGISTRATION},
    **dict.fromkeys(TYPES, BY_LABEL | {"ei_balance"}),
    "all types": BY_LABEL,
    "synapse_target_predictions_ssa_v2": {"ei_balance"},
}
"""Views in which another table answers in its place: their rows are about other units, types or tags."""
ROOTS_MOVE = "nucleus_alternative_points"
"""Without it, cells lie on other roots: `root_source` says so, and every count is that of another segment."""
OF_VERSION = [
    name
    for name, table in TABLES.items()
    if table.kind in ("table", "skeleton") and name != ROOTS_MOVE and (table.until or VERSION + 1) > VERSION
]
"""The tables that the synthetic volume has."""
Answers = dict[str, pl.DataFrame | None]


def answers(warehouse: Warehouse) -> Answers:
    """The rows of every view; None where it refuses."""
    return {
        view.name: None if refusal(warehouse.manifest, view) else warehouse.sql(f"FROM {view.name}").pl()
        for view in VIEWS
    }


@pytest.fixture(scope="module")
def whole(synthetic: Folder) -> Answers:
    with connect(VERSION, synthetic.path.parent) as warehouse:
        return answers(warehouse)


def without(folder: Folder, names: set[str], root: Path) -> Warehouse:
    """A copy of the version in which some tables were never fetched."""
    copied = Folder.of(root)
    shutil.copytree(folder.version(VERSION) / "cave", copied.version(VERSION) / "cave")
    model = folder.version(VERSION) / "model"
    shutil.copytree(model, copied.version(VERSION) / "model")
    manifest = read_manifest(folder.manifest(VERSION))
    kept = {name: entry for name, entry in manifest.tables.items() if name not in names}
    replace(manifest, tables=kept, stored_views={}).write(copied.manifest(VERSION))
    build(copied)
    return connect(VERSION, root)


def invented(here: pl.DataFrame, truth: pl.DataFrame, keys: list[str]) -> dict[str, Any]:
    """Columns that say FALSE or 0 in a row where the whole says TRUE or another number, with how often."""
    rows = here.join(truth, on=keys, how="inner", nulls_equal=True, suffix="_truth")
    found = {}
    for name, kind in here.schema.items():
        if name in keys or not (kind == pl.Boolean or kind.is_numeric()):
            continue
        nothing = pl.lit(False) if kind == pl.Boolean else pl.lit(0)
        other = pl.col(f"{name}_truth")
        if count := rows.filter((pl.col(name) == nothing) & (other != nothing)).height:
            found[name] = count
    return found


@pytest.mark.parametrize("absent", [*OF_VERSION, *GROUPS])
def test_no_view_says_false_or_zero_for_what_was_not_asked(
    synthetic: Folder, whole: Answers, tmp_path: Path, absent: str
) -> None:
    names = GROUPS.get(absent, {absent})
    assert names & set(read_manifest(synthetic.manifest(VERSION)).tables)
    with without(synthetic, names, tmp_path / "root") as warehouse:
        here = answers(warehouse)
    views = {view.name: view for view in VIEWS}
    wrong = {
        name: found
        for name, rows in here.items()
        if rows is not None and (truth := whole[name]) is not None and name not in OTHERWISE.get(absent, ())
        if (found := invented(rows, truth, list(views[name].grain)))
    }
    assert wrong == {}
