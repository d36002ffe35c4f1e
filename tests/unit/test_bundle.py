"""A bundle: one file that answers as the warehouse does, and what it says when it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.build import build
from warehouse.commands.bundle import bundle
from warehouse.errors import SnapshotDamaged, SnapshotNotFound, UsageError, WarehouseError
from warehouse.query.session import Warehouse, connect
from warehouse.storage.paths import Folder

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | size | pre_pt_position_x | ctr_pt_position_x | post_pt_supervoxel_id
    1  | 10             | 20              | 100  | 990               | 1000              | 77
    2  | 10             | 88              | 40   | 2010              | 2000              | 77
    3  | 20             | 30              | 60   | 3000              | 3000              | 77
    4  | 88             | 30              | 70   | 4000              | 4000              | 77"""
NUCLEI = "id | pt_root_id | pt_position_x\n101 | 10 | 1000\n102 | 20 | 2000\n103 | 30 | 3000"
PROOFREAD = "id | pt_root_id | valid_id | status_axon | strategy_axon\n1 | 10 | 10 | true | axon_fully_extended"
TAGS = "id | target_id | tag\n1 | 1 | spine\n2 | 4 | shaft"


@pytest.fixture(scope="module")
def source(small_module: SmallWarehouse) -> Folder:
    for version, scope in ((1507, "all"), (1718, "proofread")):
        small_module.given(
            version,
            scope=scope,
            synapses_pni_2=SYNAPSES,
            nucleus_detection_v0=NUCLEI,
            proofreading_status_and_strategy=PROOFREAD,
            synapse_target_predictions_ssa=TAGS,
        )
    build(small_module.folder, default=1507)
    return small_module.folder


@pytest.fixture(scope="module")
def path(source: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Proofread axons and all synapses of one cell."""
    out = tmp_path_factory.mktemp("bundle") / "my class.duckdb"
    make_bundle(source, None, Choice(proofread=True, ids=(103,)), out)
    return out


@pytest.fixture(scope="module")
def opened(path: Path) -> Warehouse:
    return connect(str(path))


def test_it_has_the_api_of_a_warehouse(opened: Warehouse, path: Path) -> None:
    assert (opened.version, opened.path, opened.timestamp[:4]) == (1507, path, "2026")
    assert opened.sql("SELECT count(*) FROM cells").fetchall() == [(3,)]
    assert opened.sql("SELECT id FROM synapses WHERE post_pt_root_id = $id", id=20).pl()["id"].to_list() == [1]
    assert opened.describe("cells").filter(column="depth_um")["unit"].to_list() == ["um"]
    assert "one row per nucleus" in opened.about("cells")
    opened.register("mine", pl.DataFrame({"pt_root_id": [10]}))
    assert opened.sql("SELECT nucleus_id FROM local.mine JOIN cells USING (pt_root_id)").fetchall() == [(101,)]
    assert opened.manifest.tools["bundle"].endswith(
        "the outputs of all proofread axons and all synapses of the cells 1 listed (synthetic, not biology)"
    )


def test_rows_are_those_of_the_choice_with_their_positions(opened: Warehouse) -> None:
    found = opened.sql(
        "SELECT id, pre_pt_position_x, ctr_pt_position_x, post_pt_supervoxel_id FROM synapses ORDER BY id"
    )
    assert found.fetchall() == [
        (1, 990, 1000, None),
        (2, 2010, 2000, None),
        (3, 3000, 3000, None),
        (4, 4000, 4000, None),
    ]
    assert opened.sql("SELECT nucleus_id FROM bundle_cells").fetchall() == [(103,)]
    assert opened.sql("SELECT id FROM synapse_targets ORDER BY 1").fetchall() == [(1,), (4,)]


def test_scan_is_lazy_over_the_file(opened: Warehouse) -> None:
    frame = opened.scan("synapses")
    assert isinstance(frame, pl.LazyFrame)
    assert frame.filter(pl.col("size") > 60).select("id").collect()["id"].sort().to_list() == [1, 4]
    with pytest.raises(UsageError, match="no table nonsense to scan"):
        opened.scan("nonsense")


def test_what_a_part_would_falsify_refuses_or_is_carried(opened: Warehouse) -> None:
    assert opened.sql("SELECT n_input_syn FROM in_out_degree WHERE pt_root_id = 20").fetchall() == [(1,)]
    with pytest.raises(
        duckdb.Error, match="ei_balance would be wrong: version 1507 here holds only the outputs of"
    ):
        opened.sql("SELECT count(*) FROM ei_balance").fetchall()
    assert opened.sql("SELECT count(*) FROM input_synapses(103)").fetchall() == [(2,)]
    with pytest.raises(
        duckdb.Error,
        match="inputs of 20 are not all here: v1507 here holds those of chosen cells; ask whoever",
    ):
        opened.sql("SELECT count(*) FROM input_synapses(102)").fetchall()
    with pytest.raises(duckdb.Error, match="outputs of 20 are not all here"):
        opened.sql("FROM output_synapses(102) LIMIT 1").fetchall()


def test_provenance_says_what_it_is(opened: Warehouse) -> None:
    assert opened.sql("SELECT synapse_scope, n_bytes FROM versions").fetchall() == [("proofread+cells", None)]
    row = opened.sql("SELECT n_rows, scope FROM provenance WHERE table_name = 'synapses_pni_2'").fetchall()
    assert row == [(4, "proofread+cells")]
    names = opened.sql("SELECT DISTINCT name FROM data_dictionary").pl()["name"].to_list()
    assert {"cells", "nucleus_detection_v0", "bundle_cells", "input_synapses", "layer_of"} <= set(names)
    assert opened.describe("layer_of").row(0)[:2] == ("layer_of", "VARCHAR")
    assert not [name for name in names if name.startswith(("cave_", "model_"))]


def test_synapses_are_there_once(path: Path) -> None:
    """Not in other orders as well, nor as the pairs of all cells: these are more bytes than all the rest."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute(
            "SELECT table_name FROM duckdb_columns() WHERE column_name = 'pre_pt_root_id' "
            "AND table_name IN (SELECT table_name FROM duckdb_tables())"
        ).fetchall()
    assert tables == [("cave_synapses_pni_2",)]


