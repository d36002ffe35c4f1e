"""Columns that are not the declared ones, a full disk, a second job, a damaged part."""

from __future__ import annotations

import errno
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.cave.source import CaveSource
from ingest.job.estimate import estimate
from ingest.parts.saved import PartsFolder
from warehouse.demo import faults
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume
from warehouse.errors import (
    FolderBusy,
    SchemaDrift,
    SourceRefused,
    WarehouseError,
)
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.serve import ServedDatastack, columns_of
from warehouse.storage.paths import Folder


def altered(volume: Volume, name: str, change: Any) -> ServedDatastack:
    datastack = from_volume(volume, {1718})
    rows = change(volume.table(1718, name))
    tables = tuple(
        replace(table, rows=rows, columns=columns_of(rows.schema)) if table.name == name else table
        for table in datastack.versions[0].tables
    )
    return replace(datastack, versions=(replace(datastack.versions[0], tables=tables),))


def renamed(rows: pa.Table) -> pa.Table:
    return rows.rename_columns(["volume_um3" if name == "volume" else name for name in rows.column_names])


def with_text(rows: pa.Table) -> pa.Table:
    return rows.set_column(rows.column_names.index("volume"), "volume", rows["volume"].cast(pa.string()))


def with_float_ids(rows: pa.Table) -> pa.Table:
    return rows.set_column(rows.column_names.index("pt_root_id"), "pt_root_id", rows["volume"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (renamed, "lacks the columns volume"),
        (with_text, "nucleus_detection_v0.volume is string"),
        (with_float_ids, "nucleus_detection_v0.pt_root_id is float"),
    ],
)
def test_columns_that_are_not_the_declared_ones_stop_the_job(
    volume: Volume, benched: Any, tmp_path: Path, change: Any, words: str
) -> None:
    with benched(altered(volume, NUCLEUS, change), tmp_path) as bench, pytest.raises(SchemaDrift, match=words):
        bench.take(NUCLEUS)


def test_a_synapse_size_that_is_no_whole_number_stops_the_job(
    volume: Volume, benched: Any, tmp_path: Path
) -> None:
    def half(rows: pa.Table) -> pa.Table:
        return rows.set_column(rows.column_names.index("size"), "size", pa.array([1.5] * len(rows)))

    with (
        benched(altered(volume, SYNAPSE, half), tmp_path) as bench,
        pytest.raises(SchemaDrift, match=r"synapses_pni_2.size holds what int64 cannot"),
    ):
        bench.take(SYNAPSE, synapses="all")


def test_a_new_column_is_named_and_does_not_stop_the_job(
    volume: Volume, benched: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    datastack = altered(volume, NUCLEUS, lambda rows: rows.append_column("shape", rows["volume"]))
    with benched(datastack, tmp_path) as bench:
        bench.take(NUCLEUS)
    assert "does not know and does not keep: shape" in caplog.text


# This machine --------------------------------------------------------------------------------------


def test_a_full_disk_gets_a_sentence_and_loses_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.parts.saved._write", full)
        with pytest.raises(WarehouseError, match=r"the disk of .* is full.*nothing is lost"):
            bench.take(NUCLEUS)
    bench.take(NUCLEUS)


def test_a_folder_that_cannot_be_made_gets_a_sentence(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bench.folder = Folder(tmp_path / "file" / "minnie65_public")
    with pytest.raises(WarehouseError, match=r"file.* cannot be written .*--root"):
        bench.take(NUCLEUS)


def test_a_disk_that_fails_while_publishing_gets_a_sentence(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.job.snapshot.publish", fails)
        with pytest.raises(WarehouseError, match=r"the disk of .* is full.*nothing is lost"):
            bench.take(NUCLEUS)
    before = len(bench.service.requests)
    bench.take(NUCLEUS)
    assert bench.queries(NUCLEUS, before) == []


def test_a_dry_run_touches_nothing_of_a_job_that_runs(bench: Any) -> None:
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.missing_permission(), times=None)
    with pytest.raises(SourceRefused):
        bench.take(SYNAPSE)
    store = bench.folder.staging(1718) / "proofreading_status_and_strategy"
    for name in ("begun.tmp", "no-note-yet.parquet"):
        (store / name).write_bytes(b"")
    names = sorted(path.name for path in store.iterdir())
    text = estimate(bench.job(), bench.origin)
    assert sorted(path.name for path in store.iterdir()) == names
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert lines["proofreading_status_and_strategy"] == ["0", "0", "0"]
    assert lines[NUCLEUS][:2] == ["1", "200"]


def test_two_jobs_on_one_version_do_not_mix(bench: Any) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly() -> CaveSource:
        asked.set()
        go_on.wait(10)
        return bench.origin()  # type: ignore[no-any-return]

    first = threading.Thread(target=lambda: bench.job(NUCLEUS).run(slowly))
    first.start()
    asked.wait(10)
    with pytest.raises(FolderBusy, match="another microns snapshot"):
        bench.take(NUCLEUS)
    go_on.set()
    first.join()
    assert bench.rows(NUCLEUS).num_rows > 0


def test_a_part_whose_bytes_changed_is_fetched_again(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.missing_permission(), times=None)
    with pytest.raises(SourceRefused):
        bench.take(SYNAPSE, synapses="proofread")
    store = PartsFolder(bench.folder.staging(1718) / "proofreading_status_and_strategy")
    part = store.load()[0]
    part.path.write_bytes(part.path.read_bytes()[:-1] + b"x")
    bench.service.faults.clear()
    before = len(bench.service.requests)
    bench.take(SYNAPSE, synapses="proofread")
    assert len(bench.queries("proofreading_status_and_strategy", before)) == 1


@pytest.fixture(autouse=True)
def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ingest")
