"""All synapses of chosen cells, out of CAVE, the archive's files and Delta tables, and in a bundle of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingest.archive.source import ArchiveSource
from ingest.cave.service import CaveService
from ingest.cave.source import CaveSource
from ingest.cave.table import Sizes
from ingest.delta.source import DeltaSource
from ingest.files.remote import FolderFiles
from ingest.job.cell_synapses import CellSynapsesJob
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from ingest.parts.source import Source
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.build import build
from warehouse.demo.lake import write_lake
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.demo.synthetic.exports import write_archive
from warehouse.errors import UsageError
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.serve import Running, serve
from warehouse.storage.paths import Folder

VERSION = 1507
TABLES = (NUCLEUS, "nucleus_alternative_points", "proofreading_status_and_strategy")


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(200, 1, synapses=3_000)


@pytest.fixture(scope="module")
def service(volume: Volume) -> Iterator[Running]:
    with serve(from_volume(volume, {VERSION}), faithful=True) as running:
        yield running


@pytest.fixture(scope="module")
def busy(volume: Volume) -> list[int]:
    """The two segments with a nucleus that receive most, and are no proofread axons."""
    rows = volume.table(VERSION, SYNAPSE)
    nuclei = volume.table(VERSION, NUCLEUS)
    axons = volume.table(VERSION, "proofreading_status_and_strategy")
    with duckdb.connect() as con:
        found = con.execute(
            "SELECT post_pt_root_id FROM rows SEMI JOIN nuclei ON nuclei.pt_root_id = post_pt_root_id "
            "ANTI JOIN axons ON axons.pt_root_id = post_pt_root_id WHERE post_pt_root_id > 1 "
            "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 2"
        ).fetchall()
    assert all(table.num_rows for table in (rows, nuclei, axons))
    return [root for (root,) in found]


def cave(service: Running) -> Source:
    source = CaveService("minnie65_public", server=service.url, token=service.token)
    return CaveSource(source, Sizes(rows=700, single=900, roots=3, ids=200))


def ids_of(volume: Volume, roots: list[int], *, is_proofread: bool = False) -> list[int]:
    """The ids of all synapses of some segments, in the volume itself."""
    rows = volume.table(VERSION, SYNAPSE)
    senders = list(roots)
    if is_proofread:
        axons = volume.table(VERSION, "proofreading_status_and_strategy").to_pylist()
        senders += [
            r["pt_root_id"] for r in axons if r["status_axon"] and r["strategy_axon"] not in (None, "none")
        ]
    columns = ("id", "valid", "pre_pt_root_id", "post_pt_root_id")
    found = zip(*(rows[name].to_pylist() for name in columns), strict=True)
    return sorted(id for id, valid, pre, post in found if valid and (pre in senders or post in roots))


def here(folder: Folder) -> list[int]:
    build(folder)
    with connect(VERSION, folder.path.parent) as warehouse:
        return [id for (id,) in warehouse.sql("SELECT id FROM synapses ORDER BY id").fetchall()]


@pytest.mark.parametrize("name", ["cave", "archive", "delta"])
def test_every_source_gives_all_synapses_of_a_cell(
    volume: Volume, service: Running, busy: list[int], tmp_path: Path, name: str
) -> None:
    source = cave(service)
    if name == "archive":
        write_archive(volume, tmp_path / "files", full=(VERSION,))
        source = ArchiveSource("minnie65_public", FolderFiles(tmp_path / "files"), is_usual=False)
    if name == "delta":
        pytest.importorskip("deltalake")
        write_lake(volume, VERSION, tmp_path / "files")
        source = DeltaSource("minnie65_public", FolderFiles(tmp_path / "files"), is_usual=False)
    folder = Folder.of(tmp_path / "root")
    Snapshot(folder, Order(VERSION, TABLES, "cells")).run(lambda: cave(service))
    manifest = CellSynapsesJob(folder, VERSION, tuple(busy[:1])).run(lambda: source)
    assert manifest.tables[SYNAPSE].scope == "cells"
    assert here(folder) == ids_of(volume, busy[:1])
    with connect(VERSION, folder.path.parent) as warehouse:
        cell, other = busy
        assert warehouse.sql("FROM input_synapses($id)", id=cell).fetchall()
        with pytest.raises(duckdb.Error, match=f"microns snapshot {VERSION} --synapses cells --cells {other}"):
            warehouse.sql("FROM input_synapses($id)", id=other).fetchall()


def test_the_route_of_an_instructor_ends_in_a_bundle(
    volume: Volume, service: Running, busy: list[int], tmp_path: Path
) -> None:
    folder = Folder.of(tmp_path / "root")
    Snapshot(folder, Order(VERSION, (*TABLES, SYNAPSE), "proofread")).run(lambda: cave(service))
    build(folder)
    choice = Choice(proofread=True, ids=tuple(busy))
    with pytest.raises(UsageError, match=r"microns snapshot 1507 --synapses cells --cells"):
        make_bundle(folder, VERSION, choice, tmp_path / "class.duckdb")
    for chosen in (busy[:1], busy, busy):  # one after the other; the third has nothing to do
        manifest = CellSynapsesJob(folder, VERSION, tuple(chosen)).run(lambda: cave(service))
    assert manifest.tables[SYNAPSE].scope == "proofread+cells"
    assert here(folder) == ids_of(volume, busy, is_proofread=True)
    assert Snapshot(folder, Order(VERSION, TABLES)).is_finished, "a plain snapshot keeps them"
    make_bundle(folder, VERSION, choice, tmp_path / "class.duckdb")
    with connect(tmp_path / "class.duckdb") as bundle:
        assert bundle.scope == "proofread+cells"
        assert bundle.sql("SELECT count(*) FROM synapses").fetchall() == [(len(here(folder)),)]
        with pytest.raises(duckdb.Error) as caught:
            bundle.sql("FROM ei_balance").fetchall()
        assert "ask whoever made this bundle" in str(caught.value)
        assert "microns snapshot" not in str(caught.value)
