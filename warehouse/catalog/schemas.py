"""The two schemas of a version: their names, and what the tables under CAVE's names are read from."""

from __future__ import annotations

from warehouse.registry.schema import Table
from warehouse.storage.encoding import logical_select
from warehouse.storage.files import duckdb_columns
from warehouse.storage.manifest import TableEntry
from warehouse.storage.quoting import empty_select, quoted


def schema_of(version: int) -> str:
    """The schema of a version's curated views."""
    return f"v{version}"


def raw_schema_of(version: int) -> str:
    """The schema of a version's tables under CAVE's names."""
    return f"v{version}_cave"


def raw_select(version: int, table: Table | None, entry: TableEntry | None) -> str:
    """The SELECT of a table under CAVE's name: every declared column, whatever the version has of it."""
    if entry is None:
        return empty_select(duckdb_columns(table) if table else {})
    return f"SELECT {all_columns(table, entry)} FROM ({logical_select(version, entry)})"


def all_columns(table: Table | None, entry: TableEntry) -> str:
    """The select list of every declared column of a table, NULL for one that its files do not have."""
    columns = {**(duckdb_columns(table) if table else {}), **entry.columns}
    return ", ".join(
        quoted(name) if name in entry.columns else f"NULL::{kind} AS {quoted(name)}"
        for name, kind in columns.items()
    )
