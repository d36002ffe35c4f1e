"""The benchmarks work: at few synapses all engines answer alike. How fast they are is no test's business."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.feather as feather
import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
ROWS = 100_000
FRAMES = ["pandas Feather", "pandas CSV", "polars Parquet", "Delta Lake", "SQLite"]


def run(script: str, *arguments: str | int | Path) -> str:
    """What one of the benchmarks prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{script}", *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a database server run by another user can enter."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_all_engines_answer_alike(folder: Path) -> None:
    """All of it in one test, because every step needs what the one before it made."""
    for needed in ("deltalake", "psycopg"):
        pytest.importorskip(needed, reason="pip install -e '.[benchmarks]'")
    ours, peers = folder / "ours", folder / "peers"
    built = run("build", ROWS, folder)
    assert "| ours " in built
    assert "| plain " in built
    assert "failed" not in built

    streamed = run("stream", ROWS, folder)
    assert all(value > 0 for value in numbers(streamed, "| inflate, parse, write parts |"))

    stored = run("storage", ours)
    assert f"| synapses_pni_2 | {ROWS:,} |" in stored
    sizes = [float(line.split("|")[4].replace(",", "")) for line in stored.splitlines()[2:]]
    assert sum(sizes[:-1]) == pytest.approx(sizes[-1], abs=0.2)

    engines = [*FRAMES, *(["PostgreSQL"] if has_postgres() else [])]
    made = run("peers", ours, folder / "parts", peers, *engines)
    assert all(f"| {name} |" in made for name in engines)

    # This compares all answers, and fails if one differs.
    asked = run("queries", ours, "--peers", peers, "--engines", ",".join(["warehouse", *engines]), *once())
    assert f"### {ROWS:,} synapses" in asked
    few = run("queries", ours, "--peers", peers, "--engines", "warehouse,scan of the CSV", *once("inputs,outputs"))
    assert all(value > 0 for value in numbers(few, "| inputs of one cell |"))

    grown = run("queries", ours, ours, "--rounds", "1", "--cold", "1", "--questions", "inputs")
    assert "| warm, ms | 0.1 million | 0.1 million |" in grown
    rows, warm, again, cold, memory = numbers(grown, "| inputs of one cell |")[:5]
    assert rows > 100
    assert min(warm, again, cold) > 0
    assert 50 < memory < 1000

    second = run("second", ours, folder / "second", "--rounds", "1")
    assert f"checksum of {ROWS:,} rows" in second
    assert "| input_synapses, edited cell |" in second

    lose_rows(peers / "frames" / "synapses.feather")
    with pytest.raises(AssertionError, match="answers differ"):
        run("queries", ours, "--peers", peers, "--engines", "warehouse,pandas Feather", *once("inputs_of_100"))


def once(questions: str = "") -> list[str]:
    """Arguments for asking everything, or these questions, once and warm."""
    return ["--rounds", "1", "--cold", "0", *(["--questions", questions] if questions else [])]


def numbers(printed: str, begin: str) -> list[float]:
    """The numbers in the first line of a table that begins so."""
    line = next(line for line in printed.splitlines() if line.startswith(begin))
    return [float(cell.replace(",", "")) for cell in line.removeprefix(begin).split("|") if cell.strip()]


def lose_rows(path: Path) -> None:
    feather.write_feather(feather.read_table(path).slice(0, ROWS // 10), str(path))


def has_postgres() -> bool:
    from tests.benchmarks.postgres import programs

    try:
        return programs().is_dir()
    except FileNotFoundError:
        return False
