"""How many bytes a warehouse takes, file by file and for each synapse.

python -m tests.benchmarks.storage ROOT [ROOT ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import warehouse
from tests.benchmarks.measure import markdown
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.manifest import TableEntry

_LISTED = 1_000_000
"""Files of fewer bytes are added up in one line."""


def table(root: Path) -> str:
    """A line for each large table, and sums."""
    with warehouse.connect(root=root) as wh:
        entries = wh.manifest.tables | {f"model {name}": entry for name, entry in wh.manifest.stored_views.items()}
        rows = wh.manifest.tables[SYNAPSE].rows
    sizes = sorted(((_bytes(entry), name, entry) for name, entry in entries.items()), key=lambda each: -each[0])
    lines = [
        _line(name, entry.rows, len(entry.files), size, rows)
        for size, name, entry in sizes
        if size >= _LISTED or name == SYNAPSE
    ]
    small = [(size, entry) for size, name, entry in sizes if size < _LISTED and name != SYNAPSE]
    if small:
        files = sum(len(entry.files) for _, entry in small)
        lines.append(
            _line(
                f"{len(small)} smaller ones", sum(e.rows for _, e in small), files, sum(s for s, _ in small), rows
            )
        )
    lines.append(
        _line("everything", rows, sum(len(e.files) for _, _, e in sizes), sum(s for s, _, _ in sizes), rows)
    )
    return markdown([f"{rows:,} synapses", "rows", "files", "MB", "bytes per synapse"], lines)


def _line(name: str, rows: int, files: int, size: int, synapses: int) -> list[str]:
    return [name, f"{rows:,}", f"{files:,}", f"{size / 1e6:,.1f}", f"{size / synapses:.2f}"]


def _bytes(entry: TableEntry) -> int:
    return sum(file.bytes for file in entry.files)


if __name__ == "__main__":
    print("\n\n".join(table(Path(root)) for root in sys.argv[1:]))
