"""How much memory and time clustering takes, by what `--memory` allows; each run is a process of its own.

python -m tests.benchmarks.clustering_memory ROWS DIR [MEMORY ...]

MEMORY is as on the command line ("300MB"), or "none" for no bound. The parts are kept in DIR/parts.
"""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.memory import byte_count

TABLE = TABLES[SYNAPSE]
_ROWS_PER_PART = 1_000_000
"""As a source keeps them."""


def write_parts(rows: int, directory: Path) -> list[Path]:
    """Random synapses, near each other as real ones are, in parts ordered by id; the same ones each time."""
    directory.mkdir(parents=True, exist_ok=True)
    for first in range(0, rows, _ROWS_PER_PART):
        path = directory / f"{first:012d}.parquet"
        if not path.exists():
            pq.write_table(_part(first, min(_ROWS_PER_PART, rows - first)), path, compression="zstd")
    return sorted(directory.glob("*.parquet"))[: -(-rows // _ROWS_PER_PART)]


def _part(first: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(first)
    centre = {axis: rng.integers(0, 400_000, rows) for axis in "xyz"}
    columns: dict[str, np.ndarray] = {"id": np.arange(first, first + rows)}
    for field in TABLE.arrow_schema:
        name = field.name
        if name.endswith("root_id"):
            columns.setdefault(name, 864691135000000000 + rng.integers(0, 2_000_000, rows) ** 2 % 10**9)
        elif "position" in name:
            columns.setdefault(name, centre[name[-1]] + rng.integers(-100, 100, rows))
        else:
            columns.setdefault(name, rng.integers(0, 1_000, rows))
    return pa.table(columns).select(TABLE.arrow_schema.names).cast(TABLE.arrow_schema)


def run(names: list[str], memory: str) -> str:
    """Cluster, and say what it took."""
    parts = [Path(name) for name in names]
    before = _peak()
    begin = time.perf_counter()
    with TemporaryDirectory(dir=parts[0].parent.parent) as directory:
        entry = cluster_synapses(
            Path(directory), TABLE, parts, memory=None if memory == "none" else byte_count(memory)
        )
    seconds = time.perf_counter() - begin
    cpu = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    peak = _peak()
    result = hashlib.sha256("".join(file.sha256 for file in entry.files).encode()).hexdigest()[:12]
    return (
        f"{entry.rows:,} rows, --memory {memory}: peak {peak:,.0f} MB ({before:,.0f} before), {seconds:.1f} s, "
        f"{cpu:.1f} s of CPU; {len(entry.files)} files {result}"
    )


def _peak() -> float:
    """Peak memory of this process [MB]; what `resource` says also counts the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(rows: int, directory: Path, bounds: list[str]) -> None:
    """Measure each bound in a process of its own."""
    parts = write_parts(rows, directory / "parts")
    for memory in bounds:
        call = (
            "import sys; from tests.benchmarks.clustering_memory import *; print(run(sys.argv[2:], sys.argv[1]))"
        )
        subprocess.run([sys.executable, "-c", call, memory, *map(str, parts)], check=True)


if __name__ == "__main__":
    main(int(float(sys.argv[1])), Path(sys.argv[2]), sys.argv[3:] or ["300MB", "600MB", "none"])
