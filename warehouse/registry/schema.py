"""The words the table registry is written in: columns, their kinds, and tables.

A column's *kind* is what it means (a root id, a point in voxels, a category), not how it is stored. Arrow and
DuckDB types, select lists, comments, checks and synthetic data all derive from the kind, once, here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Kind = Literal[
    "id",  # an annotation's own id, or the id of the annotation it refers to
    "root_id",  # a segment of one materialization version; changes with every edit
    "supervoxel_id",  # the smallest unit of the segmentation; never changes
    "point",  # three integer voxel coordinates, columns NAME_x, NAME_y, NAME_z
    "integer",  # CAVE's database keeps it in 32 bits
    "count",  # CAVE's database keeps it in 64 bits
    "float",  # of a table: CAVE's API rounds it to 32 bits
    "double",  # not rounded: of a view of CAVE, or of a table that is not declared
    "numeric",  # any number of an undeclared table, exact; what it holds decides how it is stored
    "bool",
    "text",
    "category",  # text out of a known set (`values`), which may grow
    "timestamp",  # UTC, without a time zone, microseconds
]

ARROW_TYPES: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "root_id": pa.int64(),
    "supervoxel_id": pa.int64(),
    # polars and numpy wrap 32-bit sums without a word, so no integer is narrower than 64 bits.
    "point": pa.int64(),
    "integer": pa.int64(),
    "count": pa.int64(),
    # CAVE's API serves 32-bit floats although its database holds doubles; archives are cast to match.
    "float": pa.float32(),
    "double": pa.float64(),
    "numeric": pa.decimal128(38, 18),
    "bool": pa.bool_(),
    "text": pa.string(),
    "category": pa.string(),
    "timestamp": pa.timestamp("us"),
}

Role = Literal[
    "nucleus", "lookup", "cell type", "correction", "proofreading", "synapse", "connection",
    "coregistration", "function", "area", "compartment", "morphology", "summary",
]  # fmt: skip

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Column:
    """One column of a CAVE table, under CAVE's name.

    Attributes:
        name: CAVE's name, verbatim.
        kind: what the values are.
        description: what they mean, for a neuroscience student.
        unit: the physical unit, or "" where there is none.
        values: the known values of a category.
        nullable: whether an empty cell is legitimate.
        stored: False for columns that CAVE serves and the warehouse does not keep.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    values: tuple[str, ...] = ()
    nullable: bool = False
    stored: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the stored columns: three for a point, else one."""
        return tuple(f"{self.name}_{axis}" for axis in AXES) if self.kind == "point" else (self.name,)

    @property
    def arrow_type(self) -> pa.DataType:
        """The stored type of each of `fields`."""
        return ARROW_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One table or view of CAVE, declared once.

    Attributes:
        name: CAVE's name, verbatim.
        schema_type: the name of CAVE's annotation schema ("view" for CAVE's views).
        description: what a row is, for a neuroscience student.
        columns: in the order CAVE serves them.
        key: columns whose values identify a row.
        reference: the table that `target_id` refers to, or "".
        role: what the table is about.
        since, until: first version that had it, first that had it no more. A hint: the server's list decides.
        kind: "table", or "view" for what CAVE computes when asked, or "archive" for files that only the
            public archive holds, or "skeleton" for what CAVE's skeleton service gives cell by cell.
        sort_by: the order of rows on disk.
        warnings: what makes people get this table wrong.
        citation: keys into `warehouse.registry.citations`.
    """

    name: str
    schema_type: str
    description: str
    columns: tuple[Column, ...]
    role: Role
    key: tuple[str, ...] = ("id",)
    reference: str = ""
    since: int | None = None
    until: int | None = None
    kind: Literal["table", "view", "archive", "skeleton"] = "table"
    sort_by: tuple[str, ...] = ("id",)
    warnings: tuple[str, ...] = ()
    citation: tuple[str, ...] = ("microns2025", "cave2025")

    def __post_init__(self) -> None:
        names = [field for column in self.columns for field in column.fields]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"table {self.name} declares {sorted(repeated)} more than once")
        if missing := (set(self.key) | set(self.sort_by)) - set(names):
            raise ValueError(f"table {self.name} has no column {sorted(missing)} for its key or order")
        if undescribed := [column.name for column in self.columns if not column.description]:
            raise ValueError(f"table {self.name} says nothing about {undescribed}")

    @property
    def order(self) -> str:
        """What `microns snapshot VERSION` must be given to fetch it."""
        return "--skeletons proofread" if self.kind == "skeleton" else self.name

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that a snapshot keeps."""
        return tuple(column for column in self.columns if column.stored)

    @property
    def arrow_schema(self) -> pa.Schema:
        """What a snapshot's Parquet files hold, points split into three columns."""
        return pa.schema([(field, kind) for field, _, kind in self._fields()])

    def column_of(self, field: str) -> Column:
        """The declared column behind a stored one (`pt_position_x` gives `pt_position`)."""
        return next(column for name, column, _ in self._fields() if name == field)

    def _fields(self) -> Iterator[tuple[str, Column, pa.DataType]]:
        for column in self.stored_columns:
            for field in column.fields:
                yield field, column, column.arrow_type
