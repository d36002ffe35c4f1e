"""What spans versions, and that nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import pytest

from warehouse.build import build
from warehouse.datastacks import MINNIE65
from warehouse.manifest import read_manifest
from warehouse.views import load_views

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

SPANNING = {"versions", "provenance", "id_map", "root_id_changes", "data_dictionary", "_path"}


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
    """After USE v943 every curated name is v943's own, although v943 lacks most tables and 1718 is the default.

    A name is looked up in v943 first and then in main; so each name of main that does not span versions must be
    in v943 too, and nothing in v943 may be built on another version's schema.
    """
    small.given(943, nucleus_detection_v0="id | pt_root_id\n1 | 9")
    small.given(1718, nucleus_detection_v0="id | pt_root_id\n1 | 10", synapses_pni_2="id\n1")
    build(small.folder, default=1718)
    defined = small.ask(
        "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE database_name = 'microns' UNION ALL "
        "SELECT schema_name, function_name, macro_definition FROM duckdb_functions() "
        "WHERE database_name = 'microns'"
    )
    in_main = {name for schema, name, _ in defined if schema == "main"} - SPANNING
    assert in_main
    for version, other in ((943, "v1718"), (1718, "v943")):
        own = {name: text for schema, name, text in defined if schema == f"v{version}"}
        raw = {name: text for schema, name, text in defined if schema == f"v{version}_cave"}
        assert in_main <= set(own)
        assert [name for name, text in (own | raw).items() if other in text] == []
    assert {name for schema, name, _ in defined if schema == "v943"} == {
        name for schema, name, _ in defined if schema == "v1718"
    }


def test_use_switches_every_bare_name(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0="id | pt_root_id\n1 | 9")
    small.given(1718, nucleus_detection_v0="id | pt_root_id\n1 | 10")
    build(small.folder, default=1718)
    with duckdb.connect(small.folder.database, read_only=True) as shell:
        shell.execute(f"SET GLOBAL file_search_path = '{small.folder.path}'")
        assert shell.execute("SELECT pt_root_id FROM cells").fetchall() == [(10,)]
        shell.execute("USE v943")
        assert shell.execute("SELECT pt_root_id FROM cells").fetchall() == [(9,)]
        with pytest.raises(duckdb.Error, match="is not here for version 943"):
            shell.execute("FROM connections")


def test_provenance_says_what_is_here_and_why_the_rest_is_not(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0="id\n1\n2")
    small.expect(
        "(FROM provenance WHERE table_name IN ('nucleus_detection_v0', 'synapses_pni_2'))",
        """
            version | table_name           | source    | n_rows | absent_reason
            943     | nucleus_detection_v0 | synthetic | 2      |
            943     | synapses_pni_2       |           |        | not fetched """,
    )


def test_a_table_that_the_source_lacks_is_not_to_be_fetched(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0="id\n1")
    path = small.folder.manifest(943)
    replace(read_manifest(path), absent={"nucleus_ref_neuron_svm": "CAVE does not list it"}).write(path)
    with pytest.raises(duckdb.Error, match=r"which version 943 does not have: CAVE does not list it$"):
        small.ask("FROM neurons")


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
