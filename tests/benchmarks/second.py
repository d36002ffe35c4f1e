"""A second version beside the first: stored in full, and as what differs; build, bytes, queries.

python -m tests.benchmarks.second 30e6 DIR     # after volume.py 30e6 DIR; makes DIR/second and DIR/full beside it
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import warehouse
from tests.benchmarks.volume import timed
from warehouse.build import build
from warehouse.cluster import cluster_synapses
from warehouse.difference import Against, store_difference
from warehouse.layout import Folder
from warehouse.logical import logical_rows
from warehouse.manifest import Manifest, TableEntry, read_manifest
from warehouse.publish import publish
from warehouse.store import write_table
from warehouse.synthetic import Volume, synthesize
from warehouse.synthetic.volume import cells_for
from warehouse.tables import SYNAPSE, TABLES

FIRST, SECOND = 1507, 1718
LOOK_UPS = (
    "FROM input_synapses({root})",
    "FROM synapses WHERE post_pt_root_id = {root}",
    "FROM output_synapses({root})",
)
QUERIES = (
    "SELECT count(*), sum(n_syn) FROM connections_proofread",
    "FROM cell_type_connectivity",
    "SELECT sum(size), max(pre_pt_root_id), max(post_pt_root_id) FROM synapses",
)


def parts_of(volume: Volume, directory: Path) -> list[Path]:
    """The synapses of the second version in Parquet parts; those that are there already are used again."""
    if not directory.exists():
        directory.mkdir(parents=True)
        for number, batch in enumerate(volume.stream(SECOND)):
            rows = logical_rows(TABLES[SYNAPSE], pa.Table.from_batches([batch])).sort_by("id")
            pq.write_table(rows, directory / f"{number:04d}.parquet", compression="zstd", compression_level=1)
    return sorted(directory.glob("*.parquet"))


def add_second(volume: Volume, folder: Folder, parts: list[Path], *, full: bool) -> TableEntry:
    """Publish the second version in a folder that has the first; returns its synapses."""
    table, assembled = TABLES[SYNAPSE], folder.staging(SECOND) / "assembled"
    if full:
        entry = timed("full copy", cluster_synapses, assembled, table, parts, source="synthetic")
    else:
        against = Against.of(folder, FIRST)
        entry = timed("difference", store_difference, assembled, SECOND, table, parts, against, source="synthetic")
    entries = {SYNAPSE: entry}
    for name in volume.table_names(SECOND):
        if TABLES[name].role not in ("synapse", "compartment"):
            rows = logical_rows(TABLES[name], volume.table(SECOND, name))
            entries[name] = write_table(assembled, TABLES[name], rows, source="synthetic")
    publish(folder, assembled, Manifest(folder.datastack, SECOND, "2026-03-07T08:10:01.190228", entries))
    timed("build", build, folder)
    return entry


def beside(first: Folder, root: Path) -> Folder:
    """A folder with the first version's files, linked."""
    folder = Folder.of(root)
    for path in first.version(FIRST).rglob("*"):
        if path.is_file():
            target = folder.version(FIRST) / path.relative_to(first.version(FIRST))
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    return folder


def ask(folder: Folder, queries: list[str], runs: int = 7) -> list[tuple[float, float]]:
    """Median wall and processor time of each query in ms, with one thread, after one run to warm up."""
    answers = []
    with warehouse.connect(SECOND, folder.path.parent, threads=1) as wh:
        for query in queries:
            taken = []
            for _ in range(runs + 1):
                wall, work = time.perf_counter(), time.process_time()
                wh.sql(query).to_arrow_table()
                taken.append((time.perf_counter() - wall, time.process_time() - work))
            walls, works = zip(*taken[1:], strict=True)
            answers.append((statistics.median(walls) * 1e3, statistics.median(works) * 1e3))
    return answers


def cells(folder: Folder) -> list[int]:
    """The roots of a cell that was edited and of one that was not, both with some thousand inputs."""
    with warehouse.connect(SECOND, folder.path.parent) as wh:
        found = wh.sql(
            "SELECT arg_min(d.pt_root_id, abs(d.n_in_syn - 3000)) FROM in_out_degree AS d "
            f"JOIN id_map AS b ON b.version = {SECOND} AND b.pt_root_id = d.pt_root_id "
            f"JOIN id_map AS a ON a.version = {FIRST} AND a.nucleus_id = b.nucleus_id WHERE d.n_nuclei = 1 "
            "GROUP BY a.pt_root_id = b.pt_root_id ORDER BY a.pt_root_id = b.pt_root_id"
        ).fetchall()
    return [root for (root,) in found]


def main(rows: int, directory: Path) -> None:
    """Make both and print the table."""
    volume = synthesize(cells_for(rows), 0, rows)
    first, parts = Folder.of(directory), parts_of(volume, directory / "parts-second")
    folders = {name: beside(first, directory / name) for name in ("full", "second")}
    for name, folder in folders.items():
        entry = add_second(volume, folder, parts, full=name == "full")
        version = sum(file.bytes for file in read_manifest(folder.manifest(SECOND)).files)
        print(f"{name}: synapses {sum(file.bytes for file in entry.own_files):,} bytes, all {version:,} bytes")
    queries = [look_up.format(root=root) for root in cells(folders["full"]) for look_up in LOOK_UPS] + list(
        QUERIES
    )
    for _ in range(2):  # interleaved
        answers = {name: ask(folder, queries) for name, folder in folders.items()}
        for query, full, second in zip(queries, answers["full"], answers["second"], strict=True):
            print(f"wall {full[0]:8.1f} {second[0]:8.1f}  processor {full[1]:8.1f} {second[1]:8.1f} ms  {query}")


if __name__ == "__main__":
    main(int(float(sys.argv[1])), Path(sys.argv[2]))
