"""A version stored as what differs from another one: whatever differs, readers see the rows that were fetched."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.conftest import SmallWarehouse, filled
from warehouse.catalog.build import build, build_lock
from warehouse.catalog.collect import collect
from warehouse.commands.check import check
from warehouse.errors import FolderBusy, SnapshotDamaged, UsageError, WarehouseError
from warehouse.query.scan import scan
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage import manifest as manifest_module
from warehouse.storage.checksum import checksum_of, sums_of, text_of
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import job_lock, publish, synapses_lock
from warehouse.versions.promote_and_drop import drop, promote
from warehouse.versions.store_difference import BaseVersion, require_storable, store_difference

pytestmark = pytest.mark.slow

TABLE = TABLES[SYNAPSE]
ROOT = 864691135000000000


def synapses(rows: int, seed: int = 0, roots: int = 40) -> pa.Table:
    """Synapses between few roots; some sides are outside of the segmentation, or were never looked up."""
    rng = np.random.default_rng(seed)
    columns = {"id": np.sort(rng.choice(4 * rows + 1, rows, replace=False)) + 1}
    for field in TABLE.arrow_schema:
        if field.name.endswith("_root_id"):
            chosen = ROOT + rng.integers(0, roots, rows) ** 2
            columns[field.name] = np.where(rng.random(rows) < 0.1, rng.integers(0, 2, rows), chosen)
        elif field.name != "id":
            columns[field.name] = rng.integers(1, 2**20, rows)
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in TABLE.arrow_schema]
    return pa.table(arrays, schema=TABLE.arrow_schema)


def edited(rows: pa.Table, seed: int, share: float) -> pa.Table:
    """The table one version later: roots with new ids, one of them split, and what should never happen."""
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame(pl.from_arrow(rows))
    roots = np.setdiff1d(np.unique(frame["pre_pt_root_id"].append(frame["post_pt_root_id"])), [0, 1])
    gone = rng.choice(roots, round(share * len(roots)), replace=False)
    new = dict(zip(gone.tolist(), (ROOT + 10**6 + rng.permutation(len(gone))).tolist(), strict=True))
    sides = ("pre_pt_root_id", "post_pt_root_id")
    frame = frame.with_columns(pl.col(side).replace(new) for side in sides)
    if new:
        split = (pl.col("post_pt_root_id") == next(iter(new.values()))) & (pl.col("id") % 3 == 0)
        frame = frame.with_columns(
            post_pt_root_id=pl.when(split).then(ROOT + 5 * 10**6).otherwise("post_pt_root_id")
        )
    looked_up = (pl.col("pre_pt_root_id") <= 1) & (pl.col("id") % 2 == 0) & (share > 0)
    frame = frame.with_columns(pre_pt_root_id=pl.when(looked_up).then(int(roots[0])).otherwise("pre_pt_root_id"))
    resized = pl.when((pl.col("id") % 41 == 0) & (share > 0)).then(7).otherwise("size")
    frame = frame.with_columns(size=resized.cast(pl.Int64))
    if share > 0:
        frame = frame.filter(pl.col("id") % 37 != 0)
        more = pl.DataFrame(pl.from_arrow(synapses(3, seed + 1))).with_columns(pl.col("id") + 10**6)
        frame = pl.concat([frame, more])
    return frame.to_arrow().cast(TABLE.arrow_schema)


def second_version(folder: Folder, first: pa.Table, second: pa.Table, *, cells: int = 0) -> TableEntry:
    """Publish 7 in full and 8 against it; so many segments of each are given a nucleus."""
    publish_with_cells(folder, 7, first, cells, cluster_synapses(folder.staging(7), TABLE, first))
    entry = store_difference(folder.staging(8), 8, TABLE, second, BaseVersion.of(folder, 7), source="synthetic")
    publish_with_cells(folder, 8, second, cells, entry)
    return read_manifest(folder.manifest(8)).tables[SYNAPSE]


def publish_with_cells(folder: Folder, version: int, rows: pa.Table, cells: int, entry: TableEntry) -> None:
    entries, draft = {SYNAPSE: entry}, folder.staging(version)
    if cells:
        text = "\n".join(f"{n} | {root}" for n, root in enumerate(segments(rows)[:cells], start=1))
        table = TABLES["nucleus_detection_v0"]
        entries[table.name] = write_table(draft, table, filled(table, f"id | pt_root_id\n{text}"))
    publish(folder, draft, Manifest(folder.datastack, version, f"2026-01-01T00:00:0{version}", entries))


def segments(rows: pa.Table) -> list[int]:
    """Every root of some synapses, ascending; the lowest ones live longest."""
    sides = [rows[f"{side}_pt_root_id"].to_numpy() for side in ("pre", "post")]
    return [root for root in np.unique(np.concatenate(sides)).tolist() if root > 1]


def scanned(folder: Folder, version: int = 8) -> pa.Table:
    entry = read_manifest(folder.manifest(version)).tables[SYNAPSE]
    return scan(folder.version(version), entry).sort("id").collect().to_arrow().cast(TABLE.arrow_schema)


def listed(folder: Folder, name: str) -> list[tuple[int, ...]]:
    """Rows of the generation of a list, of which there is one at most."""
    rows = [pl.read_parquet(path).rows() for path in folder.version(8).glob(f"model/{name}-*/part-0.parquet")]
    assert len(rows) <= 1
    return rows[0] if rows else []


@settings(max_examples=12, deadline=None)
@given(rows=st.integers(1, 400), share=st.sampled_from([0.0, 0.1, 0.5, 1.0]), seed=st.integers(0, 9))
def test_whatever_differs_readers_see_what_was_fetched(
    tmp_path_factory: pytest.TempPathFactory, rows: int, share: float, seed: int
) -> None:
    folder = Folder.of(tmp_path_factory.mktemp("difference"))
    first = synapses(rows, seed)
    second = edited(first, seed, share)
    entry = second_version(folder, first, second)
    assert scanned(folder).equals(second.sort_by("id"))
    assert scanned(folder, 7).equals(first.sort_by("id"))
    assert entry.rows == second.num_rows
    retired = {root for (root,) in listed(folder, "synapses_retired")}
    assert not retired & {0, 1}
    for side in ("pre_pt_root_id", "post_pt_root_id"):
        assert not retired & set(second[side].to_pylist())
    jsonschema.validate(
        json.loads(folder.manifest(8).read_text()),
        json.loads(Path(manifest_module.__file__).with_name("manifest.schema.json").read_text("utf-8")),
    )


def test_only_what_no_retired_root_explains_goes_by_id(tmp_path: Path) -> None:
    """10 becomes 11 as a whole; a side without a root gets one; a size differs; 5 is gone and 9 is new."""
    folder = Folder.of(tmp_path)
    first = table("1|10|20|5\n2|30|10|5\n3|0|20|5\n4|30|40|5\n5|30|40|5\n6|50|60|5")
    second = table("1|11|20|5\n2|30|11|5\n3|70|20|5\n4|30|40|6\n9|30|40|5\n6|50|60|5")
    entry = second_version(folder, first, second)
    assert listed(folder, "synapses_retired") == [(10,)]
    assert listed(folder, "synapses_dead") == [(3,), (4,), (5,)]
    assert listed(folder, "root_lineage_v7") == [(10, 11, 2)]
    assert entry.base is not None
    assert (entry.base.changed, entry.base.added, entry.base.removed) == (4, 1, 1)
    assert sum(file.rows for file in entry.files) == 5


def test_a_split_and_a_merge_are_in_the_lineage(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    second_version(
        folder,
        table("1|10|20|5\n2|10|20|5\n3|10|20|5\n4|30|20|5"),
        table("1|11|20|5\n2|11|20|5\n3|12|20|5\n4|11|20|5"),
    )
    assert listed(folder, "root_lineage_v7") == [(10, 11, 2), (10, 12, 1), (30, 11, 1)]


def test_a_root_that_lost_only_some_synapses_is_not_retired(tmp_path: Path) -> None:
    """CAVE gives such a segment a new root. If it did not, the rows would still be right."""
    folder = Folder.of(tmp_path)
    first, second = table("1|10|20|5\n2|10|20|5"), table("1|10|20|5\n2|11|20|5")
    second_version(folder, first, second)
    assert listed(folder, "synapses_retired") == []
    assert listed(folder, "synapses_dead") == [(2,)]
    assert scanned(folder).equals(second)


def table(text: str) -> pa.Table:
    return filled(TABLE, "id | pre_pt_root_id | post_pt_root_id | size\n" + text)


def test_the_checksum_in_sql_is_that_in_numpy() -> None:
    rows = synapses(1000)
    pieces = [rows.slice(start, 300) for start in range(0, 1000, 300)]
    with duckdb.connect() as con:
        con.register("rows", rows)
        assert checksum_of(con, "rows") == text_of(map(sums_of, pieces))
        swapped = rows.set_column(
            rows.schema.get_field_index("pre_pt_root_id"),
            "pre_pt_root_id",
            rows["pre_pt_root_id"].take(pc.subtract(999, pa.array(range(1000)))),
        )
        con.register("swapped", swapped)
        assert checksum_of(con, "swapped") != checksum_of(con, "rows")
        con.register("none", rows.slice(0, 0))
        assert checksum_of(con, "none") == text_of([sums_of(rows.slice(0, 0))])


def test_what_readers_would_not_see_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the comparison wrong, say because a list is cut short, the proof would find it."""
    from warehouse.storage import lineage
    from warehouse.versions import find_retired as retired

    written = lineage.write_list

    def cut(
        con: duckdb.DuckDBPyConnection, directory: Path, name: str, query: str, order: tuple[str, ...]
    ) -> object:
        limited = f"FROM ({query}) LIMIT 1" if name == "synapses_retired" else query
        return written(con, directory, name, limited, order)

    monkeypatch.setattr(retired, "write_list", cut)
    rows = synapses(300)
    with pytest.raises(SnapshotDamaged, match=r"different id|do not come out of what is stored"):
        second_version(Folder.of(tmp_path), rows, edited(rows, 0, 0.5))


