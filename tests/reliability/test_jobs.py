"""Killed at any moment, or out of disk: the rerun ends with the same files, and what was readable stays so.

`MICRONS_KILLS` says how often each job is killed (2 if not set).
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.benchmarks.volume import write_parts
from tests.conftest import SmallWarehouse, filled
from warehouse.catalog.build import build, build_lock
from warehouse.catalog.collect import collect
from warehouse.catalog.committed import committed_names
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.demo.synthetic.volume import cells_for
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

KILLS = int(os.environ.get("MICRONS_KILLS", "2"))
pytestmark = [
    pytest.mark.reliability,
    pytest.mark.timeout(300 + 60 * KILLS),
    pytest.mark.skipif(os.name == "nt", reason="processes cannot be killed there as these are"),
]
VERSION = 1507
ROWS = 1_000_000
START = """
import resource, sys
from pathlib import Path
from warehouse.catalog.build import build
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.paths import Folder
from warehouse.storage.manifest import read_manifest
from warehouse.storage.publish import publish
from warehouse.registry.tables import SYNAPSE, TABLES
folder = Folder(Path(sys.argv[1]))
"""
CLUSTER = """
import shutil
draft = folder.staging(1507) / "assembled"
shutil.rmtree(draft, ignore_errors=True)
cluster_synapses(draft, TABLES[SYNAPSE], sorted(Path(sys.argv[2]).glob("*.parquet")), source="synthetic")
"""
BUILD = "build(folder)"
STEPS = """
import os, shutil

changes = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.truncate")
seen, copying = set(), []

def state():
    # Of a build, which starts anew, only the names that it has left.
    for path in sorted(folder.path.rglob("*")):
        first, *rest = path.relative_to(folder.path).parts
        if first.startswith(".build-"):
            yield ".build", *rest
        elif path.is_file():
            yield first, *rest, path.read_bytes()

def keep():
    now = hash(tuple(state()))
    if now not in seen:
        seen.add(now)
        shutil.copytree(folder.path, Path(sys.argv[2]) / f"{len(seen):03d}" / folder.path.name)

