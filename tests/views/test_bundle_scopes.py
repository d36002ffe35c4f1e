"""Every view on every kind of bundle: it answers as the whole warehouse does, or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.refusal import refusal
from warehouse.catalog.views import load_views
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import MINNIE65
from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow

ROW_BY_ROW = {
    "synapses",
    "synapses_typed",
    "synapse_targets",
    "connections",
    "connections_typed",
    "cell_connections",
}
"""Views of which a bundle has fewer rows, each of them right."""
CELL_BY_CELL = {"skeletons", "cable_length"}
"""Views of which a bundle has the rows of the chosen cells, should they have any."""

VIEWS = [
    view for view in load_views(MINNIE65).values() if not (view.hidden or view.is_macro or view.spans_versions)
]
CHOICES = {
    "all": Choice(everything=True),
    "proofread": Choice(proofread=True),
    "cells": Choice(cell_type="23P"),
    "proofread+cells": Choice(proofread=True, cell_type="BC"),
}


@pytest.fixture(scope="module")
def whole(synthetic: Folder) -> Iterator[Warehouse]:
    with connect(root=synthetic.path.parent) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def bundles(whole: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Warehouse]]:
    made = {}
    for scope, choice in CHOICES.items():
        path = tmp_path_factory.mktemp("bundle") / "class.duckdb"
        make_bundle(Folder(whole.path), None, choice, path, supervoxels=True)
        made[scope] = connect(path)
    yield made
    for warehouse in made.values():
        warehouse.close()


def rows(warehouse: Warehouse, query: str) -> list[str]:
    """Rows as text, in order; floats to nine digits, since sums are made in another order."""
    return sorted(
        str([f"{value:.9g}" if isinstance(value, float) else value for value in row])
        for row in warehouse.sql(query).fetchall()
    )


@pytest.mark.parametrize("scope", CHOICES)
def test_every_view_is_right_or_refuses(whole: Warehouse, bundles: dict[str, Warehouse], scope: str) -> None:
    bundle = bundles[scope]
    refused = set()
    for view in VIEWS:
        if (sentence := refusal(bundle.manifest, view)) is not None:
            refused.add(view.name)
            with pytest.raises(duckdb.Error) as caught:
                bundle.sql(f"SELECT count(*) FROM {view.name}").fetchall()
            assert sentence in str(caught.value)
            continue
        # The flags of completeness say what is here, so they differ.
        columns = "COLUMNS(lambda name: NOT ends_with(name, '_is_complete'))"
        here, truth = (rows(each, f"SELECT {columns} FROM {view.name}") for each in (bundle, whole))
        if view.name in ROW_BY_ROW | CELL_BY_CELL and scope != "all":
            assert len(here) < len(truth), view.name
            assert here or view.name in CELL_BY_CELL, view.name
            assert set(here) <= set(truth), view.name
        else:
            assert here == truth, view.name
    assert "in_out_degree" not in refused, "degrees are carried over"
    assert ("connections_proofread" in refused) == (scope == "cells")
    assert ("ei_balance" in refused) == (scope != "all")


@pytest.mark.parametrize("scope", CHOICES)
@pytest.mark.parametrize("macro", ["input_partners", "output_partners", "input_synapses", "output_synapses"])
def test_every_cell_gets_all_its_synapses_or_a_sentence(
    whole: Warehouse, bundles: dict[str, Warehouse], scope: str, macro: str
) -> None:
    bundle = bundles[scope]
    chosen = {row[0] for row in bundle.sql("SELECT nucleus_id FROM bundle_cells").fetchall()}
    cells = whole.sql(
        "SELECT nucleus_id, coalesce(status_axon AND strategy_axon <> 'none', false) AS is_proofread FROM cells "
        "WHERE is_single_soma AND cell_type IN ('BC', '23P', '4P') QUALIFY "
        "row_number() OVER (PARTITION BY cell_type, is_proofread ORDER BY nucleus_id) <= 3"
    ).fetchall()
    kinds = set()
    for cell, is_proofread in cells:
        complete = scope == "all" or ("cells" in scope and cell in chosen)
        answers = complete or ("output" in macro and "proofread" in scope and is_proofread)
        kinds.add(answers)
        if answers:
            assert rows(bundle, f"FROM {macro}({cell})") == rows(whole, f"FROM {macro}({cell})"), cell
        else:
            with pytest.raises(duckdb.Error, match=r"not all here|not proofread|would be wrong|not known"):
                bundle.sql(f"FROM {macro}({cell})").fetchall()
    expected: set[Any] = (
        {True} if scope == "all" else {False} if (scope, macro[0]) == ("proofread", "i") else {True, False}
    )
    assert kinds == expected
