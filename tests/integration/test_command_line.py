"""The `microns` command as a user runs it: what it prints, where, and what it returns."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path
from typing import NamedTuple, TypeAlias

import duckdb
import pytest

import warehouse.catalog.build
from tests.conftest import copied
from warehouse.catalog.views import load_views
from warehouse.commands import cli
from warehouse.commands.docs import commands_page
from warehouse.registry.datastacks import MINNIE65
from warehouse.storage.paths import Folder


@pytest.fixture(scope="module")
def root(synthetic: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with two synthetic versions."""
    return copied(synthetic, tmp_path_factory.mktemp("warehouse")).path.parent


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run: TypeAlias = Callable[..., Done]


@pytest.fixture
def microns(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, which takes a tenth of the time of another one."""

    def run(*arguments: str | Path) -> Done:
        code: object = 0
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code
        return Done(int(str(code or 0)), *capsys.readouterr())

    return run


def in_a_process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from warehouse.commands.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("bild",), 2, 'Unknown command "bild"'),
        (("build", "--defalt", "3"), 2, "see: microns build --help"),
        (("describe", "cels"), 2, "cells"),
        (("check", "943"), 4, "microns snapshot 943"),
        (("snapshot",), 2, "see: microns snapshot --help"),
    ],
)
def test_a_mistake_is_one_sentence(
    root: Path, arguments: tuple[str, ...], code: int, sentence: str, microns: Run
) -> None:
    done = microns(*arguments, *(() if arguments in (("bild",), ("snapshot",)) else ("--root", root)))
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1].startswith("microns: error: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path, microns: Run) -> None:
    for command in ("list", "path", "check", "build", ("describe", "cells")):
        done = microns(*((command,) if isinstance(command, str) else command), "--root", tmp_path)
        assert (done.returncode, done.stdout) == (4, "")
        assert "microns snapshot" in done.stderr


def test_list_and_describe_and_path(root: Path, microns: Run) -> None:
    listed = microns("list", "--root", root).stdout.splitlines()
    names = ["version", "time_stamp", "table", "source", "scope", "base", "rows", "bytes", "is_synthetic"]
    assert listed[0].split() == names
    assert all(line.endswith("true") for line in listed[1:])
    assert {line.split()[0] for line in listed[1:]} == {"1507", "1718"}
    described = microns("describe", "cells", "--root", root).stdout
    assert "depth_um" in described
    assert "um" in described
    described = microns("describe", "layer_of", "--root", root).stdout
    assert described.startswith("layer_of(depth, source := NULL): The cortical layer")
    assert described.splitlines()[-1].split()[:2] == ["layer_of", "VARCHAR"]
    database = microns("path", "--root", root).stdout.strip()
    with duckdb.connect(database, read_only=True) as con:
        assert con.sql("SELECT count(*) FROM versions").fetchall() == [(2,)]


def test_the_line_of_path_opens_the_stock_shell_from_anywhere(root: Path, tmp_path: Path, microns: Run) -> None:
    line = microns("path", "--shell", "--root", root).stdout.strip()
    shell = Path(sys.executable).with_name("duckdb")
    query = f"{line.replace('duckdb', str(shell), 1)} -csv -c 'SELECT count(*) > 100 FROM cells'"
    done = subprocess.run(query, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "true"


def test_the_line_of_path_is_right_after_a_move(root: Path, tmp_path: Path, microns: Run) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(root, moved)
    line = microns("path", "--shell", "--root", moved).stdout
    assert str(moved) in line
    assert str(moved) in (moved / "minnie65_public" / "init.sql").read_text()


def test_describe_says_what_is_not_there(root: Path, microns: Run) -> None:
    name = "synapse_target_predictions_ssa_v2"
    assert "Empty here: version 1507" in microns("describe", name, "--root", root).stdout
    assert "Empty here" not in microns("describe", name, "--version", "1718", "--root", root).stdout


def test_the_version_is_the_packages(root: Path, microns: Run) -> None:
    assert microns("--version").stdout.strip() == installed("microns-warehouse")


def test_real_data_do_not_get_into_a_demo(tmp_path: Path, microns: Run) -> None:
    (tmp_path / "demo.json").write_text("{}")
    done = microns("snapshot", "1718", "--root", tmp_path)
    assert (done.returncode, "holds a demo" in done.stderr) == (2, True)


def test_check_is_silent_about_nothing_wrong_and_names_what_is(root: Path) -> None:
    """In a process of its own, as a mistake below: what a shell sees."""
    sound = in_a_process("check", "1718", "--root", root)
    assert sound.returncode == 0, sound.stdout
    wrong = in_a_process("build", "--default", "7", "--root", root)
    assert (wrong.returncode, wrong.stdout) == (4, "")
    assert wrong.stderr.startswith("microns: error: version 7 is not in")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), RuntimeError("Query interrupted")])
def test_an_interruption_returns_130(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], interruption: BaseException
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise interruption

    monkeypatch.setattr(warehouse.catalog.build, "build", interrupted)
    with pytest.raises(SystemExit) as left:
        cli.main(["build", "--root", str(root)])
    assert left.value.code == 130
    assert "the same command continues" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_control_c_in_check_says_what_is_true(root: Path) -> None:
    code = """
import os, signal, sys
to_come = [signal.SIGINT]
def interrupt(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".parquet") and to_come:
        os.kill(os.getpid(), to_come.pop())
sys.addaudithook(interrupt)
from warehouse.commands.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--root", str(root)], capture_output=True, text=True
    )
    assert done.returncode == 130, done.stderr
    truth = "nothing was changed, and what was not printed was not checked"
    assert done.stderr == f"microns: error: interrupted; {truth}\n"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_control_c_in_bundle_says_what_is_true(root: Path, tmp_path: Path, microns: Run) -> None:
    out = tmp_path / "class.duckdb"
    assert microns("bundle", out, "--root", root).returncode == 0
    before = out.read_bytes()
    code = "from warehouse.commands.cli import main; main()"
    command = [sys.executable, "-c", code, "bundle", str(out), "--root", str(root)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not any(tmp_path.glob(".bundle-*/*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    truth = "no bundle was made, and a file of its name is as it was; the same command begins anew"
    assert errors.splitlines()[-1] == f"microns: error: interrupted; {truth}"
    assert [path.name for path in tmp_path.iterdir()] == ["class.duckdb"]
    assert out.read_bytes() == before


EVERY = [*itertools.chain(*cli.COMMANDS.values()), *cli.FOR_DEVELOPERS]


def test_the_first_screen_is_by_task(microns: Run) -> None:
    screen = microns("--help").stdout
    assert microns().stdout == screen
    places = [screen.index(f"─ {task} ─") for task in cli.COMMANDS]
    assert places == sorted(places)
    for task, commands in cli.COMMANDS.items():
        panel = screen[screen.index(f"─ {task} ─") :].partition("╰")[0]
        assert f"For example: {commands[0].examples[0]}" in panel
        assert [line.split()[1] for line in panel.splitlines() if line.startswith("│ ")][1:] != []
        for command in commands:
            assert f"│ {command.name} " in panel
    assert "docs" not in screen


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)
def test_every_command_has_help_with_an_example(command: cli.Command, microns: Run) -> None:
    done = microns(command.name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: microns {command.name}" in done.stdout
    assert "For example:" in done.stdout
    words = " ".join(done.stdout.split())
    for example in command.examples:
        assert example.startswith(f"microns {command.name}")
        assert example in words


NOT_HERE = {"demo", "snapshot", "versions", "selftest", "docs"}
"""Commands that need a network or take long; what they do is tested elsewhere."""


def test_every_example_is_valid() -> None:
    for command in EVERY:
        for example in command.examples:
            cli.app.parse_args(shlex.split(example)[1:], exit_on_error=False, print_error=False)


BY_A_SHELL = {"query", "shell"}
"""Commands whose examples a shell runs, as they are copied: what is quoted, and what needs a standard input."""


@pytest.mark.slow
def test_every_example_runs(
    synthetic: Folder,
    tmp_path: Path,
    microns: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In the order of the list, after a bundle has been made."""
    folder = copied(synthetic, tmp_path / "root")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MICRONS_ROOT", str(folder.path.parent))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    assert microns("bundle", "class.duckdb").returncode == 0
    for command in EVERY:
        for example in () if command.name in NOT_HERE else command.examples:
            done = by_a_shell(example) if command.name in BY_A_SHELL else microns(*shlex.split(example)[1:])
            assert done.returncode == 0, f"{example}: {done.stderr}"
            assert "Traceback" not in done.stderr
    # Both versions here are full copies already, and that is said.
    assert "is a full copy" in caplog.text
    assert (tmp_path / "copy" / "class.duckdb").is_file()
    assert not folder.version(1507).exists()


def by_a_shell(line: str) -> Done:
    done = subprocess.run(line, shell=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout, done.stderr)


def test_the_list_of_commands_is_current() -> None:
    """If this fails, run `microns docs` and commit what it wrote."""
    page = Path(__file__).parents[2] / "docs" / "commands.md"
    assert page.read_text("utf-8") == commands_page()


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        ("list", ["version", "time_stamp", "table", "source", "scope", "base", "rows", "bytes", "is_synthetic"]),
        ("describe", ["name", "kind", "summary"]),
        ("describe cells", ["column", "type", "unit", "description"]),
        ("cite cells", None),
        ("diff 1507 1718", None),
        ("check 1718", ["version", "result", "check", "why", "rows"]),
    ],
)
def test_json_and_csv_say_the_same(root: Path, microns: Run, words: str, columns: list[str] | None) -> None:
    text = microns(*words.split(), "--json", "--root", root)
    assert text.returncode == 0, text.stderr
    rows = json.loads(text.stdout)
    header, *lines = csv.reader(io.StringIO(microns(*words.split(), "--csv", "--root", root).stdout))
    assert header == list(rows[0]) == (columns or header)
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        said = [json.dumps(each) if isinstance(each, bool | list) else each for each in row.values()]
        assert ["" if each is None else str(each) for each in said] == line
    both = microns(*words.split(), "--csv", "--json", "--root", root)
    assert (both.returncode, both.stdout) == (2, "")


def test_describe_lists_every_view_and_macro(root: Path, microns: Run) -> None:
    done = microns("describe", "--json", "--root", root)
    listed = {row["name"]: row for row in json.loads(done.stdout)}
    public = {view.name: view for view in load_views(MINNIE65).values() if not (view.hidden or view.only)}
    assert set(public) <= set(listed)
    for name, view in public.items():
        assert listed[name]["kind"] == ("macro" if view.is_macro else "view")
    assert [name for name, row in listed.items() if not row["summary"] or "\n" in row["summary"]] == []
    assert listed["cells"]["summary"] == public["cells"].summary.rstrip(".")
    table = microns("describe", "--root", root).stdout.splitlines()
    assert len(table) == len(listed) + 1


def test_diff_and_cite_have_sections(root: Path, microns: Run) -> None:
    rows = json.loads(microns("diff", "1718", "1507", "--json", "--root", root).stdout)
    assert {row["section"] for row in rows} == {"cells", "tables", "proofreading", "synapses", "roots"}
    assert sum(row["cells"] for row in rows if row["section"] == "cells") == 200
    rows = json.loads(microns("cite", "cells", "--json", "--root", root).stdout)
    assert {row["section"] for row in rows} == {"paper", "data"}
    assert [row["doi"] for row in rows if row["key"] == "microns2025"] == ["10.1038/s41586-025-08790-w"]
    refused = microns("cite", "--bibtex", "--json", "--root", root)
    assert (refused.returncode, refused.stdout) == (2, "")


def test_check_says_in_json_what_is_broken(root: Path, tmp_path: Path, microns: Run) -> None:
    copied = tmp_path / "root"
    shutil.copytree(root, copied)
    (path,) = (copied / "minnie65_public" / "v1718" / "cave").glob("nucleus_detection_v0-*/part-0.parquet")
    path.unlink()
    done = microns("check", "1718", "--json", "--root", copied)
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)
    assert row["result"] == "FAILED"
    name = path.relative_to(copied / "minnie65_public").as_posix()
    assert row["rows"] == [{"file": name, "problem": "is missing"}]
