"""What killed jobs leave is removed or completed, and nothing that somebody reads ever is."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.conftest import SmallWarehouse, filled
from tests.reliability.power import record
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.build import build, build_lock
from warehouse.catalog.collect import collect
from warehouse.catalog.committed import is_current
from warehouse.registry.tables import NUCLEUS, TABLES
from warehouse.storage.durable import replace_file
from warehouse.storage.files import write_table
from warehouse.storage.locks import exclusive_lock
from warehouse.storage.manifest import read_manifest
from warehouse.storage.publish import publish
from warehouse.versions.promote_and_drop import promote

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders and files have other rules there")


def test_a_build_that_was_killed_before_init_sql_is_done_again(small: SmallWarehouse) -> None:
    small.given(1507, **{NUCLEUS: "id\n1"})
    build(small.folder)
    assert is_current(small.folder)
    small.folder.init_sql.unlink()
    promote(small.folder, 1507)
    assert small.folder.init_sql.is_file()


def test_a_promotion_that_was_killed_leaves_no_folder(small: SmallWarehouse) -> None:
    small.given(1507, **{NUCLEUS: "id\n1"})
    build(small.folder)
    left = small.folder.path / ".promote-v1507"
    (left / "model").mkdir(parents=True)
    promote(small.folder, 1507)
    assert not left.exists()


def test_nothing_is_collected_while_the_database_cannot_be_read(small: SmallWarehouse) -> None:
    """A shell that was opened without -readonly holds it; what it names is ahead of no manifest."""
    small.given(1507, **{NUCLEUS: "id\n1"})
    build(small.folder)
    assembled = small.folder.staging(1507) / "assembled"
    manifest = read_manifest(small.folder.manifest(1507))
    new = {NUCLEUS: write_table(assembled, TABLES[NUCLEUS], filled(TABLES[NUCLEUS], "id\n1\n2"), source="cave")}
    publish(small.folder, assembled, replace(manifest, tables=manifest.tables | new))
    code = f"import duckdb; con = duckdb.connect({str(small.folder.database)!r}); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        shell.stdout.readline()
        with build_lock(small.folder):
            collect(small.folder, timedelta(0))
        shell.communicate(b"\n")
    assert small.ask("SELECT count(*) FROM nucleus_detection_v0") == [(1,)]


def test_clean_removes_the_locks_of_killed_jobs_and_no_others(small: SmallWarehouse) -> None:
    small.given(1507, **{NUCLEUS: "id\n1"})
    build(small.folder)
    left, held = small.folder.path / ".change-v1507.lock", small.folder.path / ".fetch-v1718.lock"
    left.touch()
    with exclusive_lock(held, "busy"):
        with build_lock(small.folder):
            collect(small.folder, timedelta(0))
        assert not left.exists()
        assert held.exists()


def test_the_next_bundle_removes_what_a_killed_one_has_left(small: SmallWarehouse, tmp_path: Path) -> None:
    small.given(1507, **{NUCLEUS: "id\n1"})
    build(small.folder)
    (tmp_path / "out" / ".bundle-class.duckdb").mkdir(parents=True)
    for name in (".bundle-class.duckdb/bundle.duckdb", ".bundle-class.duckdb.lock"):
        (tmp_path / "out" / name).touch()
    (tmp_path / "out" / ".bundle-k2h4b6d8").mkdir()
    running = tmp_path / "out" / ".bundle-other.duckdb"
    running.mkdir()
    with exclusive_lock(running.with_name(f"{running.name}.lock"), "busy"):
        make_bundle(small.folder, None, Choice(everything=True), tmp_path / "out" / "class.duckdb")
        assert running.exists()
    running.rmdir()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["class.duckdb"]


def test_a_small_file_for_which_there_is_no_room_leaves_nothing(tmp_path: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace_file(tmp_path / "small.json", b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_what_is_received_is_durable_before_it_has_its_name(small: SmallWarehouse, tmp_path: Path) -> None:
    small.given(1507, **{NUCLEUS: "id\n1"})
    build(small.folder)
    make_bundle(small.folder, None, Choice(everything=True), tmp_path / "class.duckdb")
    code = "from warehouse.commands.cli import main; main()"
    words = ["get", str(tmp_path / "class.duckdb"), "--to", str(tmp_path / "home")]
    calls = record([sys.executable, "-c", code, *words], tmp_path / "trace")
    part, home = str(tmp_path / "home" / "class.duckdb.part"), str(tmp_path / "home")
    told = [(call.name, call.places) for call in calls]
    kept, named = told.index(("fsync", [part])), [name for name, _ in told].index("rename")
    assert kept < named < told.index(("fsync", [home]))
