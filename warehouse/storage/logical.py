"""From the rows of CAVE's database to the rows that a snapshot holds: the one place where the mapping is written.

CAVE's database keeps rows that it never serves, floats that it rounds on the wire, and annotations without a row
in the segmentation table. What arrives at a user is the *logical* table:

- only rows with `valid = true`;
- NaN and NULL are both null;
- double precision becomes float32, as the API serves it;
- the cleft `size`, a double in the database, is integral and becomes int64;
- an annotation without a segmentation row has supervoxel 1 and root 1 (0 means: outside the segmentation);
- only the columns that the registry keeps, in its types, sorted by the registry's order.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import SchemaDrift
from warehouse.registry.schema import Column, Table

NO_SEGMENTATION_ROW = 1
"""The supervoxel and root id that CAVE serves for an annotation that was never looked up in the segmentation."""


def logical_rows(table: Table, rows: pa.Table) -> pa.Table:
    """The rows that a snapshot of `table` holds, given the rows of CAVE's database, in the registry's order.

    Args:
        table: the declaration of the table.
        rows: database rows, points split into three columns; columns that the registry does not keep are allowed.

    Raises:
        SchemaDrift: a declared column is absent, or its values do not fit the declared type.
    """
    return unordered_rows(table, rows).sort_by([(name, "ascending") for name in table.sort_by])


def unordered_rows(table: Table, rows: pa.Table) -> pa.Table:
    """As `logical_rows`, in the order in which the rows come."""
    if missing := [name for name in table.arrow_schema.names if name not in rows.column_names]:
        raise SchemaDrift(f"{table.name} lacks the columns {', '.join(missing)}; compare it with the registry")
    if "valid" in rows.column_names:
        rows = rows.filter(pc.fill_null(rows["valid"], False))
    columns = [_logical_column(table, field, rows[field.name]) for field in table.arrow_schema]
    return pa.table(columns, schema=table.arrow_schema)


def _logical_column(table: Table, field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    column = table.column_of(field.name)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if _is_segmentation(table, column):
        values = pc.fill_null(values.cast(pa.int64()), NO_SEGMENTATION_ROW)
    return cast_to_declared(values, field, f"{table.name}.{field.name}")


def cast_to_declared(values: pa.ChunkedArray, field: pa.Field, what: str) -> pa.ChunkedArray:
    """Values in their declared type; only the rounding of floats may lose digits.

    Args:
        values: as they came.
        field: the declared column.
        what: whose values they are, for the error.

    Raises:
        SchemaDrift: a value does not fit: a fraction in an integer, an overflow, a cut timestamp.
    """
    try:
        cast = values.cast(field.type, safe=not pa.types.is_floating(field.type))
        # A cast to decimals wraps without a word.
        if pa.types.is_decimal(field.type) and not cast.cast(pa.float64()).equals(values.cast(pa.float64())):
            raise pa.ArrowInvalid("a number has more than 20 digits before the point")
        return cast
    except pa.ArrowInvalid as error:
        raise SchemaDrift(
            f"{what} holds what {field.type} cannot ({error}); "
            "update microns-warehouse, or name the tables to take without it"
        ) from error


def _is_segmentation(table: Table, column: Column) -> bool:
    """Whether the column comes from the segmentation table: the root or supervoxel under a bound point."""
    if table.kind == "view" or column.name == "valid_id":
        return False
    return column.kind in ("root_id", "supervoxel_id")
