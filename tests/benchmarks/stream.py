"""What a build from the archive's CSV.gz spends on inflating and parsing, and what on sorting and encoding.

python -m tests.benchmarks.stream ROWS DIR

The Parquet parts in DIR/parts, which build.py and volume.py leave there (else they are made), are written as
one file as Postgres exports it, DIR/synapses.csv.gz. That is read once as a snapshot reads it, into parts, and
these are clustered; `gzip -dc | wc -l` of the same file stands beside it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.archive.dump import Header, read_dump
from tests.benchmarks.measure import load_average, machine, markdown
from tests.benchmarks.volume import timed, write_parts
from warehouse.demo.synthetic import synthesize
from warehouse.demo.synthetic.volume import cells_for
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses

_ROWS_PER_PART = 1_000_000
HEADER: Header = [(field.name, "bigint") for field in TABLES[SYNAPSE].arrow_schema]
COLUMNS = [name for name, _ in HEADER]


def export(parts: Path, out: Path) -> None:
    """The file, if it is not there yet."""
    if not out.exists():
        rows = f"SELECT {', '.join(COLUMNS)} FROM read_parquet('{parts}/*.parquet')"
        duckdb.sql(f"COPY ({rows}) TO '{out}' (FORMAT csv, HEADER false, COMPRESSION gzip)")


def parse(path: Path) -> int:
    """Inflate and parse all rows, keep none."""
    with path.open("rb") as file:
        return sum(rows.num_rows for rows in read_dump(file, HEADER, COLUMNS, path.name))


def into_parts(path: Path, target: Path) -> int:
    """The same, into Parquet parts of a million rows."""
    target.mkdir()
    waiting: list[pa.Table] = []
    number = total = 0
    with path.open("rb") as file:
        for rows in read_dump(file, HEADER, COLUMNS, path.name):
            waiting.append(rows)
            total += rows.num_rows
            if sum(map(len, waiting)) >= _ROWS_PER_PART:
                _write(waiting, target / f"{number:04d}.parquet")
                waiting, number = [], number + 1
    if waiting:
        _write(waiting, target / f"{number:04d}.parquet")
    return total


def _write(rows: list[pa.Table], path: Path) -> None:
    pq.write_table(pa.concat_tables(rows), path, compression="zstd", compression_level=1)


def measured(what: str, rows: int, work: Callable[[], object]) -> list[str]:
    """A line of the table."""
    begin = time.perf_counter(), time.process_time()
    work()
    seconds, spent = time.perf_counter() - begin[0], time.process_time() - begin[1]
    print(f"{what}: {seconds:.1f} s", flush=True)
    return [what, f"{seconds:.1f}", f"{spent:.1f}", f"{rows / seconds / 1e6:.2f}"]


def main(rows: int, directory: Path) -> None:
    """Write the file, read it, print the table."""
    print(f"{machine()}; load average before {load_average():.2f}", flush=True)
    if not (directory / "parts").is_dir():
        write_parts(timed("cells", synthesize, cells_for(rows), 0, rows), directory / "parts")
    out, parts = directory / "synapses.csv.gz", directory / "parsed"
    export(directory / "parts", out)
    for left in (parts, directory / "clustered"):
        shutil.rmtree(left, ignore_errors=True)
    lines = [
        measured(
            "gzip -dc to wc -l", rows, lambda: subprocess.run(f"gzip -dc '{out}' | wc -l", shell=True, check=True)
        ),
        measured("inflate and parse", rows, lambda: parse(out)),
        measured("inflate, parse, write parts", rows, lambda: into_parts(out, parts)),
        measured(
            "cluster the parts",
            rows,
            lambda: cluster_synapses(directory / "clustered", TABLES[SYNAPSE], sorted(parts.glob("*.parquet"))),
        ),
    ]
    header = [
        f"{rows:,} rows, {out.stat().st_size / 1e6:,.0f} MB",
        "seconds",
        "processor time, s",
        "million rows / s",
    ]
    print(markdown(header, lines))
    for left in (parts, directory / "clustered"):
        shutil.rmtree(left)


if __name__ == "__main__":
    main(int(float(sys.argv[1])), Path(sys.argv[2]))
