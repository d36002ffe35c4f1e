"""A folder that the release before generations left: it answers, and is built, repaired and continued."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.cave.source import CaveSource
from ingest.job.order import Order
from ingest.job.repair import repair
from ingest.job.snapshot import Snapshot
from tests.integration.snapshot.conftest import DATASTACK, Bench
from warehouse.catalog.build import build
from warehouse.catalog.verify import verify, verify_database
from warehouse.demo.faults import serve_with_faults
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import synthesize
from warehouse.errors import SnapshotDamaged
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.storage.durable import replace_file
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder

FIXTURE = Path(__file__).parents[2] / "fixtures" / "format1" / "warehouse.tar.xz"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Bench]:
    """The folder, and the service that it came from."""
    with tarfile.open(FIXTURE) as tar:
        tar.extractall(tmp_path, filter="data")
    folder = Folder.of(tmp_path, DATASTACK)
    for version in (1507, 1718):  # that release did not say of a service that its rows are made up
        place = folder.manifest(version)
        replace_file(place, json.dumps({**json.loads(place.read_bytes()), "synthetic": True}).encode())
    volume = synthesize(200, 1, synapses=600)
    with serve_with_faults(from_volume(volume), faithful=True) as running:
        yield Bench(running, folder)


def require_answers(folder: Folder) -> None:
    """All that the old release answered."""
    before = json.loads((folder.path / "answers.json").read_text("utf-8"))
    assert len(before) == 12
    for version in (1507, 1718):
        with connect(version, folder.path.parent) as wh:
            for query, rows in before.items():
                if f"v{version}" in query:
                    assert [[str(value) for value in row] for row in wh.sql(query).fetchall()] == rows, query


def heal(bench: Bench, version: int | None = None) -> list[str]:
    def source() -> CaveSource:
        return bench.origin()

    return repair(bench.folder, version, lambda order, name: source, service=bench.connect)


def problems(folder: Folder) -> list[Any]:
    return [*verify_database(folder), *(each for number in folder.versions() for each in verify(folder, number))]


def test_it_answers_and_is_migrated_by_a_build(old: Bench) -> None:
    assert read_manifest(old.folder.manifest(1718)).bases == {1507}
    require_answers(old.folder)
    build(old.folder)
    require_answers(old.folder)
    assert problems(old.folder) == []
    assert old.service.requests == []
    Snapshot(old.folder, Order(1718, ("nucleus_ref_neuron_svm",))).run(old.origin)
    build(old.folder)
    require_answers(old.folder)
    assert old.queries(SYNAPSE) == []
    with connect(1718, old.folder.path.parent) as wh:
        assert wh.sql("SELECT count(*) > 0 FROM nucleus_ref_neuron_svm").fetchall() == [(True,)]


@pytest.mark.parametrize("is_built", [False, True])
def test_it_is_repaired(old: Bench, is_built: bool) -> None:
    """A bucket of the base, on which the other version depends, and a table."""
    if is_built:
        build(old.folder)
    for version, table in ((1507, SYNAPSE), (1718, NUCLEUS)):
        path = (
            old.folder.version(version) / read_manifest(old.folder.manifest(version)).tables[table].files[0].path
        )
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        replace_file(path, bytes(content))
    assert len(heal(old)) == 2
    assert problems(old.folder) == []
    require_answers(old.folder)


@pytest.mark.parametrize("moved", [(), (NUCLEUS,), (NUCLEUS, "proofreading_status_and_strategy")])
@pytest.mark.parametrize("way", ["build", "repair"])
def test_a_half_done_swap_is_completed(old: Bench, moved: tuple[str, ...], way: str) -> None:
    """The old release moved tables into place one by one, the manifest last."""
    folder, version = old.folder, old.folder.version(1718)
    swap = version / ".swap"
    manifest = read_manifest(folder.manifest(1718))
    (swap / "cave").mkdir(parents=True)
    for name in (NUCLEUS, "proofreading_status_and_strategy"):
        place = version / "cave" / name
        new = place if name in moved else swap / "cave" / name
        if name in moved:
            (swap / "old/cave").mkdir(parents=True, exist_ok=True)
            shutil.copytree(place, swap / "old/cave" / name)
        else:
            shutil.copytree(place, new)
            (place / "part-0.parquet").write_bytes(b"what was there before")
    manifest.write(swap / "manifest.json")
    if len(moved) < 2:
        with pytest.raises(SnapshotDamaged, match="microns repair 1718"):
            connect(1718, folder.path.parent)
    if way == "build":
        build(folder)
    else:
        heal(old, 1718)
    assert not swap.exists()
    assert problems(folder) == []
    require_answers(folder)
    assert old.service.requests == []
