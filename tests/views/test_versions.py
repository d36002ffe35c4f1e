"""What spans versions, and that nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from warehouse.build import build
from warehouse.datastacks import MINNIE65
from warehouse.views import load_views

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

SPANNING = {"versions", "provenance", "id_map", "root_id_changes", "data_dictionary"}


def test_which_cells_changed_root(small: SmallWarehouse) -> None:
    small.given(
        943,
        nucleus_detection_v0="""
            id | pt_root_id
            1  | 10
            2  | 20
            3  | 30
            4  | 0
            5  | 50
            6  | 0 """,
    )
    small.given(
        1718,
        nucleus_detection_v0="""
            id | pt_root_id
            1  | 10
            2  | 21
            3  | 0
            4  | 40
            6  | 1
            7  | 70 """,
    )
    small.expect(
        "root_id_changes",
        """
            version_a | version_b | nucleus_id | root_a | root_b | change
            943       | 1718      | 2          | 20     | 21     | root changed
            943       | 1718      | 3          | 30     | 0      | root lost
            943       | 1718      | 4          | 0      | 40     | root gained
            943       | 1718      | 5          | 50     |        | nucleus removed
            943       | 1718      | 7          |        | 70     | nucleus added """,
    )
    assert small.ask("SELECT version, count(*) FROM id_map GROUP BY 1 ORDER BY 1") == [(943, 6), (1718, 6)]


def test_no_name_answers_from_another_version(small: SmallWarehouse) -> None:
    """After USE v943 every curated name is v943's own, although v943 lacks most tables and 1718 is the default."""
    everything = {"nucleus_detection_v0": "id | pt_root_id\n1 | 10", "synapses_pni_2": "id\n1"}
    small.given(943, nucleus_detection_v0="id | pt_root_id\n1 | 9")
    small.given(1718, **everything)
    build(small.folder, default=1718)
    connection = small.connect()._con.cursor()
    connection.execute("USE microns.v943")
    in_main = {
        name
        for (name,) in connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE database_name = 'microns' AND schema_name = 'main' UNION "
            "SELECT function_name FROM duckdb_functions() WHERE database_name = 'microns' AND schema_name = 'main'"
        ).fetchall()
    }
    own = {name for name, view in load_views(MINNIE65).items() if not view.hidden and not view.spans_versions}
    assert in_main == own | SPANNING | {"_path"}
    for name in sorted(own):
        if not load_views(MINNIE65)[name].is_macro:
            plan = _plan(connection, name)
            assert "v1718" not in plan, name
    assert connection.execute("SELECT pt_root_id FROM cells").fetchall() == [(9,)]


def _plan(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """What a view is in the end, or the sentence with which it refuses."""
    try:
        connection.execute(f"SELECT count(*) FROM {name}")
    except duckdb.Error as error:
        return str(error)
    return str(connection.execute(f"EXPLAIN ANALYZE FROM {name}").fetchall())


def test_provenance_says_what_is_here_and_why_the_rest_is_not(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0="id\n1\n2")
    small.expect(
        "(FROM provenance WHERE table_name IN ('nucleus_detection_v0', 'synapses_pni_2'))",
        """
            version | table_name           | source    | n_rows | absent_reason
            943     | nucleus_detection_v0 | synthetic | 2      |
            943     | synapses_pni_2       |           |        | not fetched """,
    )


def test_a_narrow_scope_makes_views_refuse_that_need_all(small: SmallWarehouse) -> None:
    """Every view that names scopes refuses in every other one, and answers in its own."""
    for scope, version in (("all", 11), ("proofread", 12), ("neurons", 13)):
        small.given(version, scope=scope, synapses_pni_2="id\n1", nucleus_detection_v0="id\n1")
    small.connect().close()
    for view in load_views(MINNIE65).values():
        if not view.scope:
            continue
        for scope, version in (("all", 11), ("proofread", 12), ("neurons", 13)):
            if scope in view.scope:
                small.ask(f"SELECT count(*) FROM {view.name}", version)
            else:
                with pytest.raises(duckdb.Error, match="would be wrong"):
                    small.ask(f"SELECT count(*) FROM {view.name}", version)
