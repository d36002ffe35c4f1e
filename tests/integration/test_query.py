"""`microns query` as scripts run it: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.conftest import copied
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.commands import cli
from warehouse.query.session import connect
from warehouse.storage.paths import Folder

ROOT_ID = 864691135572530981
MAIN = "from warehouse.commands.cli import main; main()"


@pytest.fixture(scope="module")
def root(synthetic: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(synthetic, tmp_path_factory.mktemp("warehouse")).path.parent


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Query: TypeAlias = Callable[..., Done]


@pytest.fixture
def query(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Query:
    """Runs it in an empty folder; in this process, which takes a tenth of the time of another one."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, place: Path = root) -> Done:
        code: object = 0
        try:
            cli.main(["query", *map(str, arguments), "--root", str(place)])
        except SystemExit as left:
            code = left.code
        return Done(int(str(code or 0)), *capsys.readouterr())

    return run


@pytest.fixture
def query_by_itself(root: Path, tmp_path: Path) -> Query:
    """Runs it in a process of its own, as a script does."""

    def run(*arguments: str | Path, text: str | None = None) -> Done:
        command = [sys.executable, "-c", MAIN, "query", *map(str, arguments), "--root", str(root)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", input=text, cwd=tmp_path)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def files_in(folder: Path) -> set[tuple[str, int]]:
    return {(path.as_posix(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_json_and_csv_have_the_ids_of_the_warehouse(query_by_itself: Query, root: Path) -> None:
    asked = "SELECT nucleus_id, pt_root_id, cell_type, depth_um, is_neuron FROM cells ORDER BY nucleus_id"
    with connect(root=root) as warehouse:
        expected = warehouse.sql(asked).fetchall()
    done = query_by_itself(asked, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [
        (row["nucleus_id"], int(row["pt_root_id"]), row["cell_type"], row["depth_um"], row["is_neuron"])
        for row in rows
    ] == expected
    assert all(isinstance(row["pt_root_id"], str) == (int(row["pt_root_id"]) >= 2**53) for row in rows)
    header, *lines = csv.reader(io.StringIO(query_by_itself(asked, "--csv").stdout))
    assert header == ["nucleus_id", "pt_root_id", "cell_type", "depth_um", "is_neuron"]
    assert [(int(line[0]), int(line[1]), line[2] or None, line[4] == "true") for line in lines] == [
        (*row[:3], row[4]) for row in expected
    ]


def test_every_type_has_a_form(query: Query) -> None:
    asked = f"""
        SELECT
            sum(i) AS s, [{ROOT_ID}, 2] AS l, {{'t': TIMESTAMP '2026-01-02 03:04:05'}} AS st, 0.1::FLOAT AS f,
            'nan'::DOUBLE AS n, NULL AS x, 1.25 AS d, TIMESTAMP '2026-01-02 03:04:05' AS ts,
            TIMESTAMPTZ '2026-01-02 03:04:05+01' AS tz, DATE '2026-01-02' AS dd, TIME '03:04:05' AS tt,
            INTERVAL 1 DAY AS i, 'a'::BLOB AS b, TRUE AS bo, 'µ, "' AS q, {ROOT_ID}::HUGEINT AS h
        FROM range(4) AS r(i); -- the end
    """
    (row,) = json.loads(query(asked, "--json").stdout)
    assert row == {
        "s": 6, "l": [str(ROOT_ID), 2], "st": {"t": "2026-01-02T03:04:05"}, "f": 0.1, "n": None, "x": None,
        "d": 1.25, "ts": "2026-01-02T03:04:05", "tz": "2026-01-02T02:04:05Z", "dd": "2026-01-02", "tt": "03:04:05",
        "i": "1 day", "b": "a", "bo": True, "q": 'µ, "', "h": str(ROOT_ID),
    }  # fmt: skip
    header, line = csv.reader(io.StringIO(query(asked, "--csv").stdout))
    cells = dict(zip(header, line, strict=True))
    assert (cells["s"], cells["h"], cells["x"], cells["q"], cells["f"]) == ("6", str(ROOT_ID), "", 'µ, "', "0.1")
    assert (cells["ts"], cells["tz"]) == ("2026-01-02T03:04:05", "2026-01-02T02:04:05Z")


def test_a_pipe_gets_csv_and_a_terminal_a_table(query_by_itself: Query, root: Path) -> None:
    asked = "SELECT 1 AS a, 'x' AS b"
    assert query_by_itself(asked).stdout == "a,b\n1,x\n"
    main, terminal = pty.openpty()
    command = [sys.executable, "-c", MAIN, "query", "SELECT range AS number FROM range(3000)", "--root", str(root)]
    done = subprocess.Popen(command, stdout=terminal, stderr=subprocess.PIPE, text=True)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(main, 65536):
            shown += piece
    except OSError:  # how Linux ends a terminal
        pass
    os.close(main)
    _, errors = done.communicate()
    assert shown.split()[:3] == [b"number", b"0", b"1"]
    assert len(shown.splitlines()) == 1001
    assert "these are the first 1000 rows" in errors


def test_the_query_may_come_from_a_file(query_by_itself: Query) -> None:
    assert query_by_itself("-", text="\ufeff-- why\nSELECT 1 AS a;\n").stdout == "a\n1\n"


def test_a_version_and_a_bundle_are_asked(
    query: Query, query_by_itself: Query, root: Path, tmp_path: Path
) -> None:
    asked = "SELECT count(*) AS n FROM nucleus_detection_v0"
    told = query_by_itself("FROM cells LIMIT 0", "--version", "1718").stderr
    assert told.startswith("microns: minnie65_public, version 1718")
    bundle = tmp_path / "class.duckdb"
    make_bundle(Folder.of(root), 1507, Choice(proofread=True), bundle)
    assert query(asked, bundle).stdout == query(asked, "--version", "1507").stdout
    refused = query(f"FROM read_csv('{tmp_path / 'class.duckdb'}')", bundle)
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("", "there is no statement"),
        ("-- nothing", "there is no statement"),
        ("SELECT 1; SELECT 2", "there are 2 statements"),
        ("FROM celz", 'Did you mean "cells"?'),
        ("SELECT celltype FROM cells", "microns describe NAME"),
        ("FORM cells", 'at or near "FORM"'),
        ("SELECT 'a'::INTEGER", "Could not convert string 'a'"),
        ("SELECT * FROM cells WHERE pt_root_id = $id", "$id"),
        ("FROM input_synapses(5)", "5 is not known"),
        ("USE v1718", "--version"),
        ("SET threads = 1", "--version"),
        ("PIVOT cells ON layer USING count(*)", "IN ('a', 'b')"),
    ],
)
def test_a_mistake_is_one_sentence(query: Query, asked: str, sentence: str) -> None:
    done = query(asked, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    line = done.stderr.splitlines()[-1]
    assert line.startswith("microns: error: ")
    assert sentence in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "asked",
    [
        "CREATE TABLE mine AS SELECT 1",
        "DROP VIEW cells",
        "INSERT INTO cells SELECT 1",
        "WITH x AS (SELECT 1) INSERT INTO cells FROM x",
        "COPY (SELECT 1) TO '{root}/out.csv'",
        "COPY (SELECT 1) TO '{root}/minnie65_public/out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/minnie65_public/out.csv'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{root}/minnie65_public/out.csv'",
        "/* */ EXPLAIN /* */ ANALYZE COPY (SELECT 1) TO '{root}/minnie65_public/out.csv'",
        "EXPORT DATABASE '{root}/minnie65_public/out'",
        "ATTACH '{root}/minnie65_public/out.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL enable_logging()",
        "FROM enable_logging(storage := 'file', storage_path := '{root}/minnie65_public/log')",
        "CHECKPOINT",
        "FROM enable_profiling(format := 'json', save_location := '{root}/minnie65_public/p.json')",
        'FROM "enable_LOGGING" /* */ ()',
        "FROM query('FROM enable_log' || 'ging()')",
        "FROM read_csv('/etc/hosts')",
        "FROM '{root}/outside.csv'",
        "FROM read_text('{root}/outside.csv')",
        "FROM read_csv('http://127.0.0.1:9/x.csv')",
    ],
)
def test_nothing_is_written_and_nothing_else_is_read(query: Query, root: Path, tmp_path: Path, asked: str) -> None:
    (root / "outside.csv").write_text("a\n1\n")
    before = files_in(root)
    done = query(asked.format(root=root.as_posix()))
    assert (done.returncode, done.stdout) == (2, ""), done.stdout
    assert done.stderr.splitlines()[-1].startswith("microns: error: ")
    assert files_in(root) == before
    assert files_in(tmp_path) == set()


@pytest.mark.parametrize(
    "asked",
    [
        "EXPLAIN FROM cells",
        "EXPLAIN ANALYZE FROM cells",
        "EXPLAIN (FORMAT json) SELECT 1",
        "DESCRIBE cells",
        "SHOW TABLES",
        "SUMMARIZE cells",
        "VALUES (1)",
        "WITH x AS (SELECT 1) FROM x",
        "PIVOT cells ON layer IN ('L4', 'L5') USING count(*) GROUP BY cell_class",
        "SELECT ';' AS a; -- ; what",
        "SELECT 1 -- what",
    ],
)
def test_what_reads_is_answered(query: Query, asked: str) -> None:
    done = query(asked, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_parquet_is_whole_or_not_there(query: Query, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "cells.parquet"
    asked = "SELECT pt_root_id, sum(depth_um) AS s, count(*) AS n, sum(1) AS hugeint FROM cells GROUP BY ALL"
    done = query(asked, "--parquet", out)
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    schema = pq.read_schema(out)
    assert [str(kind) for kind in schema.types] == ["int64", "double", "int64", "int64"]
    origin = json.loads(schema.metadata[b"microns"])
    assert (origin["datastack"], origin["version"], origin["query"]) == ("minnie65_public", 1507, asked)
    with connect(root=root) as warehouse:
        assert sorted(duckdb.execute(f"SELECT pt_root_id, n FROM '{out}'").fetchall()) == sorted(
            warehouse.sql("SELECT pt_root_id, count(*) FROM cells GROUP BY ALL").fetchall()
        )
    before = out.read_bytes()
    again = query("SELECT 1 AS a", "--parquet", out)
    assert (again.returncode, out.read_bytes()) == (2, before)
    assert "--force" in again.stderr
    broken = query(
        "SELECT if(range = 299999, error('late'), range) AS a FROM range(300000)", "--parquet", out, "--force"
    )
    assert (broken.returncode, out.read_bytes()) == (2, before)
    assert query("SELECT 1 AS a", "--parquet", out, "--force").returncode == 0
    assert pq.read_table(out).to_pylist() == [{"a": 1}]
    assert [path.name for path in out.parent.iterdir()] == ["cells.parquet"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("SELECT 1", "--csv", "--json"), "--csv and --json"),
        (("SELECT 1", "--csv", "--parquet", "x.parquet"), "--csv and --parquet"),
        (("SELECT 1", "--force"), "--parquet FILE"),
        (("SELECT 1 AS a, 2 AS a", "--json"), "two columns are called a"),
        (("SELECT 1 AS a, 2 AS a", "--parquet", "x.parquet"), "two columns are called a"),
    ],
)
def test_options_that_do_not_go_together(query: Query, arguments: tuple[str, ...], sentence: str) -> None:
    done = query(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_two_columns_of_one_name_are_fine_in_csv(query: Query) -> None:
    assert query("SELECT 1 AS a, 2 AS a").stdout == "a,a\n1,2\n"


def test_a_mistake_in_a_late_row_is_one_sentence(query: Query) -> None:
    done = query("SELECT if(range = 299999, 'x', '1')::INTEGER AS a FROM range(300000)", "--csv")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "microns: error: Could not convert string 'x' to INT32"


def test_a_damaged_file_is_the_data_s_fault(query: Query, synthetic: Folder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(synthetic.path.parent, copy)
    (path,) = (copy / "minnie65_public" / "v1507" / "cave").glob("nucleus_detection_v0-*/*.parquet")
    path.write_bytes(b"PAR1".ljust(path.stat().st_size, b"?"))  # of the expected size: it is opened
    done = query("FROM nucleus_detection_v0", place=copy)
    assert (done.returncode, done.stdout) == (4, "")
    assert "microns check" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_is_no_traceback(root: Path) -> None:
    asked = "SELECT count(*) FROM range(10_000_000) AS a, range(10_000_000) AS b"
    command = [sys.executable, "-c", MAIN, "query", asked, "--root", str(root)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    try:
        assert running.stderr.readline().startswith("microns: minnie65_public")  # the query begins
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=60)
    finally:
        running.kill()
        running.communicate()
    assert (running.returncode, output) == (130, "")
    assert errors.startswith("microns: error: interrupted")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--csv", "--json", "--parquet"])
def test_a_large_answer_takes_little_memory(root: Path, tmp_path: Path, form: str) -> None:
    rows = 10_000_000 if form != "--json" else 2_000_000
    asked = f"SELECT {ROOT_ID} + i AS id, i % 7 AS k, i / 3 AS v, 'type' || i % 5 AS t FROM range({rows}) AS r(i)"
    # Not ru_maxrss, which a process takes over from the one that started it.
    status = "open('/proc/self/status').read()"
    most = f"import re, sys; print(re.search(r'VmHWM:\\s+(\\d+)', {status})[1], file=sys.stderr)"
    words = [form, str(tmp_path / "out.parquet")] if form == "--parquet" else [form]
    code = f"from warehouse.commands.cli import main; main(); {most}"
    with (tmp_path / "out").open("wb") as out:
        command = [sys.executable, "-c", code, "query", asked, *words, "--root", str(root)]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=True)
    assert int(done.stderr.split()[-1]) < 500_000  # KB
    if form != "--parquet":
        with (tmp_path / "out").open("rb") as lines:
            assert sum(1 for _ in lines) == rows + (1 if form == "--csv" else 2)