def test_what_cannot_be_a_base_is_a_sentence(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    rows = synapses(50)
    second_version(folder, rows, edited(rows, 0, 0.1))
    with pytest.raises(WarehouseError, match=r"stored against version 7; name that one \(--base 7\)"):
        BaseVersion.of(folder, 8)
    with pytest.raises(WarehouseError, match=r"version 9 is not in .* \(there: v7, v8\)"):
        BaseVersion.of(folder, 9)
    with pytest.raises(WarehouseError, match="holds synapses of scope all, not proofread"):
        require_storable(folder, 9, TABLE, "proofread", BaseVersion.of(folder, 7))
    with pytest.raises(WarehouseError, match="make it a full copy: microns promote 8"):
        require_storable(folder, 7, TABLE, "all", None)


def clean(folder: Folder) -> None:
    """Remove at once what waits for its grace."""
    with build_lock(folder):
        collect(folder, timedelta(0))


@pytest.fixture(scope="module")
def pair() -> tuple[pa.Table, pa.Table]:
    """The synapses of version 7, and those of 8."""
    first = synapses(400)
    return first, edited(first, 3, 0.3)


@pytest.fixture(scope="module")
def built(pair: tuple[pa.Table, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """Both, built, only to be read or copied."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("two") / "root")
    second_version(warehouse.folder, *pair)
    build(warehouse.folder)
    yield warehouse
    warehouse.close()


@pytest.fixture
def two(small: SmallWarehouse, built: SmallWarehouse) -> SmallWarehouse:
    """A copy of it that a test may change."""
    return small.copy_of(built)


@pytest.fixture(scope="module")
def with_cells(small_module: SmallWarehouse) -> tuple[SmallWarehouse, pa.Table, pa.Table]:
    """More synapses of two versions, some of them on cells, built, only to be read."""
    first = synapses(3000)
    second = edited(first, 3, 0.3)
    assert second_version(small_module.folder, first, second, cells=8).base is not None
    build(small_module.folder)
    return small_module, first, second


def test_views_look_ups_and_checks(built: SmallWarehouse, pair: tuple[pa.Table, pa.Table]) -> None:
    small = built
    for version, rows in zip((7, 8), pair, strict=True):
        query = "SELECT * FROM synapses_pni_2 ORDER BY id"
        assert (
            small.connect(version).sql(query).to_arrow_table().cast(TABLE.arrow_schema).equals(rows.sort_by("id"))
        )
        root = rows["post_pt_root_id"].to_pylist()[0]
        inputs = pc.sum(pc.equal(rows["post_pt_root_id"], root)).as_py()
        assert small.ask(f"SELECT count(*) FROM synapses WHERE post_pt_root_id = {root}", version) == [(inputs,)]
        by_bucket = (
            f"SELECT count(*) FROM _rows_onto WHERE list_contains(_buckets_onto({root}), b) "
            f"AND post_pt_root_id = {root} AND _is_live(pre_pt_root_id, id, b)"
        )
        assert small.ask(by_bucket, version) == [(inputs,)]
        results = list(check(small.folder, version))
        assert [str(result) for result in results if not result.ok] == []
        assert any("gives the rows that were fetched" in result.name for result in results) == (version == 8)


def test_look_ups_find_live_rows_and_no_dead_ones(
    with_cells: tuple[SmallWarehouse, pa.Table, pa.Table],
) -> None:
    """Of cells and pieces, edited ones and ones with a side that had no root before: as a filter finds them."""
    small, first, second = with_cells
    for version, rows in ((7, first), (8, second)):
        wh = small.connect(version)
        for macro, side in (("input_synapses", "post"), ("output_synapses", "pre")):
            found = wh.sql(f"SELECT id, {side}_pt_root_id FROM {macro}($ids) ORDER BY ALL", ids=segments(rows))
            kept = rows.filter(pc.greater(rows[f"{side}_pt_root_id"], 1)).select(["id", f"{side}_pt_root_id"])
            assert found.to_arrow_table().cast(kept.schema).equals(kept.sort_by("id"))
            for root in segments(rows)[:16]:
                ((one,),) = wh.sql(f"SELECT count(*) FROM {macro}({root})").fetchall()
                assert one == pc.sum(pc.equal(rows[f"{side}_pt_root_id"], root)).as_py()


@pytest.mark.parametrize("macro", ["common_inputs", "common_outputs"])
def test_two_look_ups_in_one_query_do_not_take_all_rows_into_memory(
    with_cells: tuple[SmallWarehouse, pa.Table, pa.Table], macro: str
) -> None:
    """DuckDB keeps what two parts of a query have in common, and of a union that was the whole table."""
    small, *_ = with_cells
    for version in (7, 8):
        wh = small.connect(version)
        a, b = (root for (root,) in wh.sql("SELECT pt_root_id FROM cells ORDER BY nucleus_id LIMIT 2").fetchall())
        ((_, plan),) = wh.sql(
            f"EXPLAIN (ANALYZE, FORMAT json) FROM {macro}({a}, {b}, segments := true)"
        ).fetchall()
        found = list(rows_scanned(json.loads(plan)))
        assert found
        assert sum(found) < 3000 / 4


def rows_scanned(plan: dict[str, Any]) -> Iterator[int]:
    """How many rows each scan of synapses handed on."""
    files = str((plan.get("extra_info") or {}).get("Filename(s)", ""))
    if any(name in files for name in ("/model/synapses-", "axon_synapses", "synapses_delta")):
        yield int(plan.get("operator_cardinality", plan.get("intermediate_rows", 0)))
    for child in plan.get("operator", plan.get("children", ())):
        yield from rows_scanned(child)


def test_a_full_copy_needs_no_other_version(
    two: SmallWarehouse, pair: tuple[pa.Table, pa.Table], caplog: pytest.LogCaptureFixture
) -> None:
    _, second = pair
    with pytest.raises(UsageError, match=r"holds synapses that version 8 needs; .* microns promote 8"):
        drop(two.folder, 7)
    before = listed(two.folder, "root_lineage_v7")
    promote(two.folder, 8)
    assert read_manifest(two.folder.manifest(8)).needs == []
    assert sorted(path.name for path in (two.folder.version(8) / "model").glob("*/*.parquet")) != []
    with pytest.raises(UsageError, match=r"plain names answer from version 7; .* microns build --default 8"):
        drop(two.folder, 7)
    build(two.folder, default=8)
    drop(two.folder, 7)
    assert two.folder.versions() == [8]
    assert scanned(two.folder).equals(second.sort_by("id"))
    assert listed(two.folder, "root_lineage_v7") == before
    assert two.ask("SELECT count(*) FROM synapses") == [(second.num_rows,)]
    assert all(result.ok for result in check(two.folder, 8))
    caplog.set_level(logging.INFO)
    promote(two.folder, 8)
    assert "is a full copy already" in caplog.text
    drop(two.folder, 8)
    clean(two.folder)
    assert list(two.folder.path.iterdir()) == []


def test_what_another_process_works_on_is_left_alone(two: SmallWarehouse) -> None:
    parts = two.folder.staging(8)
    with job_lock(parts):
        for change in (drop, promote):
            with pytest.raises(FolderBusy, match="another microns snapshot works on"):
                change(two.folder, 8)
    with synapses_lock(two.folder, [8]), pytest.raises(FolderBusy, match="stores synapses of version 8"):
        drop(two.folder, 8)
    assert two.folder.versions() == [7, 8]
    parts.mkdir()
    (parts / "part").write_bytes(b"123")
    waits = drop(two.folder, 8)
    assert waits > 3
    assert not parts.exists()
    parts.mkdir()
    (parts / "part").write_bytes(b"123")
    assert drop(two.folder, 8) == waits
    clean(two.folder)
    parts.mkdir()
    (parts / "part").write_bytes(b"123")
    assert drop(two.folder, 8) == 3
    with pytest.raises(WarehouseError, match="version 8 is not in"):
        drop(two.folder, 8)


def test_a_base_that_was_replaced_is_read_as_it_was(
    two: SmallWarehouse, pair: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    """The files that a version is stored against stay, whatever the other version has now."""
    _, second = pair
    published = read_manifest(two.folder.manifest(7))
    draft = tmp_path / "assembled"
    entry = cluster_synapses(draft, TABLE, synapses(20), source="synthetic")
    publish(two.folder, draft, replace(published, tables={SYNAPSE: entry}))
    build(two.folder)
    clean(two.folder)
    assert two.ask("SELECT count(*) FROM synapses", 7) == [(20,)]
    assert scanned(two.folder).equals(second.sort_by("id"))
    promote(two.folder, 8)
    assert scanned(two.folder).equals(second.sort_by("id"))


def test_a_version_whose_base_was_deleted_is_not_opened(two: SmallWarehouse) -> None:
    shutil.rmtree(two.folder.version(7))
    with pytest.raises(SnapshotDamaged, match=r"v7/manifest-\w+.json is missing; run: microns repair 7"):
        two.connect()
    with pytest.raises(SnapshotDamaged, match=r"needs the synapses of version 7, and those are gone.*repair 7"):
        two.connect(8)


def test_a_session_goes_on_while_its_version_is_promoted(two: SmallWarehouse) -> None:
    session, count = two.connect(8), "SELECT count(*) FROM synapses"
    before = session.sql(count).fetchall()
    promote(two.folder, 8)
    assert session.sql(count).fetchall() == before
    assert two.connect(8).sql(count).fetchall() == before


def test_the_full_layout_stores_its_orders_of_a_version_with_a_base(
    two: SmallWarehouse, pair: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    _, second = pair
    (tmp_path / "full").mkdir()
    publish(two.folder, tmp_path / "full", replace(read_manifest(two.folder.manifest(8)), layout="full"))
    build(two.folder)
    manifest = read_manifest(two.folder.manifest(8))
    assert manifest.bases == {7}
    assert {"_all_by_pre", "_all_by_place"} <= set(manifest.stored_views)
    for name in ("_all_by_pre", "_all_by_place"):
        assert two.ask(f"SELECT id FROM {name} ORDER BY id", 8) == [(i,) for i in sorted(second["id"].to_pylist())]


def test_damage_to_the_base_is_found_from_the_other_version(two: SmallWarehouse) -> None:
    path = next((two.folder.version(7) / "model").glob("synapses-*/*/*.parquet"))
    pq.write_table(pq.read_table(path, partitioning=None).slice(1), path)
    (files,) = check(two.folder, 8)
    assert files.rows[0][0].startswith("v7/model/synapses-")
