"""Which synapses are kept: sets of root ids, out of tables that are already here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from ingest.parts.source import Scope
from ingest.parts.wanted import ALTERNATIVE_POINTS, PROOFREADING
from warehouse.query.scan import scan
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder

_NO_SEGMENT = pa.array([0, 1], pa.int64())
"""0: outside the segmentation; 1: never looked up. Neither is a cell."""


class Reader(Protocol):
    """Reads what is here."""

    def __call__(self, name: str, columns: list[str] | None = None) -> pa.Table | None:
        """The rows of a table, or None if it is not here; all columns if none is named."""


def rows_here(
    folder: Folder, manifest: Manifest, name: str, columns: Sequence[str] | None = None
) -> pa.Table | None:
    """The rows of a published table in their declared types, or None if it is not here; all columns by default."""
    if name not in manifest.tables:
        return None
    rows = (
        scan(folder.version(manifest.version), manifest.tables[name]).select(columns or "*").collect().to_arrow()
    )
    return rows.cast(pa.schema([TABLES[name].arrow_schema.field(each) for each in rows.column_names]))


def wanted(name: str, scope: Scope, read: Reader) -> dict[str, pa.Array]:
    """Which rows of a table are kept: by column, the values that it may have; nothing where all are."""
    if scope == "all":
        return {}
    if name == SYNAPSE and scope == "proofread":
        return {"pre_pt_root_id": pa.array(proofread_roots(read), pa.int64())}
    if name == SYNAPSE:
        roots = pa.array(nucleus_roots(read), pa.int64())
        return {"pre_pt_root_id": roots, "post_pt_root_id": roots}
    rows = read(SYNAPSE, ["id"])
    return {"target_id": pa.array([], pa.int64()) if rows is None else rows["id"].combine_chunks()}


def decides(name: str, scope: Scope) -> tuple[str, ...]:
    """The tables that `wanted` reads; without one of them, the wrong rows would be kept."""
    if scope == "all":
        return ()
    if name != SYNAPSE:
        return (SYNAPSE,)
    return PROOFREADING if scope == "proofread" else (NUCLEUS, ALTERNATIVE_POINTS)


def proofread_roots(read: Reader) -> list[int]:
    """The roots whose outputs may be analysed: `status_axon` and a strategy; of old: clean or extended."""
    for name in PROOFREADING:
        if (rows := read(name)) is not None:
            return _cells(rows.filter(_axon_is_proofread(rows))["pt_root_id"])
    return []


def _axon_is_proofread(rows: pa.Table) -> pa.ChunkedArray:
    if "strategy_axon" not in rows.column_names:
        return pc.is_in(rows["status_axon"], value_set=pa.array(["clean", "extended"]))
    no_strategy = pc.is_in(pc.fill_null(rows["strategy_axon"], ""), value_set=pa.array(["", "none"]))
    return pc.and_(pc.fill_null(rows["status_axon"], False), pc.invert(no_strategy))


def nucleus_roots(read: Reader) -> list[int]:
    """The roots that hold a nucleus, at its centroid or at its better look-up point."""
    found = [rows["pt_root_id"] for name in (NUCLEUS, ALTERNATIVE_POINTS) if (rows := read(name)) is not None]
    return _cells(pa.chunked_array([chunk for column in found for chunk in column.chunks], pa.int64()))


def _cells(roots: pa.ChunkedArray) -> list[int]:
    unique = pc.unique(roots.drop_null())
    return sorted(unique.filter(pc.invert(pc.is_in(unique, value_set=_NO_SEGMENT))).to_pylist())
