"""From the columns that CAVE sends to those that the registry declares."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from warehouse.errors import SchemaDrift
from warehouse.registry.schema import AXES, Column, Kind, Table
from warehouse.storage.logical import cast_to_declared

log = logging.getLogger(__name__)

_ABSENT_WHEN_MERGED = frozenset({"created", "superceded_id"})
"""Versions of the older, merged layout do not serve these."""


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


_FITS = {
    "id": pa.types.is_integer,
    "root_id": pa.types.is_integer,
    "supervoxel_id": pa.types.is_integer,
    "count": pa.types.is_integer,
    "integer": _is_number,
    "point": _is_number,
    "float": _is_number,
    "double": _is_number,
    "numeric": _is_number,
    "bool": pa.types.is_boolean,
    "text": _is_text,
    "category": _is_text,
    "timestamp": pa.types.is_timestamp,
}
"""Which wire types a kind may arrive in; an id that comes as a float has lost digits and is refused."""


def conform(table: Table, rows: pa.Table, *, is_merged: bool) -> pa.Table:
    """Rows as the registry declares them: columns by name, in its order and types.

    Args:
        table: the declaration.
        rows: as CAVE sent them.
        is_merged: whether the version has the older, merged layout.

    Raises:
        SchemaDrift: a declared column is absent, or holds what its declared type cannot.
    """
    absent = _ABSENT_WHEN_MERGED if is_merged else frozenset()
    missing = [name for name in table.arrow_schema.names if name not in rows.column_names and name not in absent]
    if missing:
        raise SchemaDrift(
            f"CAVE's table {table.name} lacks the columns {', '.join(missing)} that this release expects; "
            "update microns-warehouse, or name the tables to take without it"
        )
    known = {field for column in table.columns for field in column.fields}
    if extra := [name for name in rows.column_names if name not in known]:
        log.warning(
            "CAVE's table %s has columns that this release does not know and does not keep: %s; "
            "update microns-warehouse",
            table.name,
            ", ".join(extra),
        )
    columns = [_cast(table, field, rows) for field in table.arrow_schema]
    return pa.table(columns, schema=table.arrow_schema)


def _cast(table: Table, field: pa.Field, rows: pa.Table) -> pa.ChunkedArray:
    if field.name not in rows.column_names:
        return pa.nulls(len(rows), field.type)
    column, values = table.column_of(field.name), rows[field.name]
    if values.null_count == len(values):  # without any value, a column of a view comes as text, whatever it is
        return pa.nulls(len(rows), field.type)
    if not _FITS[column.kind](values.type):
        raise SchemaDrift(
            f"CAVE's column {table.name}.{field.name} is {values.type}, and this release expects {field.type}; "
            "update microns-warehouse, or name the tables to take without it"
        )
    return cast_to_declared(values, field, f"CAVE's column {table.name}.{field.name}")


def adapted(table: Table, sent: pa.Schema) -> Table:
    """The declaration with what the service sends beyond it, and, for a view, without what it does not send.

    A column that this release does not know is kept, typed as it comes, and named in the log.
    """
    known = {field for column in table.columns for field in column.fields}
    extra = tuple(column for column in columns_of(sent) if not known & {*column.fields})
    if extra:
        names = ", ".join(column.name for column in extra)
        log.warning("CAVE's %s has columns that this release does not know; they are kept: %s", table.name, names)
    kept = table.columns
    if table.kind == "view":
        kept = tuple(column for column in kept if {*column.fields} <= {*sent.names})
    return _with_columns(table, (*kept, *extra))


_LEFT_OUT = frozenset({"created", "deleted", "superceded_id", "valid"})
"""Bookkeeping that archives leave out."""
_MERELY_ANATOMY = ("point", "supervoxel_id")
"""Kinds of columns without which a table still says what it is about."""


def reduced(table: Table, sent: pa.Schema, url: str) -> Table:
    """The declaration without the columns that an archived file does not have; no row is filled up with NULL.

    Columns that the archive adds (those of the nucleus that a row refers to, say) are not kept, except for a view,
    which has no other definition than its columns.

    Raises:
        SchemaDrift: the file lacks what the table is about.
    """
    if table.kind == "view":
        return adapted(table, sent)
    kept = tuple(column for column in table.columns if {*column.fields} <= {*sent.names})
    lacking = [column for column in table.stored_columns if column not in kept and column.name not in _LEFT_OUT]
    if needed := [column.name for column in lacking if not column.nullable and column.kind not in _MERELY_ANATOMY]:
        raise SchemaDrift(
            f"{url} lacks the columns {', '.join(needed)}, without which {table.name} cannot be used; "
            "update microns-warehouse, or name the tables to take without it"
        )
    if lacking:
        names = ", ".join(column.name for column in lacking)
        log.info("%s: the archived file has no %s; they are NULL in the views", table.name, names)
    return _with_columns(table, kept)


def declared(name: str, sent: pa.Schema, metadata: Mapping[str, Any], *, is_view: bool) -> Table:
    """A declaration of a table that the registry does not have, from what the service says of it."""
    undeclared = Table(
        name,
        "view" if is_view else str(metadata.get("schema_type") or ""),
        str(metadata.get("description") or f"CAVE's {name}; not described in this release."),
        (),
        role="summary",
        key=(),
        sort_by=(),
        reference=str(metadata.get("reference_table") or ""),
        kind="view" if is_view else "table",
    )
    return _with_columns(undeclared, columns_of(sent))


def _with_columns(table: Table, columns: tuple[Column, ...]) -> Table:
    fields = [field for column in columns if column.stored for field in column.fields]
    _require_tellable(table.name, fields)
    keep_key = table.key and {*table.key, *table.sort_by} <= {*fields}
    identity = ("id",) if "id" in fields else tuple(fields)
    return replace(
        table,
        columns=columns,
        key=table.key if keep_key else identity,
        sort_by=table.sort_by if keep_key else identity,
    )


def columns_of(sent: pa.Schema) -> tuple[Column, ...]:
    """Columns as the wire types tell them; integer `_x`, `_y`, `_z` triples are one point."""
    columns: list[Column] = []
    points = {
        name.removesuffix("_x")
        for name in sent.names
        if name.endswith("_x") and all(_is_axis(sent, f"{name[:-1]}{axis}") for axis in AXES)
    }
    for field in sent:
        base = field.name[:-2]
        if base in points and field.name[-2:] in {f"_{axis}" for axis in AXES}:
            if field.name.endswith("_x"):
                columns.append(
                    Column(base, "point", "A point, in voxels of the table", unit="voxel", nullable=True)
                )
        else:
            what = "Not described in this release; typed as CAVE sends it"
            columns.append(Column(field.name, _kind_of(field), what, nullable=True))
    return tuple(columns)


def _require_tellable(table: str, fields: Sequence[str]) -> None:
    """Refuse names that SQL does not tell apart, or that would end a quoted name.

    Raises:
        SchemaDrift: the sentence.
    """
    way_out = "name the tables to take without it"
    if odd := [name for name in (table, *fields) if '"' in name or not name.isprintable()]:
        raise SchemaDrift(f"{table} has the name {odd[0]!r}, which cannot be used in SQL; {way_out}")
    first: dict[str, str] = {}
    for name in fields:
        if (other := first.setdefault(name.lower(), name)) != name:
            raise SchemaDrift(
                f"{table} has the columns {other} and {name}, which SQL does not tell apart; {way_out}"
            )


def resolved(table: Table, numerics: Callable[[str], tuple[bool, bool]]) -> Table:
    """The declaration with each `numeric` column as what its values are: BIGINT, DOUBLE, or DECIMAL.

    Args:
        table: the declaration.
        numerics: of a column, whether all values are whole numbers of 64 bits, and whether all are below 2^53.
    """

    def kind(column: Column) -> Column:
        if column.kind != "numeric":
            return column
        is_whole, is_small = numerics(column.name)
        return replace(column, kind="count" if is_whole else "double" if is_small else "numeric")

    return replace(table, columns=tuple(map(kind, table.columns)))


def _is_axis(sent: pa.Schema, name: str) -> bool:
    return name in sent.names and pa.types.is_integer(sent.field(name).type)


def _kind_of(field: pa.Field) -> Kind:
    kind = field.type
    if pa.types.is_integer(kind):
        return _integer_kind(field)
    if pa.types.is_floating(kind):
        return "double" if kind.bit_width == 64 else "float"
    if pa.types.is_decimal(kind):
        return "numeric"
    if pa.types.is_boolean(kind):
        return "bool"
    return "timestamp" if pa.types.is_timestamp(kind) else "text"


def _integer_kind(field: pa.Field) -> Kind:
    if field.name.endswith("supervoxel_id"):
        return "supervoxel_id"
    if field.name.endswith("root_id"):
        return "root_id"
    if field.name == "id" or field.name.endswith("_id"):
        return "id"
    return "integer" if field.type.bit_width <= 32 else "count"
