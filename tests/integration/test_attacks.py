"""SQL of unknown origin: typed into a sandbox, a bundle, a foreign warehouse or a shell, or hidden in a view."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import warehouse
from warehouse.bundle.choice import Choice
from warehouse.bundle.origin import origin
from warehouse.bundle.write import make_bundle
from warehouse.demo.local import write_volume
from warehouse.demo.synthetic import synthesize
from warehouse.errors import SnapshotDamaged, UsageError, WarehouseError
from warehouse.query.session import Warehouse
from warehouse.storage.paths import Folder

SECRET = "sesame-5f1c"
_SMALL = 10_000
_OWN = r"^(DROP|DETACH|CREATE|ALTER)|_scan|enable_"
"""What a session without a sandbox may do to the names of its own, in memory. It may also bring itself down:
DuckDB 1.5 ends the process where it may not write the log that was asked for."""
FILES = Path(__file__).parents[1] / "fixtures" / "attacks"


def lines(name: str) -> list[str]:
    """The statements of a file."""
    return [line for line in (FILES / name).read_text("utf-8").splitlines() if not line.startswith("--")]


class Place:
    """A warehouse that was built here, a bundle of it, a foreign copy, and what is none of theirs."""

    def __init__(self, above: Path) -> None:
        self.above, self.own, self.foreign = above, above / "own", above / "foreign"
        self.bundle = above / "bundles" / "class.duckdb"
        write_volume(synthesize(cells=200, synapses=2_000), str(self.own))
        make_bundle(Folder.of(self.own), None, Choice(everything=True), self.bundle)
        shutil.copytree(self.own, self.foreign)
        self.secret, self.outside = above / "secret.txt", above / "outside"
        self.outside.mkdir()
        self.secret.write_text(SECRET)
        with duckdb.connect(self.outside / "other.duckdb") as con:
            con.execute(f"CREATE TABLE t AS SELECT '{SECRET}' AS a")
        self.put_in(self.foreign / "minnie65_public" / "microns.duckdb", "SELECT 1 AS a")

    def put_in(self, database: Path, view: str, name: str = "evil") -> None:
        """Add a view to a database, as whoever sends it to others could; DuckDB does not look at what it reads."""
        with duckdb.connect(database, config={"file_search_path": str(database.parent)}) as con:
            con.execute(f"CREATE OR REPLACE VIEW main.{name} AS {view}")

    def statement(self, line: str, inside: Path) -> str:
        """A line of a file of statements, about this place."""
        names = {"secret": self.secret, "outside": self.outside, "inside": inside}
        for name, path in names.items():
            line = line.replace(f"{{{name}}}", str(path))
        return line

    def files(self) -> dict[str, bytes | int]:
        """What is there: of small files the content, of large ones the time of the last change."""
        found = {path: path.stat() for path in self.above.rglob("*") if path.is_file()}
        return {
            str(path): stat.st_mtime_ns if stat.st_size > _SMALL else path.read_bytes()
            for path, stat in found.items()
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"))


Opening = Callable[[Place], Warehouse]
SESSIONS: dict[str, Opening] = {
    "sandbox": lambda place: warehouse.connect(root=place.own, sandbox=True, timeout=20),
    "bundle": lambda place: warehouse.connect(place.bundle),
    "bundle in a sandbox": lambda place: warehouse.connect(place.bundle, sandbox=True, timeout=20),
    "foreign": lambda place: warehouse.connect(root=place.foreign, sandbox=True, timeout=20),
}


@pytest.mark.parametrize("session", SESSIONS)
def test_no_statement_reads_or_writes_another_file(
    session: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESAME", SECRET)
    monkeypatch.chdir(place.outside)
    before = place.files()
    statements = lines("statements.sql")
    assert len(statements) >= 150
    with SESSIONS[session](place) as wh:
        inside = wh.path if wh.path.is_dir() else wh.path.parent
        for line in statements:
            if session == "bundle" and re.search(_OWN, line):
                continue
            text = place.statement(line, inside)
            for ask in (wh.sql, wh.cursor().execute):
                try:
                    found = ask(text)
                    answer = "" if found is None else repr(found.fetchall())
                except (duckdb.Error, WarehouseError) as error:
                    answer = str(error).replace(text, "")
                assert SECRET not in answer, text
                assert "root:" not in answer, text
            assert place.files() == before, text
        assert wh.sql("SELECT count(*) FROM cells").fetchall() == [(200,)]


@pytest.mark.parametrize("target", ["bundle", "foreign"])
def test_nor_in_their_shell(target: str, place: Place) -> None:
    before = place.files()
    inside = place.bundle.parent if target == "bundle" else place.foreign / "minnie65_public"
    typed = [*(f"{line};" for line in lines("statements.sql")), *lines("dots.txt")]
    # What is foreign may write beside its own files in its own shell; that is asked of the sandbox above.
    typed = [line for line in typed if target == "bundle" or "{inside}" not in line]
    typed = [place.statement(line, inside) for line in typed]
    # DuckDB's shell ends where it may not write its log, and prints nothing more once a profile goes to a file.
    silent = [line for line in typed if "enable_" in line]
    assert "the end" in said_in_shell(target, place, [line for line in typed if line not in silent])
    for line in silent:
        said_in_shell(target, place, [line])
    assert place.files() == before


def said_in_shell(target: str, place: Place, typed: list[str]) -> str:
    """What the shell prints: never the secret."""
    words = [str(place.bundle)] if target == "bundle" else ["--root", str(place.foreign)]
    done = subprocess.run(
        [sys.executable, "-c", "from warehouse.commands.cli import main; main()", "shell", *words],
        input="\n".join([*typed, "SELECT 'the ' || 'end';"]),
        capture_output=True,
        text=True,
        cwd=place.outside,
        env={**os.environ, "SESAME": SECRET},
        timeout=120,
    )
    assert [line for line in (done.stdout + done.stderr).splitlines() if SECRET in line] == []
    return done.stdout


HIDDEN = (
    "FROM read_text('{secret}')",
    "FROM glob('{outside}/*')",
    "FROM read_csv('{secret}', auto_detect := false, header := false, columns := {'a': 'VARCHAR'})",
    "FROM read_duckdb('{outside}/other.duckdb', table_name := 't')",
    "FROM read_text('{inside}/../secret.txt')",
)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("target", ["bundle", "foreign"])
def test_a_view_of_somebody_else_sees_its_own_rows_only(
    target: str, hidden: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESAME", SECRET)
    source = place.bundle.parent if target == "bundle" else place.foreign
    copy = tmp_path / "copy"
    shutil.copytree(source, copy)
    database = copy / ("class.duckdb" if target == "bundle" else "minnie65_public/microns.duckdb")
    text = place.statement(hidden, database.parent)
    place.put_in(database, text)
    place.put_in(database, f"SELECT * FROM ({text}) CROSS JOIN v1507.cells", "cells")  # the plain name
    monkeypatch.chdir(tmp_path)
    for name in ("evil", "main.cells"):
        # As a whole, or when it is asked.
        with pytest.raises((duckdb.Error, WarehouseError)) as refused, opened(target, copy) as wh:
            wh.sql(f"FROM {name}").fetchall()
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize("call", ["truncate_duckdb_logs", "checkpoint"])
@pytest.mark.parametrize("target", ["bundle", "foreign"])
def test_a_view_that_does_more_than_read_is_refused(target: str, call: str, place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(place.bundle.parent if target == "bundle" else place.foreign, copy)
    database = copy / ("class.duckdb" if target == "bundle" else "minnie65_public/microns.duckdb")
    with duckdb.connect(database) as con:
        con.execute(f"CREATE MACRO evil() AS TABLE FROM {call}()")
    with pytest.raises(SnapshotDamaged, match=f"evil in .* calls {call}, which does more than read"):
        opened(target, copy)


def opened(target: str, folder: Path) -> Warehouse:
    """The bundle, or the foreign warehouse, in a folder."""
    if target == "bundle":
        return warehouse.connect(folder / "class.duckdb")
    return warehouse.connect(root=folder)


def test_trust_is_a_word_of_the_user_s(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "class.duckdb"
    shutil.copy(place.bundle, copy)
    place.put_in(copy, f"FROM read_text('{place.secret}')")
    with warehouse.connect(copy, trust=True) as wh:
        assert wh.sql("SELECT content FROM evil").fetchall() == [(SECRET,)]


def test_what_was_built_here_reads_what_its_user_reads(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with warehouse.connect(root=place.own) as wh:
        assert wh.sql(f"SELECT content FROM read_text('{place.secret}')").fetchall() == [(SECRET,)]
    assert "was not built on this machine" not in caplog.text
    with warehouse.connect(root=place.foreign) as wh, pytest.raises(duckdb.PermissionException):
        wh.sql(f"FROM read_text('{place.secret}')").fetchall()
    assert "was not built on this machine, so its SQL sees no other files" in caplog.text
    assert "microns build" in caplog.text


def test_a_link_does_not_lead_out_of_a_foreign_warehouse(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(place.foreign, copy)
    (copy / "minnie65_public" / "local").mkdir()
    (copy / "minnie65_public" / "local" / "mine.csv").symlink_to(place.secret)
    with pytest.raises(SnapshotDamaged, match=r"mine\.csv is a link that leads out of .*microns build"):
        warehouse.connect(root=copy)
    with warehouse.connect(root=copy, trust=True) as wh:
        assert wh.sql("FROM local.mine").columns == [SECRET]


@pytest.mark.parametrize("line", lines("heavy.sql"))
def test_a_query_in_a_sandbox_is_bounded(line: str, place: Place) -> None:
    with warehouse.connect(root=place.own, sandbox=True, memory="400MB", timeout=2, max_rows=1_000) as wh:
        begin = time.monotonic()
        with pytest.raises((UsageError, duckdb.OutOfMemoryException, duckdb.Error)):
            wh.sql(line).fetchall()
        assert time.monotonic() - begin < 20
        assert wh.sql("SELECT count(*) FROM cells").fetchall() == [(200,)]


def test_bounds_say_what_to_do(place: Place) -> None:
    with warehouse.connect(root=place.own, timeout=0.5, max_rows=10) as wh:
        with pytest.raises(UsageError, match=r"more than 10 rows.*add LIMIT"):
            wh.sql("FROM cells")
        with pytest.raises(UsageError, match=r"took longer than 0.5 s and was stopped"):
            wh.sql("SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b")


def test_an_answer_within_bounds_is_as_without(place: Place) -> None:
    asked = (
        "SELECT * FROM cells ORDER BY nucleus_id LIMIT 5",
        "SELECT sum(pt_root_id) AS s, NULL AS n, [1, 2] AS l, {'a': 1} AS st, 1 AS a, 2 AS a FROM cells",
        "SELECT 1 AS x WHERE false",
        "DESCRIBE cells",
    )
    with warehouse.connect(root=place.own) as plain, warehouse.connect(root=place.own, sandbox=True) as sandbox:
        for text in asked:
            right, found = plain.sql(text), sandbox.sql(text)
            assert found.columns == right.columns
            assert [*map(str, found.types)] == [*map(str, right.types)]
            assert found.fetchall() == right.fetchall()
        assert sandbox.sql("SELECT $a + 1", a=1).fetchall() == [(2,)]


def test_another_thread_can_stop_a_query(place: Place) -> None:
    with warehouse.connect(root=place.own, sandbox=True) as wh:
        timer = threading.Timer(0.5, wh.interrupt)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(duckdb.InterruptException):
            wh.sql("SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b")
        assert time.monotonic() - begin < 20
        timer.join()


def test_whose_views_a_bundle_has_is_said(place: Place, tmp_path: Path) -> None:
    assert origin(place.bundle) == "its views and macros are those that this release makes"
    changes = {
        "CREATE VIEW v1507.evil AS FROM read_text('x')": r"not all .* \(v1507\.evil\); like every",
        "CREATE OR REPLACE MACRO v1507.layer_of(depth, source := 'none') AS 'L1'": r"not all .*v1507\.layer_of",
        "ALTER TABLE v1507_rows.model_cells ALTER nucleus_id SET DEFAULT 7": r"not all .*v1507_rows\.model_cells",
        "UPDATE v1507_rows._manifest SET manifest = replace(manifest, '\"views\":', '\"seen\":')": (
            "those of another release of microns-warehouse, so nobody compared them; like every bundle"
        ),
        "DROP TABLE v1507_rows.model_cells": "not those that this release makes of its tables",
    }
    for statement, sentence in changes.items():
        copy = tmp_path / "class.duckdb"
        shutil.copy(place.bundle, copy)
        with duckdb.connect(copy) as con:
            con.execute(statement)
        assert re.search(sentence, origin(copy)), (statement, origin(copy))


def test_a_bundle_of_a_foreign_warehouse_is_not_made_unasked(place: Place, tmp_path: Path) -> None:
    folder, choice = Folder.of(place.foreign), Choice(everything=True)
    with pytest.raises(UsageError, match=r"not built on this machine.*microns build, or add --trust"):
        make_bundle(folder, None, choice, tmp_path / "class.duckdb")
    make_bundle(folder, None, choice, tmp_path / "class.duckdb", trust=True)
    assert origin(tmp_path / "class.duckdb") == "its views and macros are those that this release makes"
