"""One synthetic volume out of CAVE, the archive's files and Delta tables: the same rows each time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ingest.archive.source import ArchiveSource
from ingest.cave.service import CaveService
from ingest.cave.source import CaveSource
from ingest.delta.source import DeltaSource
from ingest.files.remote import HttpFiles
from ingest.files.retry import RetryPolicy
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from ingest.parts.source import Source, SourceName
from warehouse.demo.bucket import LAKE_PLACE, PLACE, serve_bucket
from warehouse.demo.lake import write_lake
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import synthesize
from warehouse.demo.synthetic.exports import write_archive
from warehouse.query.scan import scan
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
from warehouse.serve import serve
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow
pytest.importorskip("deltalake")

BASE, VERSION = 1507, 1718
BOOKKEEPING = {"created", "superceded_id", "valid"}
BOXES = {f"bb_{end}_position_{axis}" for end in ("start", "end") for axis in "xyz"}
Folders = dict[SourceName, Folder]


def snapshots(root: Path) -> Folders:
    """Of each source all tables that it has, and all synapses; the second version against the first."""
    volume, files = synthesize(200, 1, synapses=4_000), root / "buckets"
    write_archive(volume, files / PLACE, full=(BASE, VERSION))
    for version in (BASE, VERSION):
        write_lake(volume, version, files / LAKE_PLACE)
    made: Folders = {}
    with serve(from_volume(volume), faithful=True) as cave, serve_bucket(files) as bucket:
        policy = RetryPolicy(attempts=2, read=30.0)
        origins: dict[SourceName, Source] = {
            "cave": CaveSource(CaveService("minnie65_public", server=cave.url, token=cave.token)),
            "archive": ArchiveSource("minnie65_public", HttpFiles(f"{bucket.url}/{PLACE}", policy)),
            "delta": DeltaSource("minnie65_public", HttpFiles(f"{bucket.url}/{LAKE_PLACE}", policy)),
        }
        for place, origin in origins.items():
            made[place] = Folder.of(root / place)
            for version, base in ((BASE, None), (VERSION, BASE)):
                Snapshot(made[place], Order(version, synapses="all", base=base)).run(partial(_itself, origin))
    return made


def _itself(origin: Source) -> Source:
    return origin


def test_the_sources_give_equal_rows(tmp_path: Path) -> None:
    """In all columns that both have, values and types alike; and what differs between versions is the same."""
    folders = snapshots(tmp_path)
    for version in (BASE, VERSION):
        tables = {place: read_manifest(folder.manifest(version)).tables for place, folder in folders.items()}
        assert set(tables["archive"]) >= set(tables["cave"]) > set(tables["delta"]) == {SYNAPSE}
        for name in tables["cave"]:
            compare(folders, version, name, "archive", BOOKKEEPING | (BOXES if name == NUCLEUS else set()))
        compare(folders, version, SYNAPSE, "delta", set())
    for other in ("archive", "delta"):
        for cave, theirs in zip(differences(folders["cave"]), differences(folders[other]), strict=True):
            assert len(cave) > 0
            assert_frame_equal(cave, theirs)


def compare(folders: Folders, version: int, name: str, other: SourceName, lacking: set[str]) -> None:
    frames = {}
    for place in ("cave", other):
        entry = read_manifest(folders[place].manifest(version)).tables[name]
        assert entry.source == place
        frames[place] = scan(folders[place].version(version), entry).sort(TABLES[name].sort_by).collect()
    if name == SYNAPSE:  # the exporters leave out those with a side that was never looked up in the segmentation
        looked_up = pl.all_horizontal(pl.col("pre_pt_root_id", "post_pt_root_id") != 1)
        assert 0.9 < frames["cave"].select(looked_up.mean()).item() < 1
        frames["cave"] = frames["cave"].filter(looked_up)
    columns = [column for column in frames["cave"].columns if column in frames[other].columns]
    assert set(frames["cave"].columns) - {*columns} <= lacking
    assert len(frames["cave"]) > 0
    assert_frame_equal(frames["cave"].select(columns), frames[other].select(columns), check_exact=True)


def differences(folder: Folder) -> list[pl.DataFrame]:
    """What is stored of the second version: rows, roots that are gone, and what became of them."""
    entry = read_manifest(folder.manifest(VERSION)).tables[SYNAPSE]
    assert entry.base is not None
    lists = [entry.files, entry.base.retired, [lineage.file for lineage in entry.lineages]]
    return [pl.read_parquet([folder.version(VERSION) / file.path for file in each]) for each in lists]
