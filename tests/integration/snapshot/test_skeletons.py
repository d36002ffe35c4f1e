"""Skeletons: from the skeleton service, through the real client, into a version that is here."""

from __future__ import annotations

import binascii
import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from ingest.job import skeletons as skeleton_job
from ingest.job.chosen_cells import Which, which_cells
from ingest.job.skeletons import SkeletonJob
from ingest.parts.saved import PartsFolder
from warehouse.demo import faults
from warehouse.demo.synthetic import Volume
from warehouse.errors import SchemaDrift, SnapshotIncomplete, SourceRefused, SourceUnavailable, UsageError
from warehouse.registry.tables import NUCLEUS, SKELETON
from warehouse.serve.gate import Fault, Reply
from warehouse.storage.manifest import Manifest
from warehouse.storage.skeleton import concat_rows

pytestmark = pytest.mark.slow

PROOFREADING = "proofreading_status_and_strategy"
BULK = "/bulk/get_cached_skeletons/"


@pytest.fixture(autouse=True)
def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skeleton_job, "PER_REQUEST", 4)


@pytest.fixture
def here(bench: Any) -> Any:
    """A bench whose folder has the tables that say which cells there are."""
    bench.take(PROOFREADING, NUCLEUS, "nucleus_alternative_points", "nucleus_ref_neuron_svm")
    return bench


def run(bench: Any, which: Which = "proofread") -> Manifest:
    return SkeletonJob(bench.folder, 1718, which).run(bench.connect)


def asked(bench: Any) -> list[list[int]]:
    """The segments that each request asked for."""
    return [entry.body["root_ids"] for entry in bench.service.requests if BULK in entry.path]


def wanted(bench: Any) -> list[int]:
    rows = pl.DataFrame(bench.rows(PROOFREADING)).filter(pl.col("status_axon"))
    return sorted(rows["pt_root_id"].unique())


def here_now(bench: Any) -> set[int]:
    return set(bench.rows(SKELETON)["pt_root_id"].to_pylist())


def not_ready(roots: list[int]) -> list[int]:
    """Those that the service makes only when it is asked for them."""
    return [root for root in roots if root % 25 == 0]


def ready(bench: Any) -> tuple[int, ...]:
    """Those that the service has at once."""
    return tuple(root for root in wanted(bench) if root % 25)


def test_what_is_published_is_what_the_service_holds(here: Any, volume: Volume) -> None:
    run(here)
    run(here)
    expected = [skeleton.rows() for root in wanted(here) if (skeleton := volume.skeleton(root))]
    assert len(expected) == len(wanted(here)) > 8
    found = here.rows(SKELETON)
    assert found.equals(concat_rows(expected).cast(found.schema))
    entry = here.manifest().tables[SKELETON]
    assert (entry.scope, entry.source) == ("proofread", "cave")
    assert entry.url.endswith("/skeletoncache/api/v1/minnie65_public")
    assert entry.description == "format 4 of skeleton service 0.23.11"
    assert [path.name for path in here.folder.path.iterdir() if path.is_dir()] == ["v1718"]


