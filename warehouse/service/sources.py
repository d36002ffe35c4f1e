"""Datastacks to serve: a synthetic volume, or the versions of a warehouse on disk."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.encoding import decode_sql
from warehouse.layout import Folder
from warehouse.manifest import TableEntry, read_manifest
from warehouse.schema import Column, Table
from warehouse.service.catalog import (
    Kind,
    ServedColumn,
    ServedDatastack,
    ServedTable,
    ServedVersion,
    ServedView,
    Shelf,
)
from warehouse.tables import TABLES

if TYPE_CHECKING:
    from warehouse.synthetic import VersionInfo, Volume

_KINDS = {
    "id": Kind.BIG_INTEGER,
    "root_id": Kind.BIG_INTEGER,
    "supervoxel_id": Kind.BIG_INTEGER,
    "point": Kind.POINT,
    "integer": Kind.INTEGER,
    "count": Kind.BIG_INTEGER,
    "float": Kind.FLOAT,
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
    "BOOLEAN": Kind.BOOLEAN,
    "VARCHAR": Kind.STRING,
    "TIMESTAMP": Kind.DATE_TIME,
}

_NOT_READY = 25
"""One skeleton in so many is not ready before somebody has asked for it, a choice."""


def _column(column: Column) -> ServedColumn:
    # The cleft size is a whole number that CAVE keeps, and serves, as a float.
    return ServedColumn(column.name, Kind.FLOAT if column.name == "size" else _KINDS[column.kind])


def _columns(table: Table) -> tuple[ServedColumn, ...]:
    return tuple(_column(column) for column in table.columns)


def from_volume(volume: Volume, versions: Collection[int] | None = None) -> ServedDatastack:
    """A synthetic volume as CAVE would serve it, with the rows that CAVE's database holds.

    Args:
        volume: what to serve; a table is made when it is first asked for.
        versions: which of its versions; all if not given.
    """
    return ServedDatastack(
        name=volume.datastack,
        versions=tuple(
            _volume_version(volume, info)
            for info in volume.versions
            if versions is None or info.version in versions
        ),
        description="a synthetic volume",
        skeletons=Shelf(volume.skeleton, lambda root: root % _NOT_READY != 0),
    )


def _volume_version(volume: Volume, info: VersionInfo) -> ServedVersion:
    version = info.version
    return ServedVersion(
        version=version,
        time_stamp=info.time_stamp,
        tables=tuple(_volume_table(volume, version, name) for name in volume.table_names(version)),
        views=tuple(_volume_view(volume, version, name) for name in volume.view_names(version)),
        id=version,
        expires_on=info.expires_on,
        is_merged=info.is_merged,
    )


def _volume_table(volume: Volume, version: int, name: str) -> ServedTable:
    told = volume.metadata(name)
    return ServedTable(
        name=name,
        columns=_columns(TABLES[name]),
        rows=partial(volume.table, version, name),
        description=told.description,
        notice_text=told.notice_text or None,
        resolution=told.voxel_resolution,
        schema_type=told.schema_type,
        reference_table=told.reference_table or None,
        created=told.created,
    )


def _volume_view(volume: Volume, version: int, name: str) -> ServedView:
    told = volume.metadata(name)
    return ServedView(
        name=name,
        columns=_columns(TABLES[name]),
        rows=partial(volume.view, version, name),
        description=told.description,
        notice_text=told.notice_text or None,
        resolution=told.voxel_resolution,
    )


def from_warehouse(folder: Folder) -> ServedDatastack:
    """The versions of a warehouse, served from its Parquet files where they lie.

    What a snapshot does not keep comes back as a server would give it to the same rows: `valid` is true, and
    other bookkeeping is NULL.
    """
    return ServedDatastack(
        name=folder.datastack,
        versions=tuple(_stored_version(folder, version) for version in folder.versions()),
        description="the versions of a warehouse",
    )


def _stored_version(folder: Folder, version: int) -> ServedVersion:
    manifest = read_manifest(folder.manifest(version))
    served = [_stored(folder.version(version), name, entry) for name, entry in manifest.tables.items()]
    return ServedVersion(
        version=version,
        time_stamp=datetime.fromisoformat(manifest.time_stamp),
        tables=tuple(table for table in served if isinstance(table, ServedTable)),
        views=tuple(view for view in served if isinstance(view, ServedView)),
        id=version,
    )


def _stored(path: Path, name: str, entry: TableEntry) -> ServedTable | ServedView:
    """A stored table, described by its manifest and, where that is silent, by the registry."""
    declared = TABLES.get(name)
    columns = _stored_columns(entry) if declared is None else _columns(declared)
    description = entry.description or (declared.description if declared else "")
    x, y, z = entry.voxel_resolution or (4.0, 4.0, 40.0)
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
            columns[name] = ServedColumn(name, _STORED_KINDS[type_])
    return tuple(columns.values())


def _rows(path: Path, columns: Collection[ServedColumn], entry: TableEntry) -> str:
    files = ", ".join("'" + (path / file.path).as_posix().replace("'", "''") + "'" for file in entry.files)
    stored = f"SELECT {decode_sql(entry.encoding, entry.columns)} FROM read_parquet([{files}]) AS s"
    chosen = ", ".join(
        f'{_expression(column, field in entry.columns, field)} AS "{field}"'
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
        return f'"{field}"::DOUBLE' if field == "size" else f'"{field}"'
    return "true" if field == "valid" else _ABSENT[column.kind]
