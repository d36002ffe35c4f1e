"""SQL files as views: the header, the meaning of columns, names and their order."""

from __future__ import annotations

import pytest

from warehouse.catalog.references import parse, references, rewrite
from warehouse.catalog.sql_files import sql_files, sql_root
from warehouse.catalog.views import View, assemble, load_checks, load_views, parse_view
from warehouse.errors import ViewError
from warehouse.registry.citations import CITATIONS
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.tables import TABLES

HEADER = "-- Nuclei, one row each.\n--\n-- More about them.\n-- grain: id\n"


def view_of(text: str, path: str = "cells/some.sql") -> View:
    return parse_view(path, text)


def test_a_header_is_summary_explanation_and_keys() -> None:
    view = view_of(
        "-- Cells. One row per nucleus.\n--\n-- Why: because.\n-- grain: a, b\n-- requires: x or y, z\n"
        "-- warning: first,\n--     goes on\n-- warning: second\n-- cite: microns2025\n-- scope: all\n"
        "SELECT n.id -- The id\nFROM nucleus_detection_v0 AS n\n"
    )
    assert view.summary == "Cells."
    assert view.doc == "Cells. One row per nucleus.\n\nWhy: because."
    assert view.grain == ("a", "b")
    assert view.requires == (("x", "y"), ("z",))
    assert view.warnings == ("first, goes on", "second")
    assert view.scope == ("all",)
    assert view.text.startswith("SELECT n.id -- The id")


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("cells/some.sql", "-- Cells.\n-- grian: id\nSELECT 1 AS a", "some.sql, line 2: there is no key 'grian'"),
        ("cells/Some.sql", "-- Cells.\nSELECT 1 AS a", "lower_snake"),
        ("cells/some.sql", "SELECT 1 AS a", "the header says nothing"),
        ("cells/some.sql", "-- Cells.\nSELEC 1 AS a", "sql/cells/some.sql"),
        ("cells/some.sql", "-- Cells.\nCREATE VIEW a AS SELECT 1", "one SELECT and nothing else"),
        ("cells/some.sql", "-- Cells.\nSELECT 1 AS a FROM v943.cells", "v943.cells names a schema"),
        ("cells/some.sql", "-- Cells.\n-- macro: other(x)\nSELECT x AS other", "write some(arguments)"),
        ("cells/_some.sql", "-- Cells.\n-- made: of the dataset\nSELECT 1 AS a", "the SELECT would never run"),
        ("cells/_some.sql", "-- Cells.\n-- made: by magic\n", "made is 'by magic'; write one of: of the dataset"),
        ("cells/some.sql", "-- Cells.\n-- made: of the dataset\n", "begin its name with _"),
        ("cells/_some.sql", "-- Cells.\n-- made: of the dataset\n-- column: id\n", "write NAME TYPE: meaning"),
        ("cells/_some.sql", "-- Cells.\n-- column: id BIGINT: Id\nSELECT 1 AS id", "only what the build makes"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_the_reason(path: str, text: str, sentence: str) -> None:
    with pytest.raises(ViewError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        parse_view(path, text)


def assembled(**files: str) -> dict[str, View]:
    return assemble({f"cells/{name}.sql": HEADER + text for name, text in files.items()}, MINNIE65)


def test_columns_keep_the_text_of_their_source() -> None:
    """Through views, WITH, subqueries, joins, stars and UNION; a comment of one's own wins."""
    views = assembled(
        base="SELECT n.id, -- The nucleus\n    n.volume\nFROM nucleus_detection_v0 AS n",
        above=(
            "WITH w AS (SELECT b.id, b.volume, b.volume * 2 AS twice -- Twice [um3]\nFROM base AS b)\n"
            "SELECT w.*, s.pt_root_id, w.volume AS renamed -- Own text\n"
            "FROM w JOIN (SELECT id, pt_root_id FROM nucleus_detection_v0) AS s ON s.id = w.id"
        ),
        union="SELECT id FROM base UNION ALL SELECT id FROM above",
    )
    assert views["above"].columns == {
        "id": "The nucleus",
        "volume": "Volume of the detected nucleus (not of the soma) [um3]",
        "twice": "Twice [um3]",
        "pt_root_id": TABLES["nucleus_detection_v0"].column_of("pt_root_id").description,
        "renamed": "Own text",
    }
    assert views["union"].columns == {"id": "The nucleus"}


def test_a_column_without_a_text_is_an_error() -> None:
    with pytest.raises(ViewError, match=r"sql/cells/some.sql: nothing says what twice means"):
        assembled(some="SELECT n.id, n.volume * 2 AS twice FROM nucleus_detection_v0 AS n")


def test_views_come_after_what_they_are_built_on_and_inherit_its_needs() -> None:
    files = {
        "cells/a.sql": HEADER + "SELECT b.id FROM b",
        "cells/b.sql": HEADER + "-- requires: x or y\n-- scope: all, neurons\nSELECT c.id FROM c",
        "cells/c.sql": HEADER + "-- requires: z\n-- scope: all\nSELECT n.id FROM nucleus_detection_v0 AS n",
    }
    views = assemble(files, MINNIE65)
    assert list(views) == ["c", "b", "a"]
    assert views["a"].requires == (("x", "y"), ("z",))
    assert views["a"].scope == ("all",)


def test_views_built_on_each_other_in_a_circle_are_an_error() -> None:
    with pytest.raises(ViewError, match="in a circle"):
        assembled(a="SELECT b.id FROM b", b="SELECT a.id FROM a")


def test_names_are_replaced_where_they_stand_and_nothing_else_is() -> None:
    text = (
        "WITH cells AS (SELECT 1 AS x)\nSELECT depth_um(n.x, n.y) AS d -- cells, depth_um(x)\n"
        "FROM cells, cave.cells AS n\nJOIN \"neurons\" AS neurons ON neurons.id = n.id AND 'neurons' <> ''"
    )
    found = references(parse(text))
    replaced = rewrite(text, found, lambda each: f"<{'raw ' if each.raw else ''}{each.name}>")
    assert replaced == (
        "WITH cells AS (SELECT 1 AS x)\nSELECT <depth_um>(n.x, n.y) AS d -- cells, depth_um(x)\n"
        "FROM cells, <raw cells> AS n\nJOIN <neurons> AS neurons ON neurons.id = n.id AND 'neurons' <> ''"
    )


def test_every_file_is_documented_and_cites_what_exists() -> None:
    views = load_views(MINNIE65)
    written = {path for path, _ in sql_files(sql_root())}
    assert {f"{view.folder}/{view.name}.sql" for view in views.values()} == written
    for view in views.values():
        assert view.summary.endswith("."), view.name
        assert set(view.cites) <= set(CITATIONS), view.name
        tables = {name for group in view.requires for name in group}
        assert tables <= set(TABLES), view.name
        if not view.is_macro:
            assert view.grain, view.name
            assert set(view.grain) <= set(view.columns), view.name
        if not view.hidden:
            assert all(view.columns.values()), view.name


def test_every_check_says_why_it_matters() -> None:
    for check in load_checks(load_views(MINNIE65)):
        assert len(check.doc) > 40, check.name
