"""A job that ends early loses nothing; one that is finished asks nobody."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ingest.parts.plan import Part
from ingest.parts.saved import PartsFolder
from warehouse.catalog.build import build
from warehouse.demo import faults
from warehouse.errors import SourceRefused
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.storage.manifest import sha256_of

pytestmark = pytest.mark.slow

SYNAPSES = rf"/{SYNAPSE}/query$"
JOB = """
import os
from pathlib import Path
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from ingest.cave.source import CaveSource
from ingest.cave.service import CaveService
from ingest.cave.table import Sizes
from warehouse.storage.paths import Folder

source = CaveService("minnie65_public", server=os.environ["SERVER"], token=os.environ["TOKEN"])
order = Order(1718, synapses="all")
origin = CaveSource(source, Sizes(rows=150, single=900, workers=2))
Snapshot(Folder(Path(os.environ["FOLDER"])), order).run(lambda: origin)
"""


def asked(bodies: list[Any]) -> list[Part]:
    """The id windows that queries asked for."""
    return [
        Part(body.get("filter_greater_equal_dict", {SYNAPSE: {"id": 0}})[SYNAPSE]["id"], less[SYNAPSE]["id"])
        for body in bodies
        if (less := body.get("filter_less_dict"))
    ]


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_job_loses_nothing(bench: Any, tmp_path: Path) -> None:
    store = PartsFolder(bench.folder.staging(1718) / SYNAPSE)
    bench.service.faults.add(SYNAPSES, faults.delay(5), times=None, skip=24)
    environment = {
        **os.environ,
        "SERVER": bench.service.url,
        "TOKEN": bench.service.token,
        "FOLDER": str(bench.folder.path),
    }
    process = subprocess.Popen([sys.executable, "-c", JOB], env=environment)
    try:
        wait_until(lambda: len(bench.queries(SYNAPSE)) >= 24 and len(list(store.directory.glob("*.json"))) >= 5)
        time.sleep(0.3)
    finally:
        process.kill()
        process.wait()
    here = {stored.part for stored in store.load()}
    small = {path.name for path in bench.folder.staging(1718).iterdir()} - {SYNAPSE}
    assert len(here) >= 5
    assert len(small) > 15
    assert bench.folder.versions() == []
    bench.service.faults.clear()
    before = len(bench.service.requests)
    bench.take(synapses="all")
    later = bench.service.requests[before:]
    assert not here & set(asked(bench.queries(SYNAPSE, before)))
    assert not any(f"/table/{name}/query" in entry.path for entry in later for name in small)
    assert bench.rows(SYNAPSE).num_rows == bench.manifest().tables[SYNAPSE].source_rows
    assert [path.name for path in bench.folder.path.iterdir() if path.is_dir()] == ["v1718"]


def test_a_job_that_was_refused_halfway_continues_where_it_was(bench: Any) -> None:
    bench.service.faults.add(SYNAPSES, faults.invalid_token(), times=None, skip=3)
    with pytest.raises(SourceRefused):
        bench.take(synapses="proofread")
    here = {stored.part for stored in PartsFolder(bench.folder.staging(1718) / f"{SYNAPSE}.proofread").load()}
    assert here
    bench.service.faults.clear()
    before = len(bench.service.requests)
    bench.take(synapses="proofread")
    assert {
        entry.path.split("/")[-2] for entry in bench.service.requests[before:] if entry.path.endswith("/query")
    } == {
        SYNAPSE,
        "synapse_target_structure",
        "synapse_target_predictions_ssa",
        "synapse_target_predictions_ssa_v2",
    }
    again = [set(body["filter_in_dict"][SYNAPSE]["pre_pt_root_id"]) for body in bench.queries(SYNAPSE, before)]
    whole = {root for part in here if part.high is None for root in part.among}
    assert not any(whole & roots for roots in again[:-1])  # the last one is the count of all of them


def test_a_finished_job_asks_nobody(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="ingest")
    bench.take()
    before = len(bench.service.requests)
    manifest = bench.take()
    bench.take(NUCLEUS, SYNAPSE)
    bench.take(synapses="proofread")
    assert bench.take(layout="full") == replace(manifest, layout="full", published=bench.manifest().published)
    assert bench.take() == bench.manifest()
    manifest = bench.take(layout="default")
    assert len(bench.service.requests) == before
    assert "version 1718 is complete" in caplog.text
    assert manifest == bench.manifest()


def test_a_wider_scope_fetches_only_what_it_widens(bench: Any) -> None:
    narrow = bench.take().tables
    before = len(bench.service.requests)
    wide = bench.take(synapses="all").tables
    queried = {
        entry.path.split("/")[-2] for entry in bench.service.requests[before:] if entry.path.endswith("/query")
    }
    about_synapses = {name for name in wide if name.startswith("synapse")}
    assert queried == about_synapses
    assert {name: entry for name, entry in narrow.items() if name not in queried} == {
        name: entry for name, entry in wide.items() if name not in queried
    }
    assert narrow[SYNAPSE].rows < wide[SYNAPSE].rows == wide[SYNAPSE].source_rows
    after = len(bench.service.requests)
    bench.take()
    bench.take(synapses="proofread")  # is among all of them
    assert len(bench.service.requests) == after


def test_another_scope_that_is_not_wider_says_what_it_replaces(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="ingest")
    bench.take(SYNAPSE)
    assert "give way" not in caplog.text
    bench.take(SYNAPSE, synapses="neurons")
    assert "scope proofread here give way to those of scope neurons; to have both" in caplog.text
    caplog.clear()
    bench.take(SYNAPSE, synapses="all")
    assert "give way" not in caplog.text
    assert "all synapses are asked for: 3,000 to come" in caplog.text


def test_what_a_job_left_that_was_killed_once_it_had_published_is_removed(bench: Any) -> None:
    bench.take(NUCLEUS)
    rows, staging = bench.rows(NUCLEUS), bench.folder.staging(1718)
    published, unpublished = PartsFolder(staging / NUCLEUS), PartsFolder(staging / f"{SYNAPSE}.proofread")
    unpublished.save(Part(), rows, seen=1)
    for name in (NUCLEUS, "soma_counts"):  # with nothing to do, and with something
        published.save(Part(), rows, seen=1)
        bench.take(name)
        assert published.load() == []
        assert len(unpublished.load()) == 1


def test_further_tables_join_those_that_are_here(bench: Any) -> None:
    bench.take(NUCLEUS)
    manifest = bench.take("soma_counts", "nucleus_alternative_points")
    assert set(manifest.tables) == {NUCLEUS, "soma_counts", "nucleus_alternative_points"}
    assert "functional_properties_v3_bcm" in manifest.absent
    before = len(bench.service.requests)
    bench.take()
    assert bench.queries(NUCLEUS, before) == []


def test_another_table_or_version_touches_nothing_that_is_here(bench: Any) -> None:
    """Neither tables nor clustered synapses nor stored views are written again."""

    def files() -> dict[str, tuple[str, int]]:
        here = bench.folder.path / "v1718"
        paths = here.glob("**/*.parquet")
        return {
            re.sub(r"-[0-9a-f]{12}", "", path.parent.relative_to(here).as_posix()): (
                sha256_of(path),
                path.stat().st_mtime_ns,
            )
            for path in paths
        }

    bench.take(NUCLEUS, SYNAPSE, synapses="all")
    build(bench.folder)
    before = files()
    assert {f"cave/{NUCLEUS}", "model/synapses/b=0", "model/cells"} <= set(before)
    assert any(name.startswith("model/axon_synapses/b=") for name in before)
    bench.take("soma_counts")
    build(bench.folder)
    after = files()
    assert after == before | {"cave/soma_counts": after["cave/soma_counts"]}
    bench.take(NUCLEUS, version=1507)
    build(bench.folder)
    beside = files()
    assert beside == after | {"model/foreign_ids": beside["model/foreign_ids"]}  # what became of the other's ids


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_control_c_keeps_the_parts_and_leaves_with_130(bench: Any) -> None:
    secrets = Path(os.environ["HOME"]) / ".cloudvolume" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "cave-secret.json").write_text(f'{{"token": "{bench.service.token}"}}')
    bench.service.faults.add(SYNAPSES, faults.delay(10), times=None)
    command = [
        sys.executable,
        "-c",
        "from warehouse.commands.cli import main; main()",
        "snapshot",
        "1718",
        "--server",
    ]
    process = subprocess.Popen(
        [*command, bench.service.url, "--root", str(bench.folder.path.parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(
        lambda: (
            any("proofreading" in path.name for path in bench.folder.staging(1718).glob("*/*.json"))
            or (bench.folder.staging(1718) / "proofreading_status_and_strategy").is_dir()
        )
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=9)
    assert process.returncode == 130
    assert output == ""
    assert errors.splitlines()[-1].startswith("microns: error: interrupted; what was fetched is kept")
    assert "Traceback" not in errors
    assert bench.service.token not in errors
    assert PartsFolder(bench.folder.staging(1718) / NUCLEUS).load()
