"""A synthetic volume in a bucket over loopback, laid out as the public one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import stamina

from ingest.archive.source import ArchiveSource
from ingest.files.remote import HttpFiles
from ingest.files.retry import RetryPolicy
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from ingest.parts.source import Scope
from warehouse.demo.bucket import PLACE, serve_bucket
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.demo.synthetic.exports import write_archive
from warehouse.query.scan import scan
from warehouse.serve import Running
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder

DATASTACK = "minnie65_public"


@pytest.fixture(autouse=True)
def impatient(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing waits between attempts, and no token of this machine is found."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture(scope="session")
def volume() -> Volume:
    return synthesize(200, 1, synapses=20_000)


@pytest.fixture(scope="session")
def files(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the buckets."""
    folder = tmp_path_factory.mktemp("buckets")
    write_archive(volume, folder / PLACE)
    return folder


@dataclass
class Library:
    """A bucket, a folder, and the way from one to the other."""

    bucket: Running
    folder: Folder

    @property
    def url(self) -> str:
        return f"{self.bucket.url}/{PLACE}"

    def origin(self, **policy: Any) -> ArchiveSource:
        waits = RetryPolicy(attempts=4, first_attempts=4, connect=5.0, **{"read": 30.0, **policy})
        return ArchiveSource(DATASTACK, HttpFiles(self.url, waits))

    def take(
        self, *tables: str, version: int = 1507, synapses: Scope | None = None, origin: Any = None
    ) -> Manifest:
        job = Snapshot(self.folder, Order(version, tables, synapses))
        return job.run(lambda: origin or self.origin())

    def manifest(self, version: int = 1507) -> Manifest:
        return read_manifest(self.folder.manifest(version))

    def rows(self, name: str, version: int = 1507) -> pa.Table:
        """The published rows of a table, with the columns that it has."""
        return scan(self.folder.version(version), self.manifest(version).tables[name]).collect().to_arrow()

    def asked(self, method: str = "GET") -> list[str]:
        """The names of the files that were asked for."""
        return [Path(entry.path).name for entry in self.bucket.requests if entry.method == method]


@pytest.fixture
def library(files: Path, tmp_path: Path) -> Iterator[Library]:
    with serve_bucket(files) as bucket:
        yield Library(bucket, Folder.of(tmp_path / "root", DATASTACK))
