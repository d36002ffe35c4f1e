"""What goes wrong on the way from the service, and what the job makes of it."""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from ingest.cave.service import Answer
from ingest.cave.source import CaveSource
from ingest.files.retry import RetryPolicy
from ingest.parts.plan import Part
from warehouse.catalog.build import build
from warehouse.commands.check import check
from warehouse.demo import faults
from warehouse.demo.synthetic import Volume
from warehouse.errors import SnapshotIncomplete, SourceUnavailable
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.serve.gate import Fault, Reply

ANY_QUERY = r"/query$"
NUCLEI = rf"/{NUCLEUS}/query$"
TYPES = "aibs_metamodel_celltypes_v661"
PROOFREADING = "proofreading_status_and_strategy"


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
def test_what_passes_is_asked_again(bench: Any, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    bench.service.faults.add(ANY_QUERY, fault, times=2)
    bench.take(NUCLEUS)
    assert bench.rows(NUCLEUS).num_rows == bench.manifest().tables[NUCLEUS].source_rows
    assert "attempt 1 of 4" in caplog.text


def between_messages(reply: Reply) -> Reply:
    """An answer of its schema and half of its rows, cut exactly where the next message would begin."""
    rows = pa.ipc.open_stream(reply.content).read_all()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.slice(0, rows.num_rows // 2).combine_chunks())
        written = sink.tell()
    return replace(reply, content=bytes(sink.getvalue())[:written])


def backwards(reply: Reply) -> Reply:
    """An answer with its columns in the opposite order."""
    rows = pa.ipc.open_stream(reply.content).read_all()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema(list(rows.schema)[::-1])) as writer:
        writer.write_table(rows.select(rows.column_names[::-1]))
    return replace(reply, content=bytes(sink.getvalue()))


def test_an_answer_cut_between_two_messages_is_asked_again(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench.service.faults.add(NUCLEI, Fault(change=between_messages), times=1)
    bench.take(NUCLEUS)
    assert bench.rows(NUCLEUS).num_rows == bench.manifest().tables[NUCLEUS].source_rows
    assert "cut on the way" in caplog.text


def test_columns_in_another_order_are_the_same_rows(bench: Any, volume: Volume, expected: Any) -> None:
    bench.service.faults.add(rf"/({NUCLEUS}|{PROOFREADING})/query$", Fault(change=backwards), times=None)
    bench.take(NUCLEUS, PROOFREADING)
    for name in (NUCLEUS, PROOFREADING):
        assert bench.rows(name).equals(expected(volume, name))


def test_a_server_that_hangs_is_asked_again(bench: Any) -> None:
    bench.service.faults.add(NUCLEI, faults.delay(2), times=1)
    source = bench.connect(policy=RetryPolicy(read=0.5))
    bench.job(NUCLEUS).run(lambda: CaveSource(source))
    assert bench.rows(NUCLEUS).num_rows > 0


@pytest.mark.parametrize("path", [r"/info/version$", r"/materialize/api/versions$", r"/materialize/version$"])
def test_a_server_that_hangs_from_the_start_is_given_up(bench: Any, path: str) -> None:
    bench.service.faults.add(path, faults.delay(1), times=None)
    with pytest.raises(SourceUnavailable, match="in time"):
        bench.connect(policy=RetryPolicy(first_attempts=2, first_read=0.2))


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
    with pytest.raises(SnapshotIncomplete, match=f"without {SYNAPSE} .*cut 1 answers short"):
        bench.take(SYNAPSE, synapses="proofread")
    assert SYNAPSE not in bench.manifest().tables
    assert bench.take(SYNAPSE, synapses="proofread").tables[SYNAPSE].rows > 0


def test_a_stored_number_of_rows_that_is_off_is_noted(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted before the version is copied, and frozen with it: asking later cannot help."""
    bench.service.faults.add(rf"/{NUCLEUS}/count$", faults.wrong_count(7), times=None)
    entry = bench.take(NUCLEUS).tables[NUCLEUS]
    assert entry.source_rows == entry.rows + 7
    words = f"stored number of rows is {entry.rows + 7:,}; it serves {entry.rows:,} with distinct ids"
    assert words in entry.note
    assert words in caplog.text
    build(bench.folder)
    found = [each for each in check(bench.folder, 1718) if each.rows]
    assert [(each.name, each.state) for each in found] == [(f"{NUCLEUS}: number of rows", "note")]


def test_a_view_whose_count_changes_is_refused(bench: Any) -> None:
    """It has no ids by which rows could be told apart."""
    bench.service.faults.add(r"/soma_counts/query$", faults.silently_capped(5), times=1, skip=1)
    with pytest.raises(SourceUnavailable, match="cut 1 answers short"):
        bench.take("soma_counts")


def test_a_count_without_rows_is_a_sentence(bench: Any) -> None:
    bench.service.faults.add(NUCLEI, faults.silently_capped(0), times=None)
    with pytest.raises(SourceUnavailable, match="answer cannot be read"):
        bench.connect().count_where(1718, NUCLEUS, Part())


@pytest.mark.parametrize("answer", [None, {}, [], "text", [None], [[1]], {"message": 1}])
@pytest.mark.parametrize(
    "path", ["/versions$", "/version/1718$", "/tables$", "/tables/metadata$", "/count$", "/views$", "/metadata$"]
)
def test_answers_of_another_form_are_sentences(bench: Any, path: str, answer: Any) -> None:
    service = bench.connect()
    bench.service.faults.add(path, faults.instead(200, answer), times=None)
    for ask in (
        service.versions,
        service.times,
        lambda: service.version(1718),
        lambda: service.tables(1718),
        lambda: service.tables_metadata(1718),
        lambda: service.count(1718, NUCLEUS),
        lambda: service.views(1718),
    ):
        with suppress(SourceUnavailable):
            ask()


def test_a_table_that_fails_does_not_keep_the_others_back(bench: Any, run: Any) -> None:
    """Here CAVE crashes on one table, whatever is asked of it."""
    root = str(bench.folder.path.parent)
    bench.service.faults.add(rf"/{TYPES}/query$", faults.crashed("division by zero"), times=None)
    code, output, errors = run("snapshot", "1718", NUCLEUS, TYPES, "soma_counts", "--root", root, "--quiet")
    assert (code, output) == (4, "")
    assert f"version 1718 is published without {TYPES} ({TYPES}: CAVE failed" in errors.splitlines()[-1]
    assert set(bench.manifest().tables) == {NUCLEUS, "soma_counts"}
    with connect(root=root) as warehouse:
        assert warehouse.sql("SELECT count(*) FROM nucleus_detection_v0").fetchall() == [(200,)]
    bench.service.faults.clear()
    start = len(bench.service.requests)
    assert run("snapshot", "1718", NUCLEUS, TYPES, "soma_counts", "--root", root, "--quiet")[0] == 0
    assert bench.queries(NUCLEUS, start) == []
    assert bench.rows(TYPES).num_rows == bench.manifest().tables[TYPES].source_rows > 100


def test_a_service_that_is_down_publishes_nothing(bench: Any) -> None:
    bench.service.faults.add(ANY_QUERY, faults.unavailable(), times=None)
    with pytest.raises(SourceUnavailable, match="status 503"):
        bench.take(NUCLEUS, TYPES, PROOFREADING)
    assert bench.folder.versions() == []


def test_no_synapses_are_kept_by_a_table_that_failed(bench: Any) -> None:
    bench.service.faults.add(rf"/{PROOFREADING}/query$", faults.crashed("division by zero"), times=None)
    with pytest.raises(SnapshotIncomplete, match=rf"{SYNAPSE}: {PROOFREADING} decides which of its rows are kept"):
        bench.take(NUCLEUS, TYPES, SYNAPSE, synapses="proofread")
    assert set(bench.manifest().tables) == {NUCLEUS, TYPES}


def test_rows_that_were_not_asked_for_are_refused(volume: Volume, bench: Any) -> None:
    source = bench.connect()
    rows = source.rows(1718, NUCLEUS).rows
    twice = pa.concat_tables([rows, rows.slice(0, 1)])
    source_table = bench.job(NUCLEUS).plan(CaveSource(source)).source_tables[0]
    source.rows = lambda *_, **__: Answer(twice, None)
    with pytest.raises(SourceUnavailable, match="same id twice"):
        source_table.fetch(source_table.missing()[0])


@pytest.fixture(autouse=True)
def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ingest")
