"""Writing and publishing: what goes in comes out, and a crash in the middle can be completed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.query.scan import scan
from warehouse.registry.tables import TABLES
from warehouse.storage import clustering, files
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.manifest import Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import complete_old_swap, publish

SYNAPSE = TABLES["synapses_pni_2"]
TYPES = TABLES["aibs_metamodel_celltypes_v661"]


def synapses(rows: int, seed: int = 0, roots: int = 50) -> pa.Table:
    """Synapses with arbitrary positions: sides may be far from the centre, one root may own most rows."""
    rng = np.random.default_rng(seed)
    columns = {}
    for field in SYNAPSE.arrow_schema:
        if field.name == "id":
            values = rng.permutation(rows) + 1
        elif field.name.endswith("_root_id"):
            values = np.where(rng.random(rows) < 0.3, 0, 864691135000000000 + rng.integers(0, roots, rows) ** 2)
        elif "position" in field.name:
            values = rng.integers(0, 2**20, rows)
        else:
            values = rng.integers(1, 2**28, rows)
        columns[field.name] = pa.array(values).cast(field.type)
    return pa.table(columns, schema=SYNAPSE.arrow_schema)


def read_back(directory: Path, entry: TableEntry) -> pa.Table:
    return scan(directory, entry).sort("id").collect().to_arrow().cast(SYNAPSE.arrow_schema)


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(0, 400), cuts=st.lists(st.integers(0, 400), max_size=4), seed=st.integers(0, 5))
def test_any_partition_of_the_rows_gives_the_same_files(
    tmp_path_factory: pytest.TempPathFactory, rows: int, cuts: list[int], seed: int
) -> None:
    directory = tmp_path_factory.mktemp("store")
    table = synapses(rows, seed)
    edges = sorted({0, rows, *(cut for cut in cuts if cut < rows)})
    parts = []
    for index, (start, stop) in enumerate(zip(edges, [*edges[1:], rows], strict=True)):
        parts.append(directory / f"{index}.parquet")
        pq.write_table(table.slice(start, stop - start), parts[-1])
    whole = cluster_synapses(directory / "whole", SYNAPSE, table)
    pieces = cluster_synapses(directory / "pieces", SYNAPSE, list(reversed(parts)))
    assert read_back(directory / "whole", whole).equals(table.sort_by("id"))
    assert read_back(directory / "pieces", pieces).equals(table.sort_by("id"))
    assert [file.sha256 for file in whole.files] == [file.sha256 for file in pieces.files]
    assert whole.rows == rows


def test_every_bucket_is_sorted_and_inside_its_bounds(tmp_path: Path) -> None:
    entry = cluster_synapses(tmp_path, SYNAPSE, synapses(5000))
    edges = [-1, *entry.bounds, 2**63]
    for file in entry.files:
        number = int(Path(file.path).parent.name.removeprefix("b="))
        frame = pl.read_parquet(tmp_path / file.path, hive_partitioning=False)
        assert frame.equals(frame.sort("post_pt_root_id", "id"))
        assert edges[number] <= frame["post_pt_root_id"].min() < edges[number + 1]  # type: ignore[operator]
        assert (file.min, file.max) == (frame["post_pt_root_id"].min(), frame["post_pt_root_id"].max())


def test_a_synapse_fetched_twice_is_kept_once(tmp_path: Path) -> None:
    table = synapses(300)
    entry = cluster_synapses(tmp_path, SYNAPSE, pa.concat_tables([table, table.slice(7, 90)]))
    assert read_back(tmp_path, entry).equals(table.sort_by("id"))


def test_a_synapse_with_two_different_rows_is_refused(tmp_path: Path) -> None:
    table = synapses(300)
    other = table.slice(7, 1).set_column(table.schema.get_field_index("size"), "size", pa.array([1], pa.int64()))
    with pytest.raises(SnapshotDamaged, match=r"two different rows were fetched for synapse \d+"):
        cluster_synapses(tmp_path, SYNAPSE, pa.concat_tables([table, other]))


def test_the_same_id_under_two_roots_is_refused(tmp_path: Path) -> None:
    table = synapses(300)
    moved = table.slice(7, 1).set_column(
        table.schema.get_field_index("post_pt_root_id"), "post_pt_root_id", pa.array([864691135999999999])
    )
    with pytest.raises(SnapshotDamaged, match=r"301 rows but 300 different id"):
        cluster_synapses(tmp_path, SYNAPSE, pa.concat_tables([table, moved]))


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clustering, "_BYTES_PER_ROW", 10**13)
    with pytest.raises(WarehouseError, match=r"sorting 300 synapses needs 3000000\.0 GB"):
        cluster_synapses(tmp_path, SYNAPSE, synapses(300))
    assert not list(tmp_path.rglob("*.parquet"))


def types(*ids: int) -> pa.Table:
    rows = [{"id": each, "target_id": each + 100, "valid": True, "classification_system": "", "cell_type": "23P"}
            for each in ids]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=TYPES.arrow_schema)


def published(folder: Folder, manifest: Manifest) -> list[int]:
    (file,) = manifest.tables[TYPES.name].files
    return list(pl.read_parquet(folder.version(7) / file.path)["id"])


def manifest_of(draft: Path, folder: Folder, *ids: int) -> Manifest:
    entry = files.write_table(draft, TYPES, types(*ids), source="cave", url="")
    return Manifest(folder.datastack, 7, "2026-01-01T00:00:00", {TYPES.name: entry})


def test_tables_are_sorted_and_nulls_survive(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    draft = folder.staging(7) / "assembled"
    publish(folder, draft, manifest_of(draft, folder, 3, 1, 2))
    manifest = read_manifest(folder.manifest(7))
    assert published(folder, manifest) == [1, 2, 3]
    assert folder.versions() == [7]
    query = f"FROM read_parquet('{folder.version(7)}/cave/*/*.parquet')"
    assert duckdb.execute(f"SELECT count(*) - count(created) FROM ({query})").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("crashing", "seen"),
    [("warehouse.storage.publish.make_durable", [1]), ("shutil.rmtree", [1, 2])],
    ids=["before the first table", "after the last"],
)
def test_publishing_that_was_cut_short_leaves_the_old_tables_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crashing: str, seen: list[int]
) -> None:
    folder = Folder.of(tmp_path)
    first = folder.staging(7) / "first"
    publish(folder, first, manifest_of(first, folder, 1))
    second = folder.staging(7) / "second"
    manifest = manifest_of(second, folder, 1, 2)

    def crash(*paths: Path, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(crashing, crash)
        with pytest.raises(KeyboardInterrupt):
            publish(folder, second, manifest)
    assert published(folder, read_manifest(folder.manifest(7))) == seen  # one version or the other, always whole
    again = folder.staging(7) / "again"
    publish(folder, again, manifest_of(again, folder, 1, 2))
    assert published(folder, read_manifest(folder.manifest(7))) == [1, 2]
    assert len(list(folder.version(7).glob("cave/*"))) == 2  # the same content has the same name


def test_nothing_that_was_published_is_ever_replaced(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    before: dict[Path, bytes] = {}
    for ids in ((1,), (1, 2), (1,), (3,)):
        draft = folder.staging(7) / "assembled"
        publish(folder, draft, manifest_of(draft, folder, *ids))
        here = {path: path.read_bytes() for path in folder.version(7).rglob("*.parquet")}
        assert before.items() <= here.items()
        before = here
    assert len(before) == 3


def test_publishing_the_same_content_heals_a_damaged_file(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    draft = folder.staging(7) / "assembled"
    (file,) = publish(folder, draft, manifest_of(draft, folder, 1, 2)).files
    path = folder.version(7) / file.path
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    publish(folder, draft, manifest_of(draft, folder, 1, 2))
    assert path.read_bytes() == good


def test_a_swap_of_the_first_format_is_completed(tmp_path: Path) -> None:
    """Killed in the middle, it had moved one new table into place, and the other not yet."""
    folder = Folder.of(tmp_path)
    version = folder.version(7)
    old = manifest_of(version, folder, 1)
    old.write(folder.manifest(7))
    swap = version / ".swap"
    manifest_of(swap, folder, 1, 2).write(swap / "manifest.json")
    complete_old_swap(folder, 7)
    assert published(folder, read_manifest(folder.manifest(7))) == [1, 2]
    assert not list(version.glob(".*"))
