"""The `microns` command as a user runs it: what it prints, where, and what it returns."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path
from typing import NamedTuple, TypeAlias

import duckdb
import pytest

import warehouse.catalog.build
from warehouse.commands import cli
from warehouse.demo.local import write_volume
from warehouse.demo.synthetic import synthesize


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with two synthetic versions."""
    folder = tmp_path_factory.mktemp("warehouse")
    write_volume(synthesize(cells=200), str(folder))
    return folder


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
    assert listed[0].split() == ["version", "time_stamp", "table", "source", "scope", "base", "rows", "bytes"]
    assert {line.split()[0] for line in listed[1:]} == {"1507", "1718"}
    described = microns("describe", "cells", "--root", root).stdout
    assert "depth_um" in described
    assert "um" in described
    described = microns("describe", "layer_of", "--root", root).stdout
    assert described.startswith("layer_of(depth): The cortical layer")
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


def test_every_command_has_help(microns: Run) -> None:
    overview = microns("--help").stdout
    for command in ("demo", "snapshot", "selftest", "build", "check", "list", "describe", "path"):
        assert command in overview
        done = microns(command, "--help")
        assert done.returncode == 0
        assert len(done.stdout) > 200
