"""What Postgres exports: CSV without a header row, and a second file that names the columns and their types."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from warehouse.errors import SchemaDrift
from warehouse.registry.schema import AXES
from warehouse.storage.wkb import point_columns

Header: TypeAlias = Sequence[tuple[str, str]]
"""Column names with the types of Postgres, in the order of the data."""

GEOMETRY = "USER-DEFINED"
"""What Postgres calls the type of a column that an extension defines: here, points."""
NUMERIC = "numeric"
"""A number of any length: read as text and then exactly, to 18 digits behind the point."""
_TYPES = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "double precision": pa.float64(),
    "real": pa.float32(),
    NUMERIC: pa.decimal128(38, 18),
    "boolean": pa.bool_(),
    "character varying": pa.string(),
    "text": pa.string(),
    "timestamp without time zone": pa.timestamp("us"),
    GEOMETRY: pa.string(),
}
_ROWS_AT_ONCE = 8 << 20
"""Bytes of text that are parsed at once: some sixty thousand synapses."""


def parse_header(content: bytes, url: str) -> Header:
    """The columns that a header file names.

    Raises:
        SchemaDrift: it is not a list of names and types, or names a type that this release does not know.
    """
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(content.decode("utf-8-sig")))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SchemaDrift(f"{url} cannot be read ({error}); it should list columns with their types") from error
    columns = [(line[0], line[1]) for line in lines if len(line) > 1 and line[:2] != ["column_name", "data_type"]]
    if not columns or len(columns) < sum(1 for line in lines if line) - 1:
        raise SchemaDrift(f"{url} does not list columns with their types; name the tables to take without it")
    names = [name for name, _ in columns]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SchemaDrift(f"{url} names {', '.join(repeated)} twice; name the tables to take without it")
    for name, kind in columns:
        if kind not in _TYPES:
            raise SchemaDrift(
                f"{url} says that {name} is of type {kind}, which this release does not know; "
                "update microns-warehouse, or name the tables to take without it"
            )
    return columns


def dumped_schema(header: Header) -> pa.Schema:
    """The columns that the data have once points are taken apart."""
    fields: list[tuple[str, pa.DataType]] = []
    for name, kind in header:
        if kind == GEOMETRY:
            fields += [(f"{name}_{axis}", pa.int32()) for axis in AXES]
        else:
            fields.append((name, _TYPES[kind]))
    return pa.schema(fields)


def read_dump(stream: BinaryIO, header: Header, columns: Sequence[str], what: str) -> Iterator[pa.Table]:
    """The rows of a gzipped dump as they arrive, some thousands at a time, points taken apart.

    Args:
        stream: the compressed bytes; read once, from the first to the last.
        header: of the data.
        columns: those that are wanted, of `dumped_schema`; the others are not parsed.
        what: the file, for messages.

    Raises:
        SchemaDrift: a value is not of the type that the header says, or a row has another number of values.
    """
    points = [name for name, kind in header if kind == GEOMETRY and f"{name}_x" in columns]
    has_text = any(_TYPES[kind] == pa.string() and kind != GEOMETRY for _, kind in header)
    try:
        with (
            pa.CompressedInputStream(pa.PythonFile(stream, "r"), "gzip") as text,
            arrow_csv.open_csv(
                text,
                arrow_csv.ReadOptions(column_names=[name for name, _ in header], block_size=_ROWS_AT_ONCE),
                arrow_csv.ParseOptions(newlines_in_values=has_text),
                _conversion(header, [name for name, _ in header if name in {*columns, *points}]),
            ) as reader,
        ):
            for batch in reader:
                yield _exact(_taken_apart(pa.Table.from_batches([batch]), points), header)
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise SchemaDrift(f"{what} does not hold what its header says ({_first_line(error)})") from error


def _conversion(header: Header, wanted: Sequence[str]) -> arrow_csv.ConvertOptions:
    """As Postgres writes: an empty cell is NULL unless it is quoted, booleans are t and f."""
    return arrow_csv.ConvertOptions(
        column_types={name: pa.string() if kind == NUMERIC else _TYPES[kind] for name, kind in header},
        include_columns=wanted,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )


def _exact(rows: pa.Table, header: Header) -> pa.Table:
    """Numerics, which came as text, as decimals; NaN is NULL."""
    for name in (each for each, kind in header if kind == NUMERIC and each in rows.column_names):
        text = pc.replace_substring_regex(rows[name], r"(\.[0-9]{18})[0-9]+$", r"\1")
        text = pc.if_else(pc.equal(text, "NaN"), pa.scalar(None, pa.string()), text)
        # Arrow's cast would wrap without a word.
        if pc.any(pc.match_substring_regex(text, "^-?0*[1-9][0-9]{20}")).as_py():
            raise pa.ArrowInvalid(f"{name} has numbers of more than 20 digits before the point")
        rows = rows.set_column(rows.schema.get_field_index(name), name, text.cast(_TYPES[NUMERIC]))
    return rows


def _taken_apart(rows: pa.Table, points: Sequence[str]) -> pa.Table:
    for name in points:
        place = rows.schema.get_field_index(name)
        columns = point_columns(name, rows[name])
        rows = rows.remove_column(place)
        for offset, (axis, values) in enumerate(columns.items()):
            rows = rows.add_column(place + offset, axis, values)
    return rows


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
