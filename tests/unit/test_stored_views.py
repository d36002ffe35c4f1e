"""Stored views: made once, remade when what they were made from changed, and only then."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from warehouse.catalog.build import build
from warehouse.catalog.collect import waiting
from warehouse.catalog.stored_views import without_stale
from warehouse.catalog.views import load_views
from warehouse.commands.check import check
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.tables import NUCLEUS, TABLES
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Layout, read_manifest
from warehouse.storage.publish import publish

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

NUCLEI = """
    id | pt_root_id
    1  | 10
    2  | 20
"""
SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | pre_pt_supervoxel_id | post_pt_supervoxel_id
    1  | 10             | 20              | 77808318927678993    | 77808318927710642
    2  | 99             | 20              | 5                    | 4
    3  | 20             | 10              | 7                    | 0
    4  | 0              | 10              | 0                    | 9
"""


def stored(small: SmallWarehouse) -> dict[str, tuple[str, int]]:
    """Each stored view: the hash of its file, and when that was written."""
    manifest = read_manifest(small.folder.manifest(1718))
    files = {name: entry.files[0] for name, entry in manifest.stored_views.items()}
    folder = small.folder.version(1718)
    return {name: (file.sha256, (folder / file.path).stat().st_mtime_ns) for name, file in files.items()}


def replace_nuclei(small: SmallWarehouse, draft: Path, text: str) -> None:
    """Publish another table of nuclei, as a snapshot that fetched it again would."""
    from tests.conftest import filled

    table = TABLES[NUCLEUS]
    entry = write_table(draft, table, filled(table, text), source="synthetic")
    manifest = read_manifest(small.folder.manifest(1718))
    manifest.tables[NUCLEUS] = entry
    publish(small.folder, draft, manifest)


CELLS = pytest.mark.given(nucleus_detection_v0=NUCLEI, synapses_pni_2=SYNAPSES)


@CELLS
def test_stored_rows_are_those_of_the_query(case: SmallWarehouse) -> None:
    case.expect("_axon_synapses", "id | post_pt_supervoxel_id\n1 | 77808318927710642\n3 | 0", 1718)
    assert set(stored(case)) == {
        "cells",
        "_axon_synapses",
        "_cell_connections",
        "_id_index",
        "_orphans",
        "_received",
        "_root_cells",
        "_stray_ids",
        "in_out_degree",
    }
    assert all(result.ok for result in check(case.folder, 1718))


@CELLS
def test_a_second_build_stores_nothing(small: SmallWarehouse, case: SmallWarehouse) -> None:
    case.connect()
    small.copy_of(case)
    before = stored(small)
    build(small.folder)
    assert stored(small) == before


@CELLS
def test_another_table_of_nuclei_remakes_what_depends_on_it(
    small: SmallWarehouse, case: SmallWarehouse, tmp_path: Path
) -> None:
    case.connect()
    small.copy_of(case)
    synapses = read_manifest(small.folder.manifest(1718)).tables["synapses_pni_2"]
    replace_nuclei(small, tmp_path / "assembled", NUCLEI + "    3  | 99\n")
    build(small.folder)
    small.expect("_axon_synapses", "id\n1\n2\n3", 1718)
    small.expect("cells", "nucleus_id | pt_root_id\n1 | 10\n2 | 20\n3 | 99")
    assert read_manifest(small.folder.manifest(1718)).tables["synapses_pni_2"] == synapses


@CELLS
def test_a_column_that_is_renamed_remakes_what_depends_on_it(case: SmallWarehouse) -> None:
    case.connect()
    manifest = read_manifest(case.folder.manifest(1718))
    views = dict(load_views(MINNIE65))
    assert without_stale(manifest, views, {1718: manifest}).stored_views == manifest.stored_views
    old = views["_root_cells"]
    views["_root_cells"] = dataclasses.replace(old, text=old.text.replace("AS visual_area", "AS area"))
    right = without_stale(manifest, views, {1718: manifest}).stored_views
    assert manifest.stored_views.keys() - right.keys() == {"_root_cells", "_cell_connections", "in_out_degree"}


@CELLS
def test_the_full_layout_has_more_orders_and_the_same_answers(
    small: SmallWarehouse, case: SmallWarehouse, tmp_path: Path
) -> None:
    case.connect()
    small.copy_of(case)
    everywhere = "-1, -1, -1, 1e9, 1e9, 1e9"
    questions = ("FROM output_synapses(99) ORDER BY id", f"FROM synapses_in_box({everywhere}) ORDER BY id")
    before, answers = set(stored(small)), [small.ask(question, 1718) for question in questions]
    assert all(answers)
    orders: dict[Layout, set[str]] = {"full": {"_all_by_pre", "_all_by_place"}, "default": set()}
    for layout, more in orders.items():
        (tmp_path / layout).mkdir()
        manifest = replace(read_manifest(small.folder.manifest(1718)), layout=layout)
        publish(small.folder, tmp_path / layout, manifest)
        small.close()
        build(small.folder)
        assert set(stored(small)) == before | more
        assert [small.ask(question, 1718) for question in questions] == answers
        assert {each.path.partition("-")[0] for each in waiting(small.folder)} >= (
            set() if layout == "full" else {"v1718/model/all_by_place", "v1718/model/all_by_pre"}
        )


def test_what_lost_its_tables_is_stored_no_more(small: SmallWarehouse) -> None:
    small.given(synapses_pni_2=SYNAPSES)
    build(small.folder)
    assert stored(small) == {}
