"""What a snapshot would cost, without fetching it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.selection import PROOFREADING
from ingest.source import Source
from ingest.target import Target
from warehouse.render import table_text
from warehouse.schema import Table
from warehouse.tables import SYNAPSE

if TYPE_CHECKING:
    from ingest.snapshot import Snapshot

ROWS_PER_AXON = 1_000
"""Output synapses of a proofread axon, about: 2,089,627 of 2,141 axons in version 1507."""
_COMPRESSED = 0.6
"""Bytes on the wire per byte of a column, about: 47 of 80 for a synapse."""
_TEXT_BYTES = 4
"""Bytes of a text value, about: nearly all are categories, which compress to little."""


def estimate(job: Snapshot, connect: Callable[[], Source]) -> str:
    """A table of what is still to be fetched: tables, requests, rows and bytes, the latter three about.

    Args:
        job: the snapshot.
        connect: connects to the service.
    """
    rows = [] if job.is_finished else _lines(job, connect())
    total = ("total", *(sum(int(row[column]) for row in rows) for column in (1, 2, 3)))
    return table_text(("table", "requests", "rows", "bytes"), [*rows, total])


def _lines(job: Snapshot, source: Source) -> list[tuple[str, int, int, int]]:
    targets = job.plan(source).targets
    here = job.manifest.tables if job.manifest else {}
    rows = {name: entry.rows for name, entry in here.items()} | {target.name: target.count for target in targets}
    axons = next((rows[name] for name in PROOFREADING if name in rows), 0)
    return [_line(target, axons) for target in targets]


def _line(target: Target, axons: int) -> tuple[str, int, int, int]:
    sizes, rows = target.sizes, target.count
    if target.scope == "proofread":
        rows = min(rows, axons * ROWS_PER_AXON)
        per_request = sizes.roots * ROWS_PER_AXON if target.name == SYNAPSE else sizes.ids
    else:
        per_request = sizes.rows if rows >= sizes.single else max(rows, 1)
    requests = max(1, -(-rows // per_request))
    left = max(0, requests - target.store.count())
    rows = rows * left // requests
    return target.name, left, rows, _wire_bytes(target.table, rows)


def cost_of_all(target: Target, requests: int) -> str:
    """What it takes to ask for all synapses that are not here yet, in so many requests."""
    rows = target.count - sum(stored.seen for stored in target.store.load())
    return (
        f"all synapses are asked for: {rows:,} to come, in about {requests} requests "
        f"of {_wire_bytes(target.table, rows) / 1e6:,.0f} MB in all"
    )


def _wire_bytes(table: Table, rows: int) -> int:
    """Bytes that so many rows of a table take on the way, about."""
    row = sum(
        _TEXT_BYTES if field.type == pa.string() else max(1, field.type.bit_width // 8)
        for field in table.arrow_schema
    )
    return int(rows * row * _COMPRESSED)
