"""What a snapshot would cost, without fetching it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.origin import Cost
from ingest.selection import PROOFREADING
from warehouse.render import table_text
from warehouse.schema import Table

if TYPE_CHECKING:
    from ingest.origin import Origin
    from ingest.snapshot import Snapshot

ROWS_PER_AXON = 1_000
"""Output synapses of a proofread axon, about: 2,089,627 of 2,141 axons in version 1507."""
_COMPRESSED = 0.6
"""Bytes on the wire per byte of a column, about: 47 of 80 for a synapse."""
_TEXT_BYTES = 4
"""Bytes of a text value, about: nearly all are categories, which compress to little."""


def estimate(job: Snapshot, connect: Callable[[], Origin]) -> str:
    """A table of what is still to be fetched: tables, requests (or files), rows and bytes, the latter three about.

    Args:
        job: the snapshot.
        connect: connects to the source.
    """
    rows = [] if job.is_finished else _costs(job, connect())
    spent = [cost for _, cost in rows]
    total = Cost(
        requests=sum(cost.requests for cost in spent),
        rows=sum(cost.rows or 0 for cost in spent),
        bytes=sum(cost.bytes for cost in spent),
    )
    lines = [(name, cost.requests, cost.rows, cost.bytes) for name, cost in [*rows, ("total", total)]]
    return table_text(("table", "requests", "rows", "bytes"), lines)


def _costs(job: Snapshot, origin: Origin) -> list[tuple[str, Cost]]:
    targets = job.plan(origin).targets
    here = job.manifest.tables if job.manifest else {}
    rows = {name: entry.rows for name, entry in here.items()}
    rows |= {target.table.name: target.rows_to_come or 0 for target in targets}
    return [(target.table.name, target.cost(rows)) for target in targets]


def axon_rows(rows: Mapping[str, int], axons: int = 0) -> int:
    """Output synapses of so many proofread axons, or of those in a table that is here or will be."""
    return ROWS_PER_AXON * (axons or next((rows[name] for name in PROOFREADING if name in rows), 0))


def wire_bytes(table: Table, rows: int) -> int:
    """Bytes that so many rows of a table take on the way, about."""
    row = sum(
        _TEXT_BYTES if field.type == pa.string() else max(1, field.type.bit_width // 8)
        for field in table.arrow_schema
    )
    return int(rows * row * _COMPRESSED)
