"""What a snapshot would cost, without fetching it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.parts.source import Cost
from warehouse.commands.render import table_text

if TYPE_CHECKING:
    from ingest.job.snapshot import Snapshot
    from ingest.parts.source import Source


def estimate(job: Snapshot, connect: Callable[[], Source]) -> str:
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


def _costs(job: Snapshot, source: Source) -> list[tuple[str, Cost]]:
    source_tables = job.plan(source).source_tables
    here = job.manifest.tables if job.manifest else {}
    rows = {name: entry.rows for name, entry in here.items()}
    rows |= {each.table.name: each.rows_to_come or 0 for each in source_tables}
    return [(each.table.name, each.cost(rows)) for each in source_tables]
