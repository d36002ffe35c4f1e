"""The versions of a warehouse on disk as a datastack to serve."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from warehouse.catalog.committed import local_manifests
from warehouse.registry.datastacks import datastack_of
from warehouse.registry.schema import Column, Table
from warehouse.registry.tables import TABLES
from warehouse.serve.served import (
    Kind,
    ServedColumn,
    ServedDatastack,
    ServedTable,
    ServedVersion,
    ServedView,
)
from warehouse.storage.encoding import decode_sql
from warehouse.storage.manifest import NOT_BIOLOGY, Manifest, TableEntry
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted, text_literal

_KINDS = {
    "id": Kind.BIG_INTEGER,
    "root_id": Kind.BIG_INTEGER,
    "supervoxel_id": Kind.BIG_INTEGER,
    "point": Kind.POINT,
    "integer": Kind.INTEGER,
    "count": Kind.BIG_INTEGER,
    "float": Kind.FLOAT,
    "double": Kind.FLOAT,
    "numeric": Kind.FLOAT,
    "bool": Kind.BOOLEAN,
    "text": Kind.STRING,
    "category": Kind.STRING,
    "timestamp": Kind.DATE_TIME,
}
_STORED_KINDS = {
    "BIGINT": Kind.BIG_INTEGER,
    "INTEGER": Kind.INTEGER,
    "FLOAT": Kind.FLOAT,
    "DOUBLE": Kind.FLOAT,
    "DECIMAL": Kind.FLOAT,
    "BOOLEAN": Kind.BOOLEAN,
    "VARCHAR": Kind.STRING,
    "TIMESTAMP": Kind.DATE_TIME,
}


_VOXEL = (1.0, 1.0, 1.0)
"""Served where nobody knows the size of a voxel: CAVE's service always says one."""


def _column(column: Column) -> ServedColumn:
    # The cleft size is a whole number that CAVE keeps, and serves, as a float.
    return ServedColumn(column.name, Kind.FLOAT if column.name == "size" else _KINDS[column.kind])


def served_columns(table: Table) -> tuple[ServedColumn, ...]:
    """The columns of a declared table, as CAVE serves them."""
    return tuple(_column(column) for column in table.columns)


def from_warehouse(folder: Folder) -> ServedDatastack:
    """The versions of a warehouse, served from its Parquet files where they lie.

    What a snapshot does not keep comes back as a server would give it to the same rows: `valid` is true, and
    other bookkeeping is NULL.
    """
    manifests = local_manifests(folder).values()
    made_up = f", {NOT_BIOLOGY}" if any(manifest.synthetic for manifest in manifests) else ""
    return ServedDatastack(
        name=folder.datastack,
        versions=tuple(_stored_version(folder, manifest) for manifest in manifests),
        description=f"the versions of a warehouse{made_up}",
    )


def _stored_version(folder: Folder, manifest: Manifest) -> ServedVersion:
    version = manifest.version
    voxel = datastack_of(manifest.datastack).voxel_nm or _VOXEL
    served = [_stored(folder.version(version), name, entry, voxel) for name, entry in manifest.tables.items()]
    return ServedVersion(
        version=version,
        time_stamp=datetime.fromisoformat(manifest.time_stamp),
        tables=tuple(table for table in served if isinstance(table, ServedTable)),
        views=tuple(view for view in served if isinstance(view, ServedView)),
        id=version,
        synthetic=manifest.synthetic,
    )


def _stored(
    path: Path, name: str, entry: TableEntry, voxel: tuple[float, float, float]
) -> ServedTable | ServedView:
    """A stored table, described by its manifest and, where that is silent, by the registry."""
    declared = TABLES.get(name)
    columns = _stored_columns(entry) if declared is None else served_columns(declared)
    description = entry.description or (declared.description if declared else "")
    x, y, z = entry.voxel_resolution or voxel
    rows, notice, resolution = _rows(path, columns, entry), entry.notice_text or None, (x, y, z)
    if declared is not None and declared.kind != "table":
        return ServedView(name, columns, rows, description, notice, resolution)
    return ServedTable(
        name,
        columns,
        rows,
        description,
        notice,
        resolution,
        schema_type=entry.schema_type or (declared.schema_type if declared else ""),
        reference_table=entry.reference_table or (declared.reference if declared else "") or None,
        stored_count=entry.rows,
    )


def _stored_columns(entry: TableEntry) -> tuple[ServedColumn, ...]:
    """The columns of a table that is not declared: points are recognized by their three names."""
    columns: dict[str, ServedColumn] = {}
    for name, type_ in entry.columns.items():
        point = ServedColumn(name[:-2], Kind.POINT)
        if name in point.fields and entry.columns.keys() >= {*point.fields}:
            columns[point.name] = point
        else:
            columns[name] = ServedColumn(name, _STORED_KINDS[type_.partition("(")[0]])
    return tuple(columns.values())


def _rows(path: Path, columns: Collection[ServedColumn], entry: TableEntry) -> str:
    files = ", ".join(text_literal((path / file.path).as_posix()) for file in entry.files)
    stored = f"SELECT {decode_sql(entry.encoding, entry.columns)} FROM read_parquet([{files}]) AS s"
    chosen = ", ".join(
        f"{_expression(column, field in entry.columns, field)} AS {quoted(field)}"
        for column in columns
        for field in column.fields
    )
    return f"(SELECT {chosen} FROM ({stored}))"


_ABSENT = {
    Kind.BIG_INTEGER: "NULL::BIGINT",
    Kind.INTEGER: "NULL::INTEGER",
    Kind.FLOAT: "NULL::DOUBLE",
    Kind.BOOLEAN: "NULL::BOOLEAN",
    Kind.STRING: "NULL::VARCHAR",
    Kind.DATE_TIME: "NULL::TIMESTAMP",
    Kind.POINT: "NULL::INTEGER",
}


def _expression(column: ServedColumn, stored: bool, field: str) -> str:
    if stored:
        return f"{quoted(field)}::DOUBLE" if field == "size" else quoted(field)
    return "true" if field == "valid" else _ABSENT[column.kind]
