"""What spans versions, and that nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from msgspec.structs import replace

from warehouse.catalog.build import build
from warehouse.catalog.views import load_views
from warehouse.registry.datastacks import MINNIE65
from warehouse.storage.manifest import read_manifest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

pytestmark = pytest.mark.slow

SPANNING = {"versions", "provenance", "id_map", "root_id_changes", "table_changes", "table_catalog"}
SPANNING |= {"dataset_constants", "data_dictionary", "_path", "macros", "_id_history", "root_lineage"}
SPANNING |= {"_row_changes", "_side_changes", "_proofreading_history", "cell_synapse_changes"}
SPANNING |= {
    "proofreading_changes",
    "_orphan_history",
    "_macro_columns",
    "_macros",
    "_versions_here",
    "_generations",
    "_tables_here",
}
SPANNING |= {"_tables_known", "_citations", "_constants", "_nuclei_history", "_lineages"}


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
            version_a | version_b | nucleus_id | pt_root_id_a | pt_root_id_b | change
            943       | 1718      | 2          | 20           | 21           | root changed
            943       | 1718      | 3          | 30           | 0            | root lost
            943       | 1718      | 4          | 0            | 40           | root gained
            943       | 1718      | 5          | 50           |              | nucleus removed
            943       | 1718      | 7          |              | 70           | nucleus added """,
    )
    assert small.ask("SELECT version, count(*) FROM id_map GROUP BY 1 ORDER BY 1") == [(943, 6), (1718, 6)]


def test_what_edits_did_to_cells(small: SmallWarehouse) -> None:
    """1 and 2 are split, 3 and 4 merged; 5 leaves 6 for 7; 8 only loses or gains pieces; 9 loses its root."""
    small.given(943, nucleus_detection_v0="id | pt_root_id\n1|10\n2|10\n3|30\n4|40\n5|50\n6|50\n7|70\n8|80\n9|90")
    small.given(1718, nucleus_detection_v0="id | pt_root_id\n1|11\n2|12\n3|31\n4|31\n5|51\n6|52\n7|51\n8|81\n9|0")
    small.expect(
        "root_id_changes",
        """
            nucleus_id | kind
            1          | split
            2          | split
            3          | merged
            4          | merged
            5          | split and merged
            6          | split
            7          | merged
            8          | edited
            9          | vanished """,
    )


def test_how_tables_differ_between_versions(small: SmallWarehouse) -> None:
    small.given(
        943,
        nucleus_detection_v0="id\n1\n2",
        nucleus_ref_neuron_svm="id\n1",
        scope="proofread",
        synapses_pni_2="id\n1",
    )
    small.given(
        1718,
        nucleus_detection_v0="id\n1",
        aibs_metamodel_celltypes_v661="id\n1",
        scope="all",
        synapses_pni_2="id\n1\n2",
    )
    small.expect(
        "(SELECT * RENAME (n_rows_more AS more) FROM table_changes)",
        """
            version_a | version_b | table_name                    | n_rows_a | n_rows_b | more | change
            943       | 1718      | nucleus_detection_v0          | 2        | 1        | -1   | shrank
            943       | 1718      | nucleus_ref_neuron_svm        | 1        |          |      | vanished
            943       | 1718      | aibs_metamodel_celltypes_v661 |          | 1        |      | appeared
            943       | 1718      | synapses_pni_2                | 1        | 2        | 1    | other scope """,
    )
    assert small.ask("SELECT count(*) FROM table_catalog WHERE len(local_versions) = 2") == [(2,)]


def test_the_catalog_says_whom_to_cite_and_what_cave_notes(small: SmallWarehouse) -> None:
    for version in (943, 1718):
        small.given(version, aibs_metamodel_celltypes_v661="id\n1")
        manifest = read_manifest(small.folder.manifest(version))
        entry = replace(manifest.tables["aibs_metamodel_celltypes_v661"], notice_text=f"noted at {version}")
        unknown = replace(entry, schema_type="bound_tag", notice_text="", columns={"id": "BIGINT"})
        tables = {"aibs_metamodel_celltypes_v661": entry, "somebodys_table": unknown}
        replace(manifest, tables=tables).write(small.folder.manifest(version))
    small.expect(
        "(SELECT * RENAME (reference_table AS of) FROM table_catalog WHERE len(local_versions) > 0)",
        """
            table_name                    | role      | of                   | notice
            aibs_metamodel_celltypes_v661 | cell type | nucleus_detection_v0 | noted at 1718
            somebodys_table               |           |                      | """,
    )
    ((cite,),) = small.ask("SELECT cite FROM table_catalog WHERE table_name = 'aibs_metamodel_celltypes_v661'")
    assert "Elabbady, L. et al. (2025)" in cite
    assert small.ask("SELECT schema_type FROM table_catalog WHERE citations IS NULL") == [("bound_tag",)]


def test_constants_are_data_with_their_source(small: SmallWarehouse) -> None:
    small.given(nucleus_detection_v0="id\n1")
    small.expect(
        "(FROM dataset_constants WHERE name IN ('voxel_z', 'L4 top', 'L4 bottom', 'rotation') "
        "OR starts_with(name, 'synapse detection'))",
        """
            name                                 | value        | unit  | visual_area
            voxel_z                              | 40.0         | nm    |
            rotation                             | 5.0          | deg   |
            synapse detection precision          | 0.96         | share |
            synapse detection recall             | 0.89         | share |
            synapse detection partner assignment | 0.98         | share |
            L4 top                               | 261.21908419 | um    | V1
            L4 bottom                            | 391.8631847  | um    | V1 """,
    )
    assert small.ask("SELECT count(*) FROM dataset_constants WHERE source IS NULL OR value IS NULL") == [(0,)]


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
    scopes = {"all": 11, "proofread": 12, "neurons": 13, "cells": 14, "proofread+cells": 15}
    views = [view for view in load_views(MINNIE65).values() if view.scope and not view.is_macro]
    tables = dict.fromkeys((group[0] for view in views for group in view.requires), "id\n1")
    for scope, version in scopes.items():
        small.given(version, scope=scope, **tables)
    small.connect().close()
    for view in views:
        for scope, version in scopes.items():
            if set(scope.split("+")) & set(view.scope):
                small.ask(f"SELECT count(*) FROM {view.name}", version)
            else:
                with pytest.raises(duckdb.Error, match="would be wrong"):
                    small.ask(f"SELECT count(*) FROM {view.name}", version)
