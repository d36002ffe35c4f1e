"""What the manifest of a version knows, as SQL: what its tables are read from, and where look-ups find synapses.

Files under sql/ name these by a view or macro that is right wherever rows may lie (`_rows_from`, `_buckets_onto`,
...); a version with files in buckets puts a text of its own in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.registry.datastacks import datastack_of, table_called
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.encoding import (
    DELTA_BUCKETS,
    buckets_sql,
    decode_sql,
    delta_bucket,
    folders,
    in_buckets,
    is_live_sql,
    logical_select,
    parquet_source,
)
from warehouse.storage.files import duckdb_columns
from warehouse.storage.manifest import Manifest, TableEntry
from warehouse.storage.quoting import empty_select, quoted, text_literal


def schema_of(version: int) -> str:
    """The schema of a version's curated views."""
    return f"v{version}"


def raw_schema_of(version: int) -> str:
    """The schema of a version's tables under CAVE's names."""
    return f"v{version}_cave"


def texts_of_version(manifest: Manifest) -> dict[str, str]:
    """What only the manifest knows, in place of what the files under sql/ say of it: by name, ready to be run."""
    name = table_called(datastack_of(manifest.datastack), SYNAPSE) or SYNAPSE
    entry = manifest.tables.get(name)
    moment = text_literal(manifest.time_stamp) if manifest.time_stamp else "NULL"
    texts = {
        "_version": f"SELECT {manifest.version} AS _version",
        # Unknown of some archived versions.
        "_version_time": f"SELECT {moment}::TIMESTAMP AS _version_time",
        "_synapse_scope": f"SELECT {text_literal(entry.scope if entry else '')} AS _synapse_scope",
    }
    if entry is not None:
        texts |= _where_synapses_lie(manifest, name, entry)
    return texts


def _where_synapses_lie(manifest: Manifest, name: str, entry: TableEntry) -> dict[str, str]:
    """For look-ups: the rows with their buckets, which buckets to open, and which rows are dead."""
    version, base, raw = manifest.version, entry.base, f"{raw_schema_of(manifest.version)}.{quoted(name)}"
    if not in_buckets(entry):
        whole = f"SELECT s.*, 0 AS b FROM {raw} AS s"
        return {"_rows_from": whole, "_all_by_pre": whole, "_buckets_from": "SELECT [0] AS _buckets_from"}
    bounds = ", ".join(map(str, entry.bounds))
    bucket = f"len(list_filter([{bounds}]::BIGINT[], lambda bound: bound <= root))::INTEGER"
    last = len(entry.bounds)
    texts = {
        "_bucket_of": f"SELECT {bucket} AS _bucket_of",
        "_rows_onto": _rows(version, entry, folders(version, entry)),
        "_buckets_onto": f"SELECT {buckets_sql(f'{schema_of(version)}._bucket_of(root)', base)} AS _buckets_onto",
    }
    if base is not None:
        texts["_is_live"] = f"SELECT ({is_live_sql(version, base)}) AS _is_live"
    by_pre = manifest.stored_views.get("_all_by_pre")
    if manifest.layout != "full":
        numbers = [*range(last + 1), *(range(DELTA_BUCKETS, delta_bucket(last) + 1) if base else ())]
        texts["_all_by_pre"] = texts["_rows_onto"]
        texts["_piece_buckets"] = f"SELECT {numbers} AS _piece_buckets"
        by_pre = entry
    axons = manifest.stored_views.get("_axon_synapses")
    if axons and by_pre and axons.encoding == by_pre.encoding and in_buckets(axons):
        texts["_rows_from"] = _rows(version, entry, [*folders(version, axons), *folders(version, by_pre)])
    return texts


def _rows(version: int, entry: TableEntry, where: Sequence[str]) -> str:
    """Synapses as they lie in some folders, dead ones too, with the bucket of each."""
    source = f"SELECT {decode_sql(entry.encoding, entry.columns)}, s.b FROM {parquet_source(where, True)} AS s"
    return f"SELECT {_all_columns(TABLES[SYNAPSE], entry)}, r.b FROM ({source}) AS r"


def raw_select(version: int, table: Table | None, entry: TableEntry | None) -> str:
    """The SELECT of a table under CAVE's name: every declared column, whatever the version has of it."""
    if entry is None:
        return empty_select(duckdb_columns(table) if table else {})
    return f"SELECT {_all_columns(table, entry)} FROM ({logical_select(version, entry)})"


def _all_columns(table: Table | None, entry: TableEntry) -> str:
    columns = {**(duckdb_columns(table) if table else {}), **entry.columns}
    return ", ".join(
        quoted(name) if name in entry.columns else f"NULL::{kind} AS {quoted(name)}"
        for name, kind in columns.items()
    )
