"""A synthetic warehouse with any number of synapses, as a snapshot would leave it.

python -m tests.benchmarks.volume ROWS DIR [full]

The parts are kept in DIR/parts. With `full` the layout is the full one; where a warehouse is there already, only
what this adds is stored.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from warehouse.catalog.build import build
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.demo.synthetic.volume import cells_for
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

VERSION = 1507
Result = TypeVar("Result")


def write_parts(volume: Volume, directory: Path) -> list[Path]:
    """The synapses in Parquet parts ordered by id, as the fetch leaves them."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(generated(volume)):
        pq.write_table(rows, directory / f"{number:04d}.parquet", compression="zstd", compression_level=1)
    return sorted(directory.glob("*.parquet"))


def generated(volume: Volume) -> Iterator[pa.Table]:
    """The synapses in batches ordered by id."""
    for batch in volume.stream(VERSION):
        yield logical_rows(TABLES[SYNAPSE], pa.Table.from_batches([batch])).sort_by("id")


def snapshot(volume: Volume, parts: list[Path], folder: Folder, memory: int | None = None) -> None:
    """Cluster the synapses, write the tables of cells, publish and build; in so much memory."""
    draft = folder.staging(VERSION) / "assembled"
    entries = {
        SYNAPSE: timed(
            "cluster", cluster_synapses, draft, TABLES[SYNAPSE], parts, memory=memory, source="synthetic"
        )
    }
    publish_version(volume, VERSION, folder, entries, draft)
    timed("build", build, folder, memory=memory)


def publish_version(
    volume: Volume, version: int, folder: Folder, entries: dict[str, TableEntry], draft: Path
) -> None:
    """Write the tables of cells beside the synapses, and publish."""
    (info,) = (info for info in volume.versions if info.version == version)
    for name in volume.table_names(version):
        if TABLES[name].role not in ("synapse", "compartment"):
            rows = logical_rows(TABLES[name], volume.table(version, name))
            entries[name] = write_table(draft, TABLES[name], rows, source="synthetic")
    publish(folder, draft, Manifest(folder.datastack, version, info.time_stamp.isoformat(), entries))


def timed(what: str, work: Callable[..., Result], *arguments: object, **options: object) -> Result:
    """Do something and say how long it took and how much memory the process has needed so far."""
    begin = time.perf_counter()
    result = work(*arguments, **options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what}: {time.perf_counter() - begin:.1f} s, peak memory {peak:.2f} GB", flush=True)
    return result


def main(rows: int, directory: Path, layout: str = "default") -> None:
    """Make the warehouse in `directory`; parts that are there already are used again."""
    folder = Folder.of(directory)
    if not folder.manifest(VERSION).exists():
        volume = timed("cells", synthesize, cells_for(rows), 0, rows)
        parts = sorted((directory / "parts").glob("*.parquet")) or timed(
            "parts", write_parts, volume, directory / "parts"
        )
        snapshot(volume, parts, folder)
    if layout == "full":
        replace(read_manifest(folder.manifest(VERSION)), layout="full").write(folder.manifest(VERSION))
        timed("full layout", build, folder)


if __name__ == "__main__":
    main(int(float(sys.argv[1])), Path(sys.argv[2]), *sys.argv[3:])