def before(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and "w" in arguments[1]
    if (event in changes or writes) and not copying:
        copying.append(True)
        keep()
        copying.clear()
sys.addaudithook(before)
publish(folder, folder.staging(1507) / "assembled", read_manifest(folder.staging(1507) / "manifest.json"))
build(folder)
copying.append(True)
keep()
"""
"""A copy of what is there before each step: what a job that is killed there leaves. Equal ones are kept once."""
INTERRUPTED = """
import os, signal
to_come = [signal.SIGINT]

def interrupt(event, arguments):
    if event == "os.mkdir" and "b=" in str(arguments[0]) and to_come:
        os.kill(os.getpid(), to_come.pop())
sys.addaudithook(interrupt)
"""
"""Ctrl-C as soon as rows are written, which is before the end whatever else the machine does."""
NO_ROOM = """
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
def say(kind, error, trace):
    sys.stderr.write(f"{error}\\n")
    os._exit(getattr(error, "exit_code", 99))
import os
sys.excepthook = say
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(code: str, *arguments: object) -> float:
    """Let a job run to its end; how long that took."""
    begin = time.monotonic()
    process = start(code, *arguments)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return time.monotonic() - begin


def kill_somewhere(begun: Callable[[], bool], seconds: float, code: str, *arguments: object) -> None:
    """Kill a job at a random moment of the time that it takes once it has begun."""
    process = start(code, *arguments)
    while not begun() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(random.uniform(0, seconds))
    process.kill()
    process.communicate()


def hashes(folder: Path) -> dict[str, str]:
    """What the manifest of a folder says of its files, each verified to be so by its size."""
    manifest = read_manifest(folder / "manifest.json")
    assert all((folder / file.path).stat().st_size == file.bytes for file in manifest.files)
    return {file.path: file.sha256 for file in manifest.files}


def unlisted(folder: Folder) -> list[str]:
    """What is in a datastack's folder and should not be."""
    manifest = read_manifest(folder.manifest(VERSION))
    known = {f"v{VERSION}/{file.path}" for file in manifest.files}
    known |= {f"v{VERSION}/manifest.json", "microns.duckdb", "init.sql", *committed_names(folder).values()}
    found = (path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file())
    hidden = [path.name for path in folder.path.rglob(".*")]
    return [path for path in found if path not in known] + hidden


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(cells_for(ROWS), 0, ROWS)


@pytest.fixture(scope="module")
def parts(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("parts")
    write_parts(volume, folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def published(volume: Volume, parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A version with a million synapses; its stored views are not made yet."""
    folder = Folder.of(tmp_path_factory.mktemp("published"))
    draft = folder.staging(VERSION)
    entries = {
        SYNAPSE: cluster_synapses(draft, TABLES[SYNAPSE], sorted(parts.glob("*.parquet")), source="synthetic")
    }
    for name in volume.table_names(VERSION):
        if TABLES[name].role not in ("synapse", "compartment"):
            rows = logical_rows(TABLES[name], volume.table(VERSION, name))
            entries[name] = write_table(draft, TABLES[name], rows, source="synthetic")
    publish(folder, draft, Manifest(folder.datastack, VERSION, "2026-01-01T00:00:00", entries))
    yield folder
    shutil.rmtree(folder.path)


@pytest.fixture
def copy(published: Folder, tmp_path: Path) -> Iterator[Folder]:
    """A copy of it that a test may spoil."""
    folder = Folder.of(tmp_path)
    shutil.copytree(published.path, folder.path)
    yield folder
    shutil.rmtree(folder.path)


def test_killed_while_clustering(published: Folder, parts: Path, tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    draft = folder.staging(VERSION) / "assembled"
    seconds = finish(CLUSTER, folder.path, parts)
    for _ in range(KILLS):
        shutil.rmtree(draft)
        kill_somewhere(draft.exists, seconds * 0.8, CLUSTER, folder.path, parts)
        assert folder.versions() == []
    finish(CLUSTER, folder.path, parts)
    # Publishing puts a hash behind the name of the folder.
    expected = {
        re.sub(r"-[0-9a-f]{12}", "", path): path
        for path in hashes(published.version(VERSION))
        if path.startswith("model/")
    }
    assert {path.relative_to(draft).as_posix() for path in draft.rglob("*.parquet")} == set(expected)
    for path, there in expected.items():
        assert (draft / path).read_bytes() == (published.version(VERSION) / there).read_bytes()
    assert [path for path in draft.rglob("*") if path.is_file() and path.suffix != ".parquet"] == []


def test_killed_while_building(copy: Folder) -> None:
    """The database that was there answers at all times, from the rows that it was made for."""
    seconds = finish(BUILD, copy.path)
    expected = hashes(copy.version(VERSION))
    answer = ask(copy)
    for _ in range(KILLS):
        forget_models(copy)
        kill_somewhere(lambda: any(copy.path.glob(".build-*")), seconds * 0.8, BUILD, copy.path)
        assert ask(copy) == answer
    finish(BUILD, copy.path)
    assert hashes(copy.version(VERSION)) == expected
    clean(copy)
    assert unlisted(copy) == []


def ask(folder: Folder) -> list[tuple[object, ...]]:
    with connect(root=folder.path.parent) as warehouse:
        query = "SELECT count(*), sum(n_syn), (SELECT count(*) FROM cells) FROM connections_proofread"
        rows: list[tuple[object, ...]] = warehouse.sql(query).fetchall()
        return rows


def forget_models(folder: Folder) -> None:
    """Have the next build store all views again."""
    manifest = read_manifest(folder.manifest(VERSION))
    models = {name: replace(entry, made_from="something else") for name, entry in manifest.stored_views.items()}
    replace(manifest, stored_views=models).write(folder.manifest(VERSION))


def test_killed_at_every_step_of_publishing_and_building(small: SmallWarehouse, tmp_path: Path) -> None:
    """Readers see the old tables and database, or the new ones; the same job then ends with the new."""
    dropped = "nucleus_ref_neuron_svm"
    given = {NUCLEUS: "id\n1", dropped: "target_id\n1", SYNAPSE: "id\n1\n2"}
    small.given(VERSION, **given)
    build(small.folder)
    draft = small.folder.staging(VERSION) / "assembled"
    manifest = read_manifest(small.folder.manifest(VERSION))
    new = {
        NUCLEUS: write_table(draft, TABLES[NUCLEUS], filled(TABLES[NUCLEUS], "id\n1\n2"), source="cave"),
        SYNAPSE: cluster_synapses(draft, TABLES[SYNAPSE], filled(TABLES[SYNAPSE], "id\n3"), source="cave"),
    }
    tables = {name: entry for name, entry in (manifest.tables | new).items() if name != dropped}
    replace(manifest, tables=tables).write(draft.parent / "manifest.json")
    before = counts(small.folder)
    finish(STEPS, small.folder.path, tmp_path / "steps")
    steps = [Folder.of(path) for path in sorted((tmp_path / "steps").iterdir())]
    assert len(steps) > 10
    after = counts(steps[-1])
    assert (before, after) == ([(1, 2, 1, 1)], [(2, 1, 0, 2)])
    for folder in steps:
        seen = counts(folder)
        assert seen in (before, after)
        assert shell_counts(folder) == seen
        if folder.staging(VERSION).exists() and (folder.staging(VERSION) / "assembled").exists():
            publish(folder, folder.staging(VERSION) / "assembled", replace(manifest, tables=tables))
        build(folder)
        assert counts(folder) == shell_counts(folder) == after
        shutil.rmtree(folder.staging(VERSION), ignore_errors=True)
        clean(folder)
        assert unlisted(folder) == []


def clean(folder: Folder) -> None:
    """Remove at once what waits for its grace."""
    with build_lock(folder):
        collect(folder, timedelta(0))


COUNTS = """
SELECT (SELECT count(*) FROM nucleus_detection_v0), (SELECT count(*) FROM synapses_pni_2),
(SELECT count(*) FROM nucleus_ref_neuron_svm), (SELECT count(*) FROM cells)
"""
"""Of three tables and a stored view."""


def counts(folder: Folder) -> list[tuple[object, ...]]:
    with connect(root=folder.path.parent) as warehouse:
        rows: list[tuple[object, ...]] = warehouse.sql(COUNTS).fetchall()
        return rows


def shell_counts(folder: Folder) -> list[tuple[object, ...]]:
    """What the stock shell, which is of DuckDB 1.5, answers in the folder."""
    program = shutil.which("duckdb", path=sysconfig.get_path("scripts"))
    assert program, "the shell is installed with the extra `shell`"
    query = f"SET search_path = 'v{VERSION},v{VERSION}_cave,main'; {COUNTS}"
    done = subprocess.run(
        [program, "-readonly", "-csv", "-noheader", folder.database.name, query],
        cwd=folder.path,
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(map(int, line.split(","))) for line in done.stdout.split()]


def test_without_room_for_synapses_nothing_is_left(parts: Path, tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    process = start(NO_ROOM + CLUSTER, folder.path, parts)
    _, errors = process.communicate()
    assert (process.returncode, errors.count("\n")) == (4, 1)
    assert "is full; free some space and run the same command again, nothing is lost" in errors
    assert [path for path in folder.path.rglob("*") if path.is_file()] == []


def test_without_room_for_stored_views_the_old_ones_answer(copy: Folder) -> None:
    build(copy)
    answer = ask(copy)
    forget_models(copy)
    process = start(NO_ROOM + BUILD, copy.path)
    _, errors = process.communicate()
    assert (process.returncode, "is full; free some space" in errors) == (4, True), errors
    assert ask(copy) == answer
    clean(copy)
    assert unlisted(copy) == []


@pytest.mark.parametrize("code", [CLUSTER, BUILD], ids=["clustering", "building"])
def test_an_interrupted_job_takes_its_temporary_files_along(copy: Folder, parts: Path, code: str) -> None:
    process = start(INTERRUPTED + code, copy.path, parts)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGINT, errors
    shutil.rmtree(copy.staging(VERSION), ignore_errors=True)
    clean(copy)
    assert unlisted(copy) == []
