"""Whatever is made from a synthetic volume says that it is synthetic, and keeps real data out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from pyarrow import csv

from ingest.archive.source import ArchiveSource
from ingest.cave.service import CaveService
from ingest.cave.source import CaveSource
from ingest.files.remote import FolderFiles
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from warehouse.commands import cli
from warehouse.commands.shell import _greeting
from warehouse.demo.local import write_volume
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.demo.synthetic.exports import write_archive
from warehouse.errors import UsageError
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS
from warehouse.serve import serve
from warehouse.serve.sources import from_warehouse
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder

SAID = "synthetic, not biology"
Run: TypeAlias = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(cells=200, synapses=2_000)


@pytest.fixture(scope="module")
def folder(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return write_volume(volume, str(tmp_path_factory.mktemp("synthetic")))


@pytest.fixture(scope="module")
def archive(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("archive")
    write_archive(volume, place)
    return place


@pytest.fixture
def microns(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str | Path) -> tuple[str, str]:
        with suppress(SystemExit):
            cli.main([str(argument) for argument in arguments])
        return capsys.readouterr()

    return run


def from_archive(folder: Folder, place: Path, *, is_usual: bool, table: str = NUCLEUS) -> Manifest:
    source = ArchiveSource(folder.datastack, FolderFiles(place), is_usual=is_usual)
    return Snapshot(folder, Order(1507, (table,))).run(lambda: source)


@pytest.fixture
def fetched(volume: Volume, tmp_path: Path) -> Iterator[Folder]:
    """One table of a version, fetched over loopback: no demo's mark is there."""
    folder = Folder.of(tmp_path / "fetched")
    with serve(from_volume(volume), faithful=True) as service:
        source = CaveService(folder.datastack, server=service.url, token=service.token)
        Snapshot(folder, Order(1718, (NUCLEUS,))).run(lambda: CaveSource(source))
        yield folder


def test_the_first_manifest_says_so_whatever_the_source(fetched: Folder, archive: Path, tmp_path: Path) -> None:
    assert json.loads(fetched.manifest(1718).read_text())["synthetic"] is True
    assert from_archive(Folder.of(tmp_path / "named"), archive, is_usual=False).synthetic


def test_real_rows_and_synthetic_ones_never_share_a_folder(
    fetched: Folder, archive: Path, tmp_path: Path, volume: Volume
) -> None:
    with pytest.raises(UsageError, match=r"holds synthetic data \(v1718\), and real ones.*--root"):
        from_archive(fetched, archive, is_usual=True)
    real = Folder.of(tmp_path / "real")
    assert not from_archive(real, archive, is_usual=True).synthetic
    with pytest.raises(UsageError, match=r"holds real data \(v1507\), and synthetic ones.*--root"):
        from_archive(real, archive, is_usual=False, table="nucleus_ref_neuron_svm")


def test_an_older_manifest_of_synthetic_tables_says_so_too(folder: Folder, tmp_path: Path) -> None:
    content = json.loads(folder.manifest(1718).read_text())
    del content["synthetic"]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content))
    assert read_manifest(path).synthetic


def test_sessions_figures_and_views_say_so(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.plots import style

    monkeypatch.setattr(style, "_source", "")
    with connect(root=folder.path.parent) as warehouse:
        assert SAID in repr(warehouse)
        assert SAID in _greeting(warehouse)
        style.use(warehouse)
        assert SAID in style._source
        for view in ("versions", "provenance"):
            assert warehouse.sql(f"SELECT DISTINCT is_synthetic FROM {view}").fetchall() == [(True,)]


def test_the_service_says_so(folder: Folder) -> None:
    with serve(from_warehouse(folder)) as service:
        source = CaveService(folder.datastack, server=service.url, token=service.token)
        assert source.version(1718).synthetic
    assert SAID in from_warehouse(folder).description


def test_commands_say_so(folder: Folder, microns: Run) -> None:
    root = folder.path.parent
    assert SAID in microns("doctor", "--root", root)[0]
    assert all(row["is_synthetic"] for row in json.loads(microns("list", "--json", "--root", root)[0]))
    assert microns("cite", "--root", root)[0].startswith("Synthetic, not biology: do not cite")
    assert microns("cite", "--bibtex", "--root", root)[0].startswith("% Synthetic, not biology")
    data = [row for row in json.loads(microns("cite", "--json", "--root", root)[0]) if row["section"] == "data"]
    assert all(row["is_synthetic"] for row in data)


def test_a_bundle_says_so(folder: Folder, microns: Run, tmp_path: Path) -> None:
    out = tmp_path / "class.duckdb"
    assert SAID in microns("bundle", out, "--root", folder.path.parent)[1]
    with connect(out) as bundle:
        assert SAID in repr(bundle)
        assert bundle.sql("SELECT DISTINCT is_synthetic FROM provenance").fetchall() == [(True,)]
        assert SAID in bundle.manifest.tools["bundle"]


def test_a_folder_of_parquet_says_so(folder: Folder, microns: Run, tmp_path: Path) -> None:
    out = tmp_path / "class"
    assert SAID in microns("bundle", out, "--parquet", "--root", folder.path.parent)[1]
    assert f"minnie65_public, version 1507, {SAID} (" in (out / "README.txt").read_text("utf-8")
    provenance = csv.read_csv(out / "provenance.csv")
    assert provenance["is_synthetic"].unique().to_pylist() == [True]