def test_any_duckdb_opens_it(path: Path) -> None:
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM connections_proofread").fetchall() == [(2,)]
        assert con.execute("SELECT count(*) FROM v1507_cave.nucleus_detection_v0").fetchall() == [(3,)]
        ((tags,),) = con.execute("SELECT tags FROM duckdb_databases() WHERE path IS NOT NULL").fetchall()
        assert "v1.2.0" in str(tags), "the oldest storage format of those that are read everywhere"


@pytest.mark.parametrize(
    ("version", "choice", "name", "sentence"),
    [
        (1507, Choice(ids=(5,)), "c.duckdb", r"^5 is not known"),
        (1507, Choice(ids=(88,)), "c.duckdb", "88 has no nucleus"),
        (1507, Choice(cell_type="XX"), "c.duckdb", "no cells to choose for all synapses of the cells of type XX"),
        (1507, Choice(everything=True, proofread=True), "c.duckdb", "nothing to choose"),
        (1507, Choice(proofread=True), "v1507.duckdb", "for a schema of its own"),
        (1718, Choice(ids=(101,)), "c.duckdb", "--synapses cells --cells IDS, or choose --proofread alone"),
    ],
)
def test_a_choice_that_cannot_be_made_is_a_sentence(
    source: Folder, tmp_path: Path, version: int, choice: Choice, name: str, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        make_bundle(source, version, choice, tmp_path / name)
    assert list(tmp_path.iterdir()) == [], "nothing half made stays"


def test_a_bundle_that_is_too_large_is_not_made(source: Folder, path: Path, tmp_path: Path) -> None:
    out = tmp_path / "class.duckdb"
    out.write_bytes(path.read_bytes())
    with pytest.raises(WarehouseError, match="--max-size allows 0 MB"):
        make_bundle(source, None, Choice(proofread=True), out, max_bytes=1000)
    assert out.read_bytes() == path.read_bytes()


def test_what_is_no_bundle_is_not_replaced(source: Folder, path: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.duckdb"
    notes.write_text("not a database")
    for out in (notes, source.database):
        before = out.read_bytes()
        with pytest.raises(UsageError, match="is there already and is no bundle"):
            make_bundle(source, None, Choice(proofread=True), out)
        assert out.read_bytes() == before
    again = tmp_path / path.name
    again.write_bytes(path.read_bytes())
    make_bundle(source, None, Choice(proofread=True), again)
    assert again.read_bytes() != path.read_bytes()


def test_what_is_no_bundle_is_a_sentence(source: Folder, tmp_path: Path) -> None:
    with pytest.raises(SnapshotNotFound, match="there is no file"):
        connect(tmp_path / "none.duckdb")
    with pytest.raises(SnapshotDamaged, match=r"is no bundle; .* connect\(root=...\)"):
        connect(source.database)
    (tmp_path / "text.duckdb").write_text("not a database")
    with pytest.raises(SnapshotDamaged, match="is no DuckDB file"):
        connect(tmp_path / "text.duckdb")


def test_cells_in_a_file_and_what_is_printed(
    source: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ids.csv").write_text("\ufeffnucleus_id,what\n101,a\n103,b\n", "utf-8")
    bundle(tmp_path / "class.duckdb", cells=str(tmp_path / "ids.csv"), root=source.path.parent)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == str(tmp_path / "class.duckdb")
    assert printed[1].endswith(" MB")
    assert len(printed[2].removeprefix("SHA-256 ")) == 64
    with connect(tmp_path / "class.duckdb") as warehouse:
        cells = warehouse.sql("SELECT nucleus_id FROM bundle_cells ORDER BY 1").fetchall()
    assert cells == [(101,), (103,)]


@pytest.mark.parametrize("text", ["8.6e17", "x.csv", "1,two"])
def test_what_is_no_id_is_a_sentence(source: Folder, tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="neither a list of ids"):
        bundle(tmp_path / "class.duckdb", cells=text, root=source.path.parent)


def test_a_float_in_a_file_of_ids_is_a_sentence(source: Folder, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("pt_root_id\n8.64691e+17\n")
    with pytest.raises(UsageError, match=r"'8.64691e.17' in .*ids.csv is no id"):
        bundle(tmp_path / "class.duckdb", cells=str(tmp_path / "ids.csv"), root=source.path.parent)


def test_boxes_and_the_column_choose_by_nucleus(source: Folder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no cells to choose for .* of the V1 column"):
        bundle(tmp_path / "class.duckdb", column=True, root=source.path.parent)
    with pytest.raises(UsageError, match="write two corners in micrometres"):
        bundle(tmp_path / "class.duckdb", box="1,2,3", root=source.path.parent)
    bundle(tmp_path / "class.duckdb", box="9,-1,-1,7,1,1", root=source.path.parent)
    with connect(tmp_path / "class.duckdb") as warehouse:
        assert warehouse.sql("SELECT nucleus_id FROM bundle_cells").fetchall() == [(102,)]


def test_parquet_is_a_folder_that_anything_reads(source: Folder, tmp_path: Path) -> None:
    out = tmp_path / "class"
    bundle(out, parquet=True, root=source.path.parent)
    assert pq.read_table(out / "cave" / "synapses_pni_2.parquet")["id"].to_pylist() == [1, 2]
    degrees = pq.read_table(out / "views" / "in_out_degree.parquet")
    assert {str(field.type) for field in degrees.schema} == {"int64", "string", "double"}
    assert not (out / "views" / "ei_balance.parquet").exists()
    assert "18 digits" in (out / "README.txt").read_text()
    if sys.platform == "linux":
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out, check=True)
    with pytest.raises(UsageError, match="is there already"):
        bundle(out, parquet=True, root=source.path.parent)