def test_what_is_not_ready_is_named_made_and_fetched_by_the_next_run(
    here: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (late,) = not_ready(wanted(here))
    run(here)
    assert here_now(here) == set(wanted(here)) - {late}
    assert f"no skeleton ready of 1 of {len(wanted(here))} cells ({late})" in caplog.text
    assert "run the same command again" in caplog.text
    before = len(asked(here))
    run(here)
    assert asked(here)[before:] == [[late]]
    assert here_now(here) == set(wanted(here))


def test_a_finished_job_asks_nobody(here: Any, caplog: pytest.LogCaptureFixture) -> None:
    run(here)
    run(here)
    before = len(here.service.requests)
    file = here.folder.version(1718) / here.manifest().tables[SKELETON].files[0].path
    written = file.stat().st_mtime_ns
    with caplog.at_level(logging.INFO, logger="ingest"):
        run(here)
    assert "nothing to fetch" in caplog.text
    assert len(here.service.requests) == before
    assert file.stat().st_mtime_ns == written


def test_a_job_that_was_refused_halfway_continues_where_it_was(here: Any) -> None:
    here.service.faults.add(BULK, faults.invalid_token(), times=None, skip=2)
    with pytest.raises(SourceRefused):
        run(here)
    assert SKELETON not in here.manifest().tables
    got = {
        root for part in PartsFolder(here.folder.staging(1718) / "skeletons").load() for root in part.part.among
    }
    assert got
    here.service.faults.clear()
    before = len(asked(here))
    run(here)
    assert not got & {root for roots in asked(here)[before:] for root in roots}
    assert here_now(here) == set(wanted(here)) - set(not_ready(wanted(here)))


def test_parts_that_were_published_by_a_job_that_was_killed_then_do_no_harm(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = ready(here)[:3]
    with monkeypatch.context() as patch:
        patch.setattr(PartsFolder, "clear", lambda _: None)
        run(here, roots[:2])
    assert (here.folder.staging(1718) / "skeletons").is_dir()
    run(here, roots)
    assert here_now(here) == set(roots)


def test_cells_are_added_to_those_that_are_here(here: Any, volume: Volume) -> None:
    first, second, third = ready(here)[:3]
    run(here, (first,))
    assert here.manifest().tables[SKELETON].scope == "chosen"
    rows = here.rows(NUCLEUS)
    nucleus = dict(zip(rows["pt_root_id"].to_pylist(), rows["id"].to_pylist(), strict=True))
    run(here, (nucleus[second], third))
    assert here_now(here) == {first, second, third}
    run(here)
    assert here.manifest().tables[SKELETON].scope == "proofread"
    run(here, (first,))
    assert here.manifest().tables[SKELETON].scope == "proofread"


def test_all_neurons_takes_what_is_ready_and_has_nothing_made(
    here: Any, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    run(here, "neurons")
    assert not any(entry.body["generate_missing"] for entry in here.service.requests if BULK in entry.path)
    assert "name them with --skeletons" in caplog.text
    roots = {root for roots in asked(here) for root in roots}
    ready = {root for root in roots if root % 25 and volume.skeleton(root)}
    assert here_now(here) == ready
    assert len(ready) > 80


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("7", "7 is no nucleus of v1718"),
        ("neurons,", "neurons, names no cell"),
        ("8.6e17", "8.6e17 names no cell"),
        ("", "names no cell"),
    ],
)
def test_cells_that_are_not_there_get_a_sentence(here: Any, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        run(here, which_cells(text, "--skeletons", lambda query, parameters: []))
    assert asked(here) == []


def test_the_table_is_not_fetched_by_its_name(bench: Any) -> None:
    with pytest.raises(UsageError, match="microns snapshot 1718 --skeletons proofread"):
        bench.take(SKELETON)


def test_without_the_table_that_names_the_cells_there_is_a_command_to_fetch_it(bench: Any) -> None:
    bench.take("nucleus_detection_v0")
    with pytest.raises(SnapshotIncomplete, match=f"microns snapshot 1718 {PROOFREADING} --skeletons proofread"):
        run(bench)


def changed(change: Callable[[dict[str, Any]], None]) -> Fault:
    """An answer whose first skeleton is not what it should be."""

    def alter(reply: Reply) -> Reply:
        packed = json.loads(reply.content)
        first = min(packed)
        content = json.loads(gzip.decompress(binascii.unhexlify(packed[first])))
        change(content)
        packed[first] = binascii.hexlify(gzip.compress(json.dumps(content).encode())).decode()
        return replace(reply, content=json.dumps(packed).encode())

    return Fault(change=alter)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: content["edges"].append(content["edges"][0]), "has loops"),
        (lambda content: content["radius"].pop(), "not there for each vertex"),
        (lambda content: content.update(root=10**6), "names a vertex that it does not have"),
        (lambda content: content["vertices"].clear(), "not points in space"),
        (lambda content: content.pop("root"), "another form than known"),
    ],
)
def test_a_skeleton_that_cannot_be_read_is_left_out_with_a_word(
    here: Any, caplog: pytest.LogCaptureFixture, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    roots = ready(here)[:3]
    here.service.faults.add(BULK, changed(change))
    run(here, roots)
    assert here_now(here) == set(roots[1:])
    assert f"the skeleton of {roots[0]} " in caplog.text
    assert sentence in caplog.text


def test_if_no_skeleton_can_be_read_the_job_fails(here: Any) -> None:
    here.service.faults.add(BULK, changed(lambda content: content.pop("vertices")), times=None)
    with pytest.raises(SchemaDrift, match="another form than known"):
        run(here, ready(here)[:1])


def test_an_answer_without_radius_and_compartment_is_kept_without_them(here: Any) -> None:
    def strip(content: dict[str, Any]) -> None:
        del content["radius"], content["compartment"]

    here.service.faults.add(BULK, changed(strip))
    run(here, ready(here)[:1])
    rows = here.rows(SKELETON)
    assert rows["radius_nm"].null_count == rows.num_rows > 0
    assert set(rows["compartment_code"].to_pylist()) == {0}


def test_other_skeletons_than_asked_for_are_refused(here: Any) -> None:
    def rename(reply: Reply) -> Reply:
        return replace(reply, content=json.dumps({"5": next(iter(json.loads(reply.content).values()))}).encode())

    here.service.faults.add(BULK, Fault(change=rename), times=None)
    with pytest.raises(SourceUnavailable, match="other cells than asked for"):
        run(here, ready(here)[:1])


def test_an_older_skeleton_service_is_refused_with_a_sentence(here: Any) -> None:
    old = Fault(change=lambda reply: replace(reply, content=b'"0.22.1"'))
    here.service.faults.add("/skeletoncache/api/version$", old, times=None)
    with pytest.raises(SourceRefused, match=r"0\.22\.1"):
        run(here)


def test_an_outage_is_waited_out(here: Any) -> None:
    here.service.faults.add(BULK, faults.unavailable(), times=2)
    here.service.faults.add(BULK, faults.reset(), times=1)
    run(here, ready(here)[:2])
    assert len(here_now(here)) == 2
