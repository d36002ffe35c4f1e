"""Answers as bytes: Arrow streams with the metadata that pandas needs, or JSON records."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.serve.served import Kind

ARROW_TYPES = {
    Kind.BIG_INTEGER: pa.int64(),
    Kind.INTEGER: pa.int32(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.STRING: pa.string(),
    Kind.DATE_TIME: pa.timestamp("ns", tz="UTC"),
}
_PANDAS_NAMES = {
    pa.int64(): ("int64", "Int64", "int64"),
    pa.int32(): ("int32", "Int32", "int32"),
    pa.float32(): ("float32", "Float32", "float32"),
    pa.float64(): ("float64", "Float64", "float64"),
    pa.bool_(): ("bool", "boolean", "bool"),
    pa.string(): ("unicode", "string", "object"),
    pa.null(): ("empty", "object", "object"),
    pa.timestamp("ns", tz="UTC"): ("datetimetz", "datetime64[ns]", "datetime64[ns]"),
}


def typed(table: pa.Table, kinds: Mapping[str, Kind], *, faithful: bool, by_values: bool) -> pa.Table:
    """The result of a query in the types of the wire.

    Args:
        table: what the database returned; its floats have their final width.
        kinds: kind of each column.
        faithful: give a text column of an answer without rows the null type, as the real server does.
        by_values: give a column without any value the type of text, as the real server does for views.
    """
    columns = []
    for name, kind in kinds.items():
        column = table.column(name)
        if faithful and by_values and column.null_count == len(column):
            columns.append(pa.nulls(len(column), pa.string()))
        elif faithful and kind is Kind.STRING and not len(column):
            columns.append(pa.nulls(0))
        else:
            columns.append(column.cast(ARROW_TYPES.get(kind, column.type)))
    return pa.table(columns, names=list(kinds))


def mangled(table: pa.Table) -> pa.Table:
    """The result as old clients get it, by way of CSV: types guessed from what is there."""
    columns = [_guessed(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _guessed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return column
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "t", "f")
    if pa.types.is_integer(column.type):
        return column.cast(pa.float64() if column.null_count else pa.int64(), safe=False)
    return column.cast(pa.float64()) if pa.types.is_floating(column.type) else column


def pandas_metadata(schema: pa.Schema, rows: int, nullable: bool) -> dict[str, Any]:
    """The schema metadata from which a client's `read_pandas` takes its dtypes.

    Args:
        schema: the columns of the answer.
        rows: length of the index.
        nullable: whether columns become pandas' nullable dtypes.
    """
    columns = []
    for entry in schema:
        pandas_type, nullable_type, plain_type = _PANDAS_NAMES[entry.type]
        columns.append(
            {
                "name": entry.name,
                "field_name": entry.name,
                "pandas_type": pandas_type,
                "numpy_type": nullable_type if nullable else plain_type,
                "metadata": {"timezone": "UTC"} if pandas_type == "datetimetz" else None,
            }
        )
    index = {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object"}
    return {
        "index_columns": [{"kind": "range", "name": None, "start": 0, "stop": rows, "step": 1}],
        "column_indexes": [{**index, "metadata": {"encoding": "UTF-8"}}],
        "columns": columns,
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.3.0",
    }


def arrow_stream(table: pa.Table, nullable: bool, compression: str | None) -> bytes:
    """The table as one IPC stream with exactly one record batch, empty or not."""
    metadata = json.dumps(pandas_metadata(table.schema, table.num_rows, nullable))
    schema = table.schema.with_metadata({"pandas": metadata})
    arrays = [
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.array([], column.type)
        for column in table.columns
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def json_records(table: pa.Table) -> bytes:
    """The table as JSON records: times as milliseconds, floats with ten decimals."""
    columns = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ms", tz="UTC"), safe=False).cast(pa.int64())
        elif pa.types.is_floating(column.type):
            column = pc.round(column.cast(pa.float64()), 10)
        columns.append(column)
    records = pa.table(columns, names=table.column_names).to_pylist()
    return json.dumps(records, separators=(",", ":")).encode()


def buffer_compression(accept_encoding: str) -> str | None:
    """The compression inside the Arrow stream that a client asks for by its Accept-Encoding."""
    return next((name for name in ("zstd", "lz4") if name in accept_encoding), None)


def encoded(content: bytes, accept_encoding: str) -> tuple[bytes, dict[str, str]]:
    """The content, as gzip where the client accepts it, and the headers that say so."""
    if "gzip" not in accept_encoding:
        return content, {}
    return gzip.compress(content, compresslevel=6, mtime=0), {
        "Content-Encoding": "gzip",
        "Vary": "Accept-Encoding",
    }
