"""How long making a warehouse takes in little memory, beside a plain DuckDB sort of the same columns.

python -m tests.benchmarks.build ROWS DIR [--memory 4GB] [--rounds N] [--without-plain]

The Parquet parts, ordered by id as a fetch leaves them, are made first and kept in DIR/parts. Then, in turns:
ours, which clusters, writes all tables, stores all views and makes the database in DIR/ours; and DuckDB's
COPY (FROM parts ORDER BY post_pt_root_id, id) into one Parquet file. Both run in a memory cgroup (version 1, as
root) that counts the page cache too; elsewhere without a limit, which the table then says.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tests.benchmarks.measure import folder_bytes, load_average, machine, markdown, peak_bytes, times
from tests.benchmarks.volume import VERSION, snapshot, timed, write_parts
from warehouse.demo.synthetic import synthesize
from warehouse.demo.synthetic.volume import cells_for
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder

_CGROUPS = Path("/sys/fs/cgroup/memory")


def ours(rows: int, directory: Path, memory: int) -> float:
    """The warehouse out of the parts; seconds."""
    volume = synthesize(cells_for(rows), 0, rows)
    for name in volume.table_names(VERSION):
        if not name.startswith("synapse"):
            volume.table(VERSION, name)  # made here, so that it is not counted
    folder = Folder.of(directory / "ours")
    begin = time.perf_counter()
    snapshot(volume, sorted((directory / "parts").glob("*.parquet")), folder, memory // 2)
    return time.perf_counter() - begin


def plain(rows: int, directory: Path, memory: int) -> float:
    """All columns sorted into one Parquet file by DuckDB; seconds."""
    begin = time.perf_counter()
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory * 3 // 4}B",
        "temp_directory": str(directory / "spill"),
    }
    with duckdb.connect(config=options) as con:
        con.execute("SET preserve_insertion_order = false")
        ordered = f"FROM '{directory}/parts/*.parquet' ORDER BY post_pt_root_id, id"
        options_of_file = "PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1"
        con.execute(f"COPY ({ordered}) TO '{directory}/plain.parquet' ({options_of_file})")
    return time.perf_counter() - begin


WORK: dict[str, Callable[[int, Path, int], float]] = {"ours": ours, "plain": plain}
RESULT = {"ours": "ours", "plain": "plain.parquet"}


@contextmanager
def cgroup(limit: int) -> Iterator[Path | None]:
    """A memory cgroup of its own; None where none can be made."""
    path = _CGROUPS / f"microns-benchmark-{os.getpid()}"
    if os.geteuid() or not (_CGROUPS / "memory.limit_in_bytes").exists():
        yield None
        return
    path.mkdir()
    try:
        (path / "memory.limit_in_bytes").write_text(str(limit))
        yield path
    finally:
        path.rmdir()


def run(what: str, rows: int, directory: Path, memory: int) -> list[str]:
    """Do it in a process and a cgroup of its own; a line of the table."""
    _remove(directory / RESULT[what])
    with cgroup(memory) as group:
        enter = f"echo $$ > {group}/cgroup.procs; " if group else ""
        command = [
            sys.executable,
            "-m",
            __spec__.name,
            str(rows),
            str(directory),
            "--work",
            what,
            "--memory",
            str(memory),
        ]
        before = load_average()
        done = subprocess.run(["sh", "-c", enter + 'exec "$@"', "sh", *command], stdout=subprocess.PIPE, text=True)
        used = int((group / "memory.max_usage_in_bytes").read_text()) if group else 0
    if done.returncode:
        return [what, f"failed ({done.returncode})", "", "", f"{used / 1e9:.2f}", f"{before:.2f}"]
    *steps, seconds = done.stdout.splitlines()
    size = folder_bytes([directory / RESULT[what]])
    peak = json.loads(seconds)["peak"]
    said = "; ".join(step.split(", peak")[0] for step in steps)
    return [
        f"{what} ({said})" if said else what,
        f"{json.loads(seconds)['seconds']:.1f}",
        f"{size / 1e6:,.0f}",
        f"{peak / 1e9:.2f}",
        f"{used / 1e9:.2f}" if group else "no limit",
        f"{before:.2f}",
    ]


def work(what: str, rows: int, directory: Path, memory: int) -> None:
    """In the process of its own."""
    print(json.dumps({"seconds": WORK[what](rows, directory, memory), "peak": peak_bytes()}))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main() -> None:
    """Parts, then both in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=lambda text: int(float(text)))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--memory", type=byte_count, default=byte_count("4GB"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--without-plain", action="store_true")
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.rows, options.directory, options.memory)
        return
    print(machine(), flush=True)
    parts = options.directory / "parts"
    if not parts.is_dir():
        volume = timed("cells", synthesize, cells_for(options.rows), 0, options.rows)
        timed("parts", write_parts, volume, parts)
    names = ["ours"] if options.without_plain else list(WORK)
    lines: list[list[str]] = []
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            lines.append(run(name, options.rows, options.directory, options.memory))
            print(lines[-1], flush=True)
            seconds[name].append(float(lines[-1][1]))
    rows = sum(pq.read_metadata(part).num_rows for part in parts.glob("*.parquet"))
    header = [
        f"{rows:,} rows",
        "seconds",
        "MB written",
        "peak of the process, GB",
        "peak of the cgroup, GB",
        "load",
    ]
    print(markdown(header, lines))
    if "plain" in seconds:
        print(f"ours takes {times(seconds['ours'], seconds['plain'])} the time of the plain sort")


if __name__ == "__main__":
    main()
