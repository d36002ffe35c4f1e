"""Positions in nm come from the voxel size of each table; a brain that is not declared gets no other's depth."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import SmallWarehouse, filled
from warehouse.catalog.build import build
from warehouse.commands.check import check
from warehouse.commands.cite import citation_text
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.tables import TABLES
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

NUCLEI = "id | pt_root_id | pt_position_x | pt_position_y | pt_position_z\n1 | 10 | 100000 | 100000 | 20000"
SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z
    1  | 10             | 20              | 800               | 700               | 600 """


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Nuclei in voxels of 8 x 8 x 40 nm and synapses in nanometres, as some tables of minnie65 are."""
    small = SmallWarehouse(tmp_path_factory.mktemp("mixed"))
    small.voxels = {"nucleus_detection_v0": [8.0, 8.0, 40.0], "synapses_pni_2": [1.0, 1.0, 1.0]}
    small.given(nucleus_detection_v0=NUCLEI, synapses_pni_2=SYNAPSES)
    yield small.connect()
    small.close()


def test_nm_are_computed_with_the_voxel_of_each_table(mixed: Warehouse) -> None:
    assert mixed.sql("SELECT x_nm, y_nm, z_nm FROM cells").fetchall() == [(800_000.0, 800_000.0, 800_000.0)]
    assert mixed.sql("SELECT ctr_x_nm, ctr_y_nm, ctr_z_nm FROM synapses").fetchall() == [(800.0, 700.0, 600.0)]
    assert mixed.sql("SELECT ctr_x_nm FROM output_synapses(10)").fetchall() == [(800.0,)]
    assert mixed.sql("SELECT depth_um = depth_um(800000, 800000) FROM cells").fetchall() == [(True,)]


def test_a_box_is_in_the_voxels_of_synapses(mixed: Warehouse) -> None:
    for box in ("800, 700, 600, 801, 701, 601, unit := 'voxel'", "800, 700, 600, 801, 701, 601"):
        assert mixed.sql(f"SELECT id FROM synapses_in_box({box})").fetchall() == [(1,)]
    assert mixed.sql("FROM synapses_in_box(3200, 2800, 24000, 3201, 2801, 24001)").fetchall() == []


def test_a_link_shows_the_nucleus_in_its_own_voxels(mixed: Warehouse) -> None:
    link = mixed.sql("SELECT url_decode(neuroglancer_link(1, source := 'live'))").fetchall()[0][0]
    assert '"x":[8e-9,"m"]' in link.replace("8e-09", "8e-9")
    assert "[100000,100000,20000]" in link


def test_a_point_takes_the_voxel_of_the_table_it_is_of(mixed: Warehouse) -> None:
    assert mixed.sql("SELECT to_nm(1, 1, 1)").fetchall() == [({"x_nm": 4.0, "y_nm": 4.0, "z_nm": 40.0},)]
    of_table = "SELECT (to_nm(1, 1, 1, of_table := '{}')).x_nm"
    assert mixed.sql(of_table.format("nucleus_detection_v0")).fetchall() == [(8.0,)]
    assert mixed.sql(of_table.format("synapses_pni_2")).fetchall() == [(1.0,)]
    with pytest.raises(duckdb.Error, match="there is no table named nuclei in this version; see table_catalog"):
        mixed.sql(of_table.format("nuclei")).fetchall()


def test_catalog_and_comments_say_which_voxel(mixed: Warehouse) -> None:
    asked = "SELECT table_name, voxel_sizes_nm FROM table_catalog WHERE voxel_sizes_nm IS NOT NULL ORDER BY 1"
    sizes = [("nucleus_detection_v0", [8.0, 8.0, 40.0]), ("synapses_pni_2", [1.0, 1.0, 1.0])]
    assert mixed.sql(asked).fetchall() == sizes
    comments = "SELECT DISTINCT comment FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
    con = mixed.cursor()
    said = con.execute(comments, ["nucleus_detection_v0", "pt_position_x"]).fetchall()
    assert said == [("The centroid of the nucleus, x [voxel of 8 x 8 x 40 nm]",)]
    said = con.execute(comments, ["cells", "pt_position_z"]).fetchall()
    assert said == [("The centroid of the nucleus, z [voxel of 8 x 8 x 40 nm]",)]
    said = con.execute(comments, ["synapses", "ctr_pt_position_y"]).fetchall()
    assert said[0][0].endswith("[voxel of 1 x 1 x 1 nm]")


def test_rows_are_stored_anew_when_a_voxel_was_wrong(tmp_path: Path) -> None:
    small = SmallWarehouse(tmp_path)
    small.voxels = {"nucleus_detection_v0": [4.0, 4.0, 40.0]}
    small.given(nucleus_detection_v0=NUCLEI, synapses_pni_2=SYNAPSES)
    assert small.ask("SELECT x_nm FROM cells") == [(400_000.0,)]
    small.close()
    small.voxels = {"nucleus_detection_v0": [8.0, 8.0, 40.0]}
    small.given(nucleus_detection_v0=NUCLEI, synapses_pni_2=SYNAPSES)
    build(small.folder)
    assert small.ask("SELECT x_nm FROM cells") == [(800_000.0,)]
    small.close()


def undeclared(root: Path, voxel: list[float]) -> Folder:
    folder = Folder.of(root, "new_brain")
    assembled, table = folder.staging(1), TABLES["nucleus_detection_v0"]
    entry = write_table(
        assembled, table, filled(table, NUCLEI), source="cave", scope="all", voxel_resolution=voxel
    )
    publish(folder, assembled, Manifest(folder.datastack, 1, "2026-01-01T00:00:00", {table.name: entry}))
    build(folder)
    return folder


def test_a_brain_that_is_not_declared_has_no_depth_of_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    folder = undeclared(tmp_path, [9.0, 9.0, 45.0])
    assert "the geometry of new_brain is not declared, so its depths and layers are NULL" in caplog.text
    with connect(root=tmp_path, datastack="new_brain") as warehouse:
        rows = warehouse.sql("SELECT x_nm, y_nm, z_nm, depth_um, layer FROM cells").fetchall()
        assert rows == [(900_000.0, 900_000.0, 900_000.0, None, None)]
        assert warehouse.sql("SELECT depth_um(1, 1), layer_of(100)").fetchall() == [(None, None)]
        with pytest.raises(duckdb.Error, match="the geometry of new_brain is not declared"):
            warehouse.sql("SELECT layer_of(100, source := 'flagship')").fetchall()
        assert warehouse.sql("FROM layer_bounds").fetchall() == []
        pia = warehouse.sql("SELECT value, source FROM dataset_constants WHERE name = 'pia_y'").fetchall()[0]
        assert pia[0] is None
        assert "not declared" in pia[1]
        cited = citation_text(warehouse.manifest, ["cells"])
        assert "MICrONS Consortium" not in cited
        assert "Dorkenwald" in cited
    assert [result.name for result in check(folder, 1) if result.rows and not result.is_note] == []


def test_a_voxel_that_nobody_says_is_none(tmp_path: Path) -> None:
    undeclared(tmp_path, [])
    with connect(root=tmp_path, datastack="new_brain") as warehouse:
        rows = warehouse.sql("SELECT pt_position_x, x_nm, depth_um FROM cells").fetchall()
        assert rows == [(100_000, None, None)]
        sizes = warehouse.sql("SELECT voxel_sizes_nm FROM table_catalog WHERE local_versions <> []").fetchall()
        assert sizes == [(None,)]
        assert warehouse.sql("SELECT to_nm(1, 2, 3)").fetchall() == [({"x_nm": None, "y_nm": None, "z_nm": None},)]


def test_a_table_without_a_size_has_that_of_its_datastack(tmp_path: Path) -> None:
    small = SmallWarehouse(tmp_path)
    small.given(nucleus_detection_v0=NUCLEI)
    assert small.ask("SELECT x_nm, z_nm FROM cells") == [(400_000.0, 800_000.0)]
    assert small.ask("SELECT voxel_sizes_nm FROM table_catalog WHERE table_name = 'nucleus_detection_v0'") == [
        (list(map(float, MINNIE65.voxel_nm or ())),)
    ]
    small.close()
