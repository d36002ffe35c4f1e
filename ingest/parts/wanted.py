"""Which tables and rows are wanted, whatever the source: their names, their order, and what a scope needs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from ingest.parts.source import Scope
from warehouse.errors import SourceRefused
from warehouse.registry.schema import Table
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES

log = logging.getLogger(__name__)

PROOFREADING = ("proofreading_status_and_strategy", "proofreading_status_public_release")
"""Where proofread axons are found; the first that a version has decides."""
ALTERNATIVE_POINTS = "nucleus_alternative_points"
ROWS_PER_AXON = 1_000
"""Output synapses of a proofread axon, about: 2,089,627 of 2,141 axons in version 1507."""
_COMPRESSED = 0.6
"""Bytes on the wire per byte of a column, about: 47 of 80 for a synapse."""
_TEXT_BYTES = 4
"""Bytes of a text value, about: nearly all are categories, which compress to little."""


def annotation_tables() -> list[str]:
    """The tables that a snapshot takes when none is named: all declared ones that CAVE stores."""
    return [table.name for table in TABLES.values() if table.kind == "table"]


def is_about_synapses(table: str) -> bool:
    """Whether the scope of synapses decides which of the table's rows are kept."""
    return table == SYNAPSE or (table in TABLES and TABLES[table].reference == SYNAPSE)


def kept(rows: pa.Table, keep: Mapping[str, pa.Array], scope: Scope) -> pa.Table:
    """The rows whose values are among the given ones: in each column, or, for chosen cells, in any of them."""
    if not keep:
        return rows
    tests = (pc.is_in(rows[column], value_set=values) for column, values in keep.items())
    return rows.filter(reduce(pc.or_ if scope == "cells" else pc.and_, tests))


def in_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Tables in the order in which they can be fetched: see `stage`."""
    return tuple(sorted(tables, key=lambda table: stage(table.name)))


def stage(name: str) -> int:
    """Tables about synapses come after the synapses, and those after what decides which are kept."""
    if name == SYNAPSE:
        return 1
    return 2 if is_about_synapses(name) else 0


def needed(wanted: Sequence[str], scope: Scope, listed: Sequence[str], version: int, have: set[str]) -> list[str]:
    """Further tables that the scope of the synapses needs."""
    if scope == "all" or not any(is_about_synapses(name) for name in wanted):
        return []
    if "cells" in scope:  # which cells are chosen is known without a table, or by one that is here
        return [] if SYNAPSE in have else [SYNAPSE]
    if SYNAPSE not in listed:
        raise SourceRefused(
            f"version {version} has no {SYNAPSE}, so which rows of {', '.join(filter(is_about_synapses, wanted))} "
            "to keep is unknown; take all of them: add --synapses all"
        )
    more = [SYNAPSE]
    if scope == "neurons":
        more += [name for name in (NUCLEUS, ALTERNATIVE_POINTS) if name in listed]
    else:
        more += [proofreading_table(listed, version)]
    added = [name for name in more if name not in have]
    if added:
        log.info("the synapses of scope %s need %s as well", scope, ", ".join(added))
    return added


def proofreading_table(listed: Iterable[str], version: int) -> str:
    """The table that says which axons were proofread.

    Raises:
        SourceRefused: the version has none.
    """
    name = next((name for name in PROOFREADING if name in set(listed)), None)
    if name is None:
        raise SourceRefused(
            f"version {version} says nothing about proofreading, so its proofread synapses are unknown; "
            f"take others: microns snapshot {version} --synapses neurons"
        )
    return name


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
