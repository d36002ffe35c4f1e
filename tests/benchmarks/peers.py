"""The same synapses in what people use today, each in its own way: files for data frames, databases, Delta Lake.

python -m tests.benchmarks.peers ROOT PARTS DIR [ENGINE ...]

ROOT is a warehouse, PARTS the folder with the Parquet parts that it was made from, DIR where the peers are put
(some 150 bytes a row and peer). Without such a folder the rows are generated once more and piped into the peer. At
full size PostgreSQL gets a BRIN index on `id`: a third B-tree would take 7 GB more. Prints how long each took and
how large it is. `queries.py` then asks them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from deltalake import write_deltalake

import warehouse
from tests.benchmarks import databases, postgres
from tests.benchmarks.measure import folder_bytes, load_average, machine, markdown
from tests.benchmarks.questions import COLUMNS, CORE
from tests.benchmarks.volume import generated
from warehouse.demo.synthetic import synthesize
from warehouse.demo.synthetic.volume import cells_for
from warehouse.registry.tables import SYNAPSE

_MANY = 100_000_000
"""Rows above which a B-tree on their ids is left out."""
_MORTON = " | ".join(
    f"(((ctr_pt_position_{axis} >> {bit})::BIGINT & 1) << {3 * bit + shift})"
    for shift, axis in enumerate("xyz")
    for bit in range(20)
)
"""Bits of the three voxel coordinates in turns, x lowest: near in space is mostly near in this number."""
_DELTA_ROWS = 10_000_000
"""Rows of a partition: some 256 MB, as the exporter aims at."""


class CaveService:
    """Where the peers' rows come from.

    Attributes:
        parts: Parquet files ordered by id; none if the rows are generated.
        rows: how many.
        cells: the cells that are alone on their segment, as `databases.CELLS`.
    """

    def __init__(self, root: Path, parts: Path) -> None:
        self.parts = sorted(parts.glob("*.parquet"))
        with warehouse.connect(root=root) as wh:
            self.rows = wh.manifest.tables[SYNAPSE].rows
            self.cells = wh.sql(
                "SELECT pt_root_id, coalesce(cell_type, '') AS cell_type FROM cells "
                "WHERE is_single_soma AND pt_root_id NOT IN (0, 1)"
            ).to_arrow_table()

    def batches(self) -> Iterator[pa.Table]:
        """The core columns, part by part, in the order of ids."""
        if not self.parts:
            yield from _ahead(generated(synthesize(cells_for(self.rows), 0, self.rows)))
        for part in self.parts:
            yield pq.read_table(part, columns=list(CORE))

    def scan(self, extra: str = "") -> duckdb.DuckDBPyRelation:
        """The core columns in DuckDB."""
        return duckdb.read_parquet([str(part) for part in self.parts]).project(COLUMNS + extra)


def _ahead(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same, each made while the one before it is being written."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = pool.submit(next, batches, None)
            yield batch


def _feather(source: CaveService, folder: Path) -> None:
    feather.write_feather(pa.concat_tables(source.batches()), str(folder / "synapses.feather"))


def _csv(source: CaveService, folder: Path) -> None:
    source.scan().write_csv(str(folder / "synapses.csv"))


def _parquet(source: CaveService, folder: Path) -> None:
    pl.scan_parquet(source.parts).select(*CORE).sink_parquet(folder / "synapses.parquet")


def _sqlite(source: CaveService, folder: Path) -> None:
    databases.fill_sqlite(folder, source.batches(), source.cells)


def _postgres(source: CaveService, folder: Path) -> None:
    with postgres.Server(folder), postgres.connect(folder) as connection:
        postgres.load(connection, "synapses", CORE, source.batches())
        postgres.load(connection, "cells", databases.CELLS, [source.cells])
        indexes = databases.INDEXES | (databases.SPARSE if source.rows > _MANY else {})
        for statement in (*indexes.values(), "CREATE UNIQUE INDEX cells_root ON cells (pt_root_id)"):
            connection.execute(statement)
        connection.execute("ANALYZE")


def _delta(source: CaveService, folder: Path) -> None:
    partitions = max(1, round(source.rows / _DELTA_ROWS))
    for copy in ("id", "pre_pt_root_id", "post_pt_root_id", "ctr_pt_position_morton"):
        extra = f", {_MORTON} AS ctr_pt_position_morton" if copy.endswith("morton") else ""
        partition = f"(ntile({partitions}) OVER (ORDER BY {copy}) - 1)::INTEGER AS {copy}_partition"
        rows_in_order = source.scan(extra).project(f"* REPLACE (size::DOUBLE AS size), {partition}").order(copy)
        write_deltalake(
            str(folder / "delta" / copy),
            rows_in_order.to_arrow_reader(1_000_000),
            partition_by=[f"{copy}_partition"],
        )


PEERS: dict[str, tuple[str, Callable[[CaveService, Path], None], str]] = {
    "pandas Feather": ("frames", _feather, "synapses.feather"),
    "pandas CSV": ("frames", _csv, "synapses.csv"),
    "polars Parquet": ("frames", _parquet, "synapses.parquet"),
    "Delta Lake": ("frames", _delta, "delta"),
    "SQLite": ("sqlite", _sqlite, "synapses.sqlite"),
    "PostgreSQL": ("postgres", _postgres, "data"),
}
"""Engine -> its folder, how it is made, and what in the folder is its."""


def folder_of(engine: str, directory: Path) -> Path:
    """Where a peer lies."""
    return directory / PEERS["pandas CSV" if engine == "scan of the CSV" else engine][0]


def make(source: CaveService, directory: Path, engines: list[str]) -> Iterator[tuple[str, float, int]]:
    """Make the peers that are not there yet: name, seconds, bytes of each."""
    for engine in engines:
        _, build, name = PEERS[engine]
        folder = folder_of(engine, directory)
        if (folder / name).exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        feather.write_feather(source.cells, str(folder / "cells.feather"))
        begin = time.perf_counter()
        build(source, folder)
        yield engine, time.perf_counter() - begin, folder_bytes([folder / name])


def main(root: Path, parts: Path, directory: Path, engines: list[str]) -> None:
    """Make them, and print the table."""
    print(f"{machine()}; load average before {load_average():.2f}\n", flush=True)
    source = CaveService(root, parts)
    made = [
        [engine, f"{seconds:.1f}", f"{size / 1e6:,.0f}", f"{size / source.rows:.1f}", f"{load_average():.2f}"]
        for engine, seconds, size in make(source, directory, engines or list(PEERS))
    ]
    print(markdown([f"{source.rows:,} rows", "seconds", "MB", "bytes/row", "load"], made))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
