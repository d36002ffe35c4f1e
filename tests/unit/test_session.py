"""The Python door: names, parameters, frames, and what a session may not do."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import warehouse
from warehouse.catalog.build import build
from warehouse.errors import SnapshotNotFound, UsageError, WarehouseError

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

ROOT_ID = 864691135572530981


@pytest.fixture(scope="module")
def template(small_module: SmallWarehouse) -> SmallWarehouse:
    small = small_module
    small.given(943, nucleus_detection_v0=f"id | pt_root_id\n1 | {ROOT_ID}")
    small.given(
        1718,
        nucleus_detection_v0=f"id | pt_root_id\n1 | {ROOT_ID}\n2 | {ROOT_ID + 1}",
        synapses_pni_2=f"id | pre_pt_root_id | post_pt_root_id | pre_pt_position_x\n1 | {ROOT_ID} | 5 | 77",
    )
    build(small.folder, default=1718)
    return small


@pytest.fixture
def filled(small: SmallWarehouse, template: SmallWarehouse) -> SmallWarehouse:
    return small.copy_of(template)


def test_bare_names_are_views_and_tables_of_the_version(
    filled: SmallWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        wh = filled.connect()
    assert "minnie65_public, version 1718" in caplog.text
    assert (wh.version, wh.manifest.version, wh.path) == (1718, 1718, filled.folder.path)
    assert wh.timestamp == wh.manifest.time_stamp
    assert "version 1718" in repr(wh)
    for version, rows in ((1718, 2), (943, 1)):
        other = filled.connect(version)
        for name in (
            "cells",
            "nucleus_detection_v0",
            f"v{version}.cells",
            f"v{version}_cave.nucleus_detection_v0",
        ):
            assert other.sql(f"SELECT count(*) FROM {name}").fetchall() == [(rows,)], (version, name)
        assert len(other.sql("FROM versions").pl()) == 2


@pytest.mark.parametrize(
    "value", [ROOT_ID, np.int64(ROOT_ID), np.uint64(ROOT_ID), str(ROOT_ID)], ids=["int", "int64", "uint64", "text"]
)
def test_an_id_as_a_parameter_of_any_kind(filled: SmallWarehouse, value: object) -> None:
    found = filled.connect().sql("SELECT nucleus_id FROM cells WHERE pt_root_id = $id", id=value).fetchall()
    assert found == [(1,)]


@pytest.mark.parametrize(
    "values", [[ROOT_ID, ROOT_ID + 1], np.array([ROOT_ID, ROOT_ID + 1]), pl.Series([ROOT_ID, ROOT_ID + 1])]
)
def test_a_list_of_ids_as_a_parameter(filled: SmallWarehouse, values: object) -> None:
    query = "SELECT nucleus_id FROM cells WHERE pt_root_id IN (SELECT unnest($ids)) ORDER BY 1"
    assert filled.connect().sql(query, ids=values).fetchall() == [(1,), (2,)]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("IN $ids", [2]),
        ("in\n $ids", [2]),
        ("NOT IN $ids", [1]),
        ("IN ($ids[1], 9)", [2]),
        ("IN (SELECT unnest([x FOR x IN $ids IF x IN $ids]))", [2]),
        ("IN (SELECT unnest(list_filter($ids, lambda x: x IN $ids)))", [2]),
        ("= $ids[1]", [2]),
    ],
)
def test_a_list_after_in(filled: SmallWarehouse, condition: str, found: list[int]) -> None:
    query = f"SELECT nucleus_id FROM cells WHERE pt_root_id {condition} ORDER BY 1"
    assert filled.connect().sql(query, ids=[ROOT_ID + 1, 5]).fetchall() == [(each,) for each in found]


def test_results_come_as_rows_frames_and_arrow(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    query = "SELECT nucleus_id, pt_root_id FROM cells ORDER BY 1"
    assert wh.sql(query).pl()["pt_root_id"].to_list() == [ROOT_ID, ROOT_ID + 1]
    assert wh.sql(query).to_arrow_table().num_rows == 2
    unread = wh.sql(query).to_arrow_reader()
    assert wh.sql(query).fetchall() == wh.sql(query).fetchall()
    assert isinstance(unread, pa.RecordBatchReader)


def test_a_session_can_have_tables_of_its_own(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    wh.sql("CREATE TABLE mine AS SELECT nucleus_id FROM cells")
    assert wh.sql("SELECT count(*) FROM mine").fetchall() == [(2,)]


def test_scan_reads_logical_columns_of_a_table(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    assert wh.scan("synapses").select("pre_pt_position_x", "pre_pt_root_id").collect().rows() == [(77, ROOT_ID)]
    assert wh.scan("synapses_pni_2").collect().equals(wh.scan("synapses").collect())
    with pytest.raises(UsageError, match=r'no table cells to scan.*sql\("FROM cells"\)'):
        wh.scan("cells")


def test_describe_says_type_unit_and_meaning(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    frame = wh.describe("cells").filter(pl.col("column") == "depth_um")
    assert frame.rows() == [
        ("depth_um", "DOUBLE", "um", "Depth of the nucleus below the pia, along its straight normal")
    ]
    assert all(wh.describe("synapses_pni_2")["description"])
    assert wh.describe("v943.cells").equals(wh.describe("cells"))
    with pytest.raises(UsageError, match="no view, table or macro named conections; the nearest is connections"):
        wh.describe("conections")


def test_describe_and_about_know_macros(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    rows = wh.describe("input_synapses").rows()
    assert ("ctr_x_nm", "DOUBLE", "nm", "The centre of the cleft, x") in rows
    assert [row[0] for row in rows] == wh.sql("FROM input_synapses($id) LIMIT 0", id=ROOT_ID).columns
    assert wh.describe("v943.input_synapses").equals(wh.describe("input_synapses"))
    assert wh.describe("layer_of").rows() == [("layer_of", "VARCHAR", "", "Cortical layer, NULL above the pia")]
    assert wh.about("input_partners").startswith("input_partners(ids, min_syn := 1): ")
    assert "For example: FROM input_partners(" in wh.about("input_partners")
    for wrong, nearest in (("layer_off", "layer_of"), ("_voxels", "in the view data_dictionary")):
        with pytest.raises(UsageError, match=f"no view, table or macro named {wrong}; .*{nearest}"):
            wh.describe(wrong)


def test_a_database_of_before_macros_were_described_has_the_same_sentence(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    wh.cursor().execute("DROP VIEW main._macro_columns")
    with pytest.raises(UsageError, match="no view, table or macro named conections"):
        wh.describe("conections")


@pytest.mark.parametrize("kind", ["polars", "arrow"])
def test_a_registered_frame_is_a_local_table(filled: SmallWarehouse, kind: str) -> None:
    wh = filled.connect()
    for count in (1, 2):
        frame = pl.DataFrame({"pt_root_id": [ROOT_ID + i for i in range(count)], "weight": [0.5] * count})
        wh.register("mine", frame if kind == "polars" else frame.to_arrow())
        found = wh.sql("SELECT sum(weight) FROM local.mine JOIN cells USING (pt_root_id)").fetchall()
        assert found == [(0.5 * count,)]


def test_a_registered_frame_with_float_ids_is_refused(filled: SmallWarehouse) -> None:
    with pytest.raises(UsageError, match=r"local\.mine holds pt_root_id as a float"):
        filled.connect().register("mine", pl.DataFrame({"pt_root_id": [float(ROOT_ID), None]}))


def test_the_database_can_be_rebuilt_while_sessions_are_open(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    build(filled.folder, default=943)
    assert wh.sql("SELECT count(*) FROM cells").fetchall() == [(2,)]
    assert filled.connect().version == 943


def test_a_version_may_be_text(filled: SmallWarehouse) -> None:
    with warehouse.connect("943", root=filled.folder.path.parent) as wh:
        assert wh.version == 943


def test_a_sandbox_has_nothing_outside_the_folder(filled: SmallWarehouse, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    assert filled.connect().sql(f"FROM '{secret}'").fetchall() == [(1,)]
    wh = filled.connect(sandbox=True, memory="1GB", threads=1)
    assert wh.sql("SELECT count(*) FROM cells").fetchall() == [(2,)]
    for statement in (
        f"FROM '{secret}'",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/other.duckdb'",
        "SET enable_external_access = true",
        "SET threads = 2",
    ):
        with pytest.raises((duckdb.Error, UsageError)):
            wh.sql(statement).fetchall()
    assert wh.sql("SELECT current_setting('threads')").fetchall() == [(1,)]


def test_what_is_not_here_is_a_sentence_with_the_way_out(filled: SmallWarehouse, tmp_path: Path) -> None:
    with pytest.raises(SnapshotNotFound, match=r"version 1 is not in .*there: v943, v1718.*microns snapshot 1"):
        filled.connect(1)
    with pytest.raises(SnapshotNotFound, match="fetch a version with: microns snapshot"):
        warehouse.connect(root=tmp_path / "empty")
    filled.given(1300, nucleus_detection_v0="id\n1")
    with pytest.raises(SnapshotNotFound, match="does not know version 1300 yet; run: microns build"):
        filled.connect(1300)
    filled.folder.database.unlink()
    with pytest.raises(SnapshotNotFound, match="run: microns build"):
        warehouse.connect(root=filled.folder.path.parent)


def test_errors_are_one_tree() -> None:
    for name in warehouse.__all__:
        thing = getattr(warehouse, name)
        if isinstance(thing, type) and issubclass(thing, Exception):
            assert issubclass(thing, WarehouseError)


@pytest.mark.slow
def test_the_demo_answers_and_leaves_nothing_behind() -> None:
    with warehouse.demo(cells=200) as wh:
        assert wh.sql("SELECT count(*) FROM cells").fetchall() == [(200,)]
        assert wh.sql("SELECT count(*) > 0 FROM connections_proofread").fetchall() == [(True,)]
        folder = wh.path
    assert not folder.exists()


@pytest.mark.slow
def test_a_demo_that_nobody_closes_is_gone_with_python() -> None:
    line = "import warehouse; wh = warehouse.demo(cells=200); print(wh.path)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert "microns-demo-" in done.stdout
    assert not Path(done.stdout.strip()).exists()


def test_a_root_alone_is_enough(filled: SmallWarehouse) -> None:
    with warehouse.connect(filled.folder.path.parent) as wh:
        assert (wh.version, wh.path) == (1718, filled.folder.path)


@pytest.mark.parametrize("statement", ["USE v1718", "set search_path = 'v1718'", "use main; FROM cells"])
def test_what_would_be_forgotten_is_refused(filled: SmallWarehouse, statement: str) -> None:
    with pytest.raises(UsageError, match="has no effect here"):
        filled.connect().sql(statement)


def test_parameters_are_found_where_sql_has_them(filled: SmallWarehouse) -> None:
    query = "SELECT 'ü $id' AS text, $by AS \"$id\", $$ $id $$ AS more /* $id */, $id + 1 -- $id"
    assert filled.connect().sql(query, by="type", id=1).fetchall() == [("ü $id", "type", " $id ", 2)]


def test_parameters_and_names_have_to_agree(filled: SmallWarehouse) -> None:
    wh = filled.connect()
    with pytest.raises(UsageError, match=r"no value was given for \$id; write: sql\(query, id=\.\.\.\)"):
        wh.sql("FROM cells WHERE nucleus_id = $id")
    with pytest.raises(UsageError, match=r"a value was given for ids, but the query does not name \$ids"):
        wh.sql("FROM cells WHERE nucleus_id = $id", id=1, ids=[2])
