"""What goes wrong on the way from the service, and what the job makes of it."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.asking import Patience
from ingest.parts import PartStore
from ingest.plan import Part
from ingest.source import Answer, Source
from warehouse.errors import (
    ExitCode,
    FolderBusy,
    SchemaDrift,
    SourceRefused,
    SourceUnavailable,
    UsageError,
    WarehouseError,
)
from warehouse.service import Grant, ServedDatastack, columns_of, faults, from_volume, serve
from warehouse.synthetic import Volume
from warehouse.tables import NUCLEUS, SYNAPSE

ANY_QUERY = r"/query$"
NUCLEI = rf"/{NUCLEUS}/query$"


@pytest.mark.parametrize(
    "fault",
    [
        faults.unavailable(503),
        faults.unavailable(502),
        faults.rate_limited(),
        faults.crashed("server closed the connection unexpectedly"),
        faults.truncated(0.5),
        faults.truncated(0.99),
        faults.truncated(0.01),
        faults.reset(0.5),
        faults.instead(200, "<html>log in</html>"),
    ],
)
def test_what_passes_is_asked_again(bench: Any, fault: faults.Fault, caplog: pytest.LogCaptureFixture) -> None:
    bench.service.faults.add(ANY_QUERY, fault, times=2)
    bench.take(NUCLEUS)
    assert bench.rows(NUCLEUS).num_rows == bench.manifest().tables[NUCLEUS].source_rows
    assert "attempt 1 of 4" in caplog.text


def test_a_server_that_hangs_is_asked_again(bench: Any) -> None:
    bench.service.faults.add(NUCLEI, faults.delay(2), times=1)
    source = bench.connect(patience=Patience(read=0.5))
    bench.job(NUCLEUS).run(lambda: source)
    assert bench.rows(NUCLEUS).num_rows > 0


@pytest.mark.parametrize("path", [r"/info/version$", r"/materialize/api/versions$", r"/materialize/version$"])
def test_a_server_that_hangs_from_the_start_is_given_up(bench: Any, path: str) -> None:
    bench.service.faults.add(path, faults.delay(1), times=None)
    with pytest.raises(SourceUnavailable, match="in time"):
        bench.connect(patience=Patience(first_attempts=2, read=0.2))


def test_each_question_is_asked_as_often_as_it_should_and_no_more(bench: Any) -> None:
    bench.service.faults.add(NUCLEI, faults.unavailable(), times=None)
    with pytest.raises(SourceUnavailable, match="status 503"):
        bench.connect().count_where(1718, NUCLEUS, Part())
    assert len(bench.queries(NUCLEUS)) == 4


def test_a_server_that_is_down_is_not_asked_for_every_part(bench: Any) -> None:
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.unavailable(), times=None)
    with pytest.raises(SourceUnavailable, match="status 503"):
        bench.take(SYNAPSE, synapses="proofread")
    assert len(bench.queries(SYNAPSE)) <= 4 * (3 + bench.sizes.workers)


def test_a_part_that_is_too_large_for_the_server_is_cut(bench: Any, volume: Volume) -> None:
    bench.service.faults.add(NUCLEI, faults.crashed("worker was killed"), times=4)
    bench.take(NUCLEUS)
    assert len([body for body in bench.queries(NUCLEUS) if "filter_less_dict" in body]) == 1
    assert bench.rows(NUCLEUS).num_rows > 0


def test_an_old_interface_is_refused_rather_than_used(bench: Any) -> None:
    bench.service.faults.add(r"/materialize/api/versions$", faults.unavailable(), times=None)
    with pytest.raises(SourceUnavailable, match="status 503"):
        bench.connect()


def test_a_server_that_knows_only_an_old_interface_is_refused(bench: Any) -> None:
    bench.service.faults.add(r"/materialize/api/versions$", faults.instead(200, [2]), times=None)
    with pytest.raises(SourceUnavailable, match=r"version 3 of its interface \(caveclient took 2\)"):
        bench.connect()


def test_one_failure_to_say_the_interface_does_not_end_the_job(bench: Any) -> None:
    bench.service.faults.add(r"/materialize/api/versions$", faults.unavailable(), times=1)
    assert bench.connect().api_version == 3


def test_times_without_microseconds_are_read(bench: Any) -> None:
    bench.service.faults.add(r"/version/1718$", faults.without_microseconds(), times=None)
    assert bench.take(NUCLEUS).time_stamp == "2026-03-07T08:10:01"


def test_an_answer_cut_without_a_word_fails_the_job_and_is_fetched_again(bench: Any) -> None:
    bench.take(SYNAPSE, synapses="all")
    requests = len(bench.queries(SYNAPSE))
    shutil.rmtree(bench.folder.version(1718))
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.silently_capped(20), times=1, skip=requests - 1)
    with pytest.raises(SourceUnavailable, match=r"cut 1 answers short .* run the same command again"):
        bench.take(SYNAPSE, synapses="all")
    assert bench.folder.versions() == []
    before = len(bench.service.requests)
    bench.take(SYNAPSE, synapses="all")
    refetched = [body for body in bench.queries(SYNAPSE, before) if "filter_less_dict" in body]
    assert len(refetched) == 1


def test_a_chunk_of_roots_cut_without_a_word_fails_the_job(bench: Any) -> None:
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.silently_capped(3), times=1, skip=1)
    with pytest.raises(SourceUnavailable, match="cut 1 answers short"):
        bench.take(SYNAPSE, synapses="proofread")
    assert bench.take(SYNAPSE, synapses="proofread").tables[SYNAPSE].rows > 0


def test_a_count_that_differs_fails_the_job_and_publishes_nothing(bench: Any) -> None:
    bench.service.faults.add(rf"/{NUCLEUS}/count$", faults.wrong_count(7), times=1)
    with pytest.raises(SourceUnavailable, match=r"says that nucleus_detection_v0 has .* but serves and counts"):
        bench.take(NUCLEUS)
    assert bench.folder.versions() == []
    bench.take(NUCLEUS)


def test_rows_that_were_not_asked_for_are_refused(volume: Volume, bench: Any) -> None:
    source = bench.connect()
    rows = source.rows(1718, NUCLEUS).rows
    twice = pa.concat_tables([rows, rows.slice(0, 1)])
    target = bench.job(NUCLEUS).targets(source)[1][0]
    source.rows = lambda *_, **__: Answer(twice, None)
    with pytest.raises(SourceUnavailable, match="same id twice"):
        target.fetch(target.missing()[0])


# Accounts ------------------------------------------------------------------------------------------


def test_without_a_token_nobody_is_asked(bench: Any) -> None:
    with pytest.raises(SourceRefused, match="setup_token"):
        Source("minnie65_public", server=bench.service.url)
    assert bench.service.requests == []


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (None, "does not accept the token"),
        (Grant.NO_TERMS, r"open http.*/tos/8/accept in a browser"),
        (Grant.NO_PERMISSION, "no view permission for minnie65_public"),
    ],
)
def test_an_account_that_may_not_ask_gets_a_sentence(volume: Volume, grant: Grant | None, words: str) -> None:
    token = "0123456789abcdef"
    tokens = {"f" * 32: Grant.VIEW} | ({token: grant} if grant else {})
    with serve(from_volume(volume), tokens=tokens) as service:
        with pytest.raises(SourceRefused, match=words) as caught:
            Source("minnie65_public", server=service.url, token=token).versions()
        assert caught.value.exit_code is ExitCode.SOURCE
        assert len(service.requests) <= 6


@pytest.mark.parametrize(
    "path", ["/info/", "/materialize/", r"/versions$", "/tables$", "/metadata$", "/count$", "/query$"]
)
@pytest.mark.parametrize("fault", [faults.missing_terms(), faults.invalid_token()])
def test_a_refusal_at_any_moment_opens_no_browser_and_is_final(bench: Any, path: str, fault: faults.Fault) -> None:
    bench.service.faults.add(path, fault, times=None)
    with pytest.raises(SourceRefused):
        bench.take(NUCLEUS)


def test_the_token_is_found_where_caveclient_keeps_it(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Path(os.environ["HOME"]) / ".cloudvolume" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "cave-secret.json").write_text(f'{{"token": "{bench.service.token}"}}')
    assert bench.connect(token=None).versions().live == (1507, 1718)
    (secrets / "cave-secret.json").write_text("{")
    with pytest.raises(SourceRefused, match="cannot be read"):
        bench.connect(token=None)


def test_no_token_is_in_any_file_or_line(bench: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    bench.service.faults.add(ANY_QUERY, faults.unavailable(), times=2)
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.invalid_token(), times=1, skip=3)
    with pytest.raises(SourceRefused) as caught:
        bench.take(SYNAPSE, synapses="proofread")
    assert bench.service.token not in repr(caught.value) + str(caught.value)
    bench.take(SYNAPSE, synapses="proofread")
    assert caplog.text
    assert bench.service.token not in caplog.text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not any(bench.service.token.encode() in path.read_bytes() for path in files)


# Names ---------------------------------------------------------------------------------------------


def test_an_unknown_version_gets_the_list_of_those_there_are(bench: Any) -> None:
    with pytest.raises(SourceRefused, match=r"version 99 of minnie65_public does not exist.*1507, 1718") as caught:
        bench.take(version=99)
    assert caught.value.exit_code is ExitCode.SOURCE


def test_an_expired_version_says_so(volume: Volume, benched: Any, tmp_path: Path) -> None:
    datastack = from_volume(volume)
    versions = tuple(replace(version, expired=version.version == 1507) for version in datastack.versions)
    with (
        benched(replace(datastack, versions=versions), tmp_path) as bench,
        pytest.raises(SourceRefused, match=r"1507 .* has expired at CAVE.* offers now are 1718"),
    ):
        bench.take(version=1507)


def test_an_unknown_table_gets_the_nearest_names(bench: Any) -> None:
    with pytest.raises(
        UsageError, match=r"no table nucleus_detection in version 1718; did you mean .*nucleus_det"
    ):
        bench.take("nucleus_detection")
    with pytest.raises(UsageError, match="file of the public archive"):
        bench.take("synapses_with_axon_proofreading")


def test_an_unknown_datastack_and_a_wrong_address_get_a_sentence(bench: Any) -> None:
    with pytest.raises(UsageError, match="no datastack fly"):
        Source("fly", server=bench.service.url, token="x")
    with pytest.raises(UsageError, match="not the address of a service"):
        Source("minnie65_public", server="nowhere", token="x")
    with pytest.raises(SourceUnavailable, match=r"cannot be reached .*--server"):
        Source("minnie65_public", server="http://127.0.0.1:9", token="x")


# Columns -------------------------------------------------------------------------------------------


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
        pytest.raises(SchemaDrift, match=r"synapses_pni_2.size holds what int32 cannot"),
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
        patch.setattr("ingest.parts._write", full)
        with pytest.raises(WarehouseError, match=r"the disk of .* is full.*nothing is lost"):
            bench.take(NUCLEUS)
    bench.take(NUCLEUS)


def test_two_jobs_on_one_version_do_not_mix(bench: Any) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly() -> Source:
        asked.set()
        go_on.wait(10)
        return bench.connect()  # type: ignore[no-any-return]

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
    store = PartStore(bench.folder.staging(1718) / "proofreading_status_and_strategy")
    part = store.load()[0]
    part.path.write_bytes(part.path.read_bytes()[:-1] + b"x")
    bench.service.faults.clear()
    before = len(bench.service.requests)
    bench.take(SYNAPSE, synapses="proofread")
    assert len(bench.queries("proofreading_status_and_strategy", before)) == 1


@pytest.fixture(autouse=True)
def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ingest")
