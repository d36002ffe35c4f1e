"""A synthetic volume served over loopback as CAVE would serve it, and what it takes to snapshot it."""

from __future__ import annotations

import json
import os
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import stamina

from ingest.cave.service import CaveService
from ingest.cave.source import CaveSource
from ingest.cave.table import Sizes
from ingest.files.retry import RetryPolicy
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from warehouse.commands.cli import main
from warehouse.demo.faults import FaultyService, serve_with_faults
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.query.scan import scan
from warehouse.registry.tables import TABLES
from warehouse.serve import ServedDatastack
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder

DATASTACK = "minnie65_public"
QUICK_RETRIES = RetryPolicy(attempts=4, first_attempts=4, connect=5.0, read=30.0)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No token of this machine is found, no browser opens, and nothing waits between attempts."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))

    def refuse(*_: object, **__: object) -> bool:
        raise AssertionError("a browser was opened")

    monkeypatch.setattr(webbrowser, "open", refuse)
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@dataclass
class Bench:
    """A service, a folder, and the way from one to the other."""

    service: FaultyService
    folder: Folder
    sizes: Sizes = field(default_factory=lambda: Sizes(rows=700, single=900, roots=3, ids=200))

    def connect(self, **options: Any) -> CaveService:
        given = {"server": self.service.url, "token": self.service.token, "policy": QUICK_RETRIES, **options}
        return CaveService(DATASTACK, **given)

    def origin(self) -> CaveSource:
        return CaveSource(self.connect(), self.sizes)

    def job(self, *tables: str, version: int = 1718, **order: Any) -> Snapshot:
        return Snapshot(self.folder, Order(version, tables, **order))

    def take(self, *tables: str, **order: Any) -> Manifest:
        return self.job(*tables, **order).run(self.origin)

    def manifest(self, version: int = 1718) -> Manifest:
        return read_manifest(self.folder.manifest(version))

    def rows(self, name: str, version: int = 1718) -> pa.Table:
        """The published rows of a table, as every reader sees them."""
        frame = scan(self.folder.version(version), self.manifest(version).tables[name]).collect()
        schema = TABLES[name].arrow_schema
        return frame.to_arrow().select(schema.names).cast(schema)

    def queries(self, table: str = "", start: int = 0) -> list[Any]:
        """Bodies of the queries that were answered since a moment, about one table or about all."""
        wanted = f"/{table}/query" if table else "/query"
        return [entry.body for entry in self.service.requests[start:] if entry.path.endswith(wanted)]


@pytest.fixture(scope="session")
def volume() -> Volume:
    return synthesize(200, 1, synapses=3_000)


@pytest.fixture(scope="session")
def benched() -> Callable[..., Any]:
    """Opens a bench for as long as a context lasts."""

    @contextmanager
    def opened(datastack: ServedDatastack, root: Path, row_cap: int = 1_000) -> Iterator[Bench]:
        with serve_with_faults(datastack, faithful=True, row_cap=row_cap) as running:
            yield Bench(running, Folder.of(root, DATASTACK))

    return opened


@pytest.fixture
def bench(volume: Volume, tmp_path: Path, benched: Any) -> Iterator[Any]:
    """A bench whose service is faithful, with a row cap far below the size of the largest tables."""
    with benched(from_volume(volume), tmp_path / "root") as opened:
        yield opened


@pytest.fixture(scope="session")
def expected() -> Callable[..., pa.Table]:
    """What a snapshot must hold of a table, in the order of the registry."""

    def rows(volume: Volume, name: str, version: int = 1718) -> pa.Table:
        table = TABLES[name]
        stored = volume.view(version, name) if table.kind == "view" else volume.table(version, name)
        return logical_rows(table, stored)

    return rows


@pytest.fixture
def run(bench: Any, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with the token where caveclient looks for it; gives exit code, output and messages."""
    secrets = Path(os.environ["HOME"]) / ".cloudvolume" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "cave-secret.json").write_text(json.dumps({"token": bench.service.token}))

    def command(*words: str) -> tuple[int, str, str]:
        code = 0
        try:
            main([*words, "--server", bench.service.url])
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def root(bench: Any) -> str:
    return str(bench.folder.path.parent)
