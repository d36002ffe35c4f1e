"""Every public view and macro against a second implementation, in polars, on stress data of three versions."""

from __future__ import annotations

import json
import math
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.oracle import cells, connectivity, dataset, function, ids, morphology, proofreading, synapses, versions
from tests.oracle.calls import CALLS, LABELS, Arguments, alone, merged, strongest
from tests.oracle.conftest import Both
from tests.oracle.stress import FIRST, LAST, SECOND
from tests.oracle.tables import Version
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.refusal import refusal
from warehouse.catalog.views import load_views
from warehouse.query.session import connect
from warehouse.registry.datastacks import MINNIE65

MODULES = (cells, connectivity, dataset, function, ids, morphology, proofreading, synapses, versions)
PUBLIC = {name: view for name, view in load_views(MINNIE65).items() if not view.hidden}
VIEWS = [name for name, view in PUBLIC.items() if not view.is_macro and not view.only]
MACROS = [name for name, view in PUBLIC.items() if view.is_macro]
VERSIONS = pytest.mark.parametrize(
    "version", [LAST, *(pytest.param(each, marks=pytest.mark.slow) for each in (SECOND, FIRST))]
)
"""The last has every table, the others few."""


def gathered(name: str) -> dict[str, Any]:
    """What the modules of the oracle have under a name, together."""
    return {key: value for module in MODULES for key, value in getattr(module, name, {}).items()}


OF_VIEWS, OF_MACROS, OF_VALUES = gathered("VIEWS"), gathered("MACROS"), gathered("VALUES")
OF_VERSIONS = gathered("VALUES_OF_VERSION") | {"neuroglancer_link": ids.neuroglancer_link}
UNCHECKED, AMONG = gathered("UNCHECKED"), gathered("AMONG")


def missing(name: str) -> str:
    return f"{name} has no oracle: say what it means once more, in tests/oracle/{PUBLIC[name].folder}.py"


def compare(ours: pl.DataFrame, theirs: pl.DataFrame, name: str, *, ordered: bool = False) -> None:
    """The same columns, and in them the same rows."""
    expected = [column for column in ours.columns if column not in UNCHECKED.get(name, [])]
    assert sorted(expected) == sorted(theirs.columns), f"columns of {name}"
    if key := AMONG.get(name):
        ours = ours.join(theirs, on=key, how="semi")
    assert_frame_equal(
        ours.select(theirs.columns), theirs, check_row_order=ordered, check_dtypes=False, abs_tol=1e-5
    )


@pytest.mark.parametrize("name", VIEWS)
@VERSIONS
def test_a_view_has_the_rows_of_its_definition(both: Both, version: int, name: str) -> None:
    oracle: Callable[[Version], pl.DataFrame] | None = OF_VIEWS.get(name)
    assert oracle is not None, missing(name)
    refused = refusal(both.sessions[version].manifest, PUBLIC[name])
    if PUBLIC[name].spans_versions and version != LAST:
        return  # the same in all
    if refused is None:
        theirs = oracle(both.versions[version])
        assert theirs.height or version != LAST, f"the stress data has nothing for {name}"
        compare(both.ask(f"FROM {name}", version), theirs, name)
    else:
        assert version != LAST
        with pytest.raises(duckdb.Error, match="needs the table"):
            both.ask(f"FROM {name}", version)


@pytest.mark.parametrize("name", [name for name, view in PUBLIC.items() if view.only])
def test_a_view_of_bundles_has_the_rows_of_its_definition(both: Both, tmp_path: Path, name: str) -> None:
    assert name in versions.OF_BUNDLES, missing(name)
    version = both.versions[LAST]
    ids = [merged(version), *strongest(version, "pre", alone(version))[:2]]
    make_bundle(both.folder, LAST, Choice(ids=ids), tmp_path / "few.duckdb")
    with connect(tmp_path / "few.duckdb") as bundle:
        compare(bundle.sql(f"FROM {name}").pl(), versions.OF_BUNDLES[name](version, ids), name)


def said(value: Any) -> str:
    """An argument as SQL text."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if value is not None else "NULL"


def call(name: str, arguments: Arguments) -> str:
    words = [said(each) if isinstance(key, int) else f"{key} := {said(each)}" for key, each in arguments.items()]
    return f"{name}({', '.join(words)})"


def calls(name: str, version: Version) -> Iterator[tuple[str, Any]]:
    """Calls of a macro, each with what it should answer."""
    for arguments in CALLS[name](version):
        positional = [each for key, each in arguments.items() if isinstance(key, int)]
        by_name = {key: each for key, each in arguments.items() if not isinstance(key, int)}
        oracle = OF_MACROS.get(name) or OF_VERSIONS[name]
        yield call(name, arguments), oracle(version, *positional, **by_name)


@pytest.mark.parametrize("name", [name for name in MACROS if not PUBLIC[name].is_scalar])
@VERSIONS
def test_a_macro_has_the_rows_of_its_definition(both: Both, version: int, name: str) -> None:
    assert name in OF_MACROS, missing(name)
    assert name in CALLS, f"tests/oracle/calls.py has no call of {name}"
    if refusal(both.sessions[version].manifest, PUBLIC[name]) is None:
        found = [
            (text, both.ask(f"FROM {text}", version), theirs)
            for text, theirs in calls(name, both.versions[version])
        ]
        for _, ours, theirs in found:
            compare(ours, theirs, name, ordered=name in connectivity.ORDERED)
        assert any(theirs.height for _, _, theirs in found)
    else:
        assert version != LAST


@pytest.mark.parametrize("name", [name for name in MACROS if PUBLIC[name].is_scalar])
@VERSIONS
def test_a_macro_has_the_value_of_its_definition(both: Both, version: int, name: str) -> None:
    if name in OF_VALUES:
        asked = [
            (f"{name}({', '.join(map(said, each))})", OF_VALUES[name](*each)) for each in gathered("CALLS")[name]
        ]
    else:
        assert name in OF_VERSIONS, missing(name)
        asked = list(calls(name, both.versions[version]))
    for text, value in asked:
        ((found,),) = both.sessions[version].sql(f"SELECT {text}").fetchall()
        assert same(state_of(found) if name == "neuroglancer_link" else found, value), (text, found, value)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_a_column_of_cells(both: Both, label: str) -> None:
    """Whatever groups by it asks this step."""
    theirs = cells.cells(both.versions[LAST]).select("nucleus_id", label=label)
    compare(both.ask(f"FROM _labels_by('{label}')", LAST), theirs, label)


def same(found: Any, value: Any) -> bool:
    if isinstance(found, dict):
        return found.keys() == value.keys() and all(same(found[key], value[key]) for key in found)
    if isinstance(found, float):
        return math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == value)


def state_of(link: str) -> dict[str, Any]:
    """What a link of the viewer says of the cells."""
    state = json.loads(urllib.parse.unquote(link.partition("#!")[2]))
    _, layer = state["layers"]
    is_flat = layer["source"].startswith("precomputed://")
    assert is_flat != ("timestamp" in layer)
    found = {"is_flat": is_flat, "segments": layer["segments"], "name": layer["name"]}
    return found | ({"position": state["position"]} if "position" in state else {})
