"""How rows lie in Parquet files, and the one way back to CAVE's columns.

Most tables are stored as they are (`plain-1`). Synapses are stored as `offset-1`: the positions of the two sides
are kept as differences to the centre of the cleft, and the postsynaptic supervoxel as the difference to the
presynaptic one. The points of a synapse are some hundred nanometres apart and mostly in one chunk of the
segmentation, so the differences are small numbers, which take a fraction of the bytes.

Every reader (the DuckDB views, polars) goes through this module. Large tables lie in buckets of their first sort
column, one folder `b=N` each, so that a look-up by that column opens one file.

The synapses of a further version may be stored as what differs from another one's: its rows without those of roots
that were retired since, and the rows that took their place, in buckets of
their own (see `warehouse.versions.store_difference`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.errors import SchemaDrift
from warehouse.registry.schema import AXES
from warehouse.storage.manifest import Base, DataFile, Encoding, TableEntry
from warehouse.storage.paths import FILE
from warehouse.storage.quoting import quoted, text_literal

PLAIN: Encoding = "plain-1"
OFFSET: Encoding = "offset-1"

DELTA_BUCKETS = 500
"""From this number on, buckets hold what a version stores as the difference to another one."""
_TOGETHER = 8
"""So many of the base's buckets are one of the difference: a look-up plans over every file."""

_SUPERVOXEL_OFFSET = "post_pt_supervoxel_offset"
_OFFSETS = {
    f"{side}_pt_position_{axis}": (f"{side}_pt_offset_{axis}", f"ctr_pt_position_{axis}")
    for side in ("pre", "post")
    for axis in AXES
} | {"post_pt_supervoxel_id": (_SUPERVOXEL_OFFSET, "pre_pt_supervoxel_id")}
_ENCODINGS: Mapping[Encoding, Mapping[str, tuple[str, str]]] = {PLAIN: {}, OFFSET: _OFFSETS}
"""Encoding id -> logical column -> (stored difference, the column it is a difference to)."""

_IN_32_BITS = {stored for stored, _ in _OFFSETS.values() if stored != _SUPERVOXEL_OFFSET} | {
    "size", *(f"ctr_pt_position_{axis}" for axis in AXES)
}  # fmt: skip
"""Stored columns of `offset-1` with 32 bits: a bucket is sorted in memory, and with 64
bits it would take half as much again."""
_LENGTHS = ("_nm", "_um")
"""How columns end that hold a length."""
_NARROW = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
_NUMBERS = (*_NARROW, "BIGINT", "FLOAT")


def encode(encoding: Encoding, rows: pa.Table) -> pa.Table:
    """Rows with their logical columns turned into stored ones.

    Raises:
        SchemaDrift: a position or size does not fit into 32 bits.
    """
    offsets = offsets_of(encoding)
    stored: dict[str, pa.ChunkedArray] = {}
    for name in rows.column_names:
        offset = offsets.get(name)
        values = pc.subtract(rows[name], rows[offset[1]]) if offset else rows[name]
        stored[offset[0] if offset else name] = values
    for name in stored.keys() & (_IN_32_BITS if offsets else set()):
        try:
            stored[name] = stored[name].cast(pa.int32())
        except pa.ArrowInvalid as error:
            raise SchemaDrift(
                f"{name} of a synapse is beyond what is stored ({error}); leave the table of synapses out, and "
                "please report this"
            ) from error
    return pa.table(stored)


def encoding_for(columns: Iterable[str]) -> Encoding:
    """The encoding that rows with these logical columns are stored in."""
    return OFFSET if set(_OFFSETS) <= set(columns) else PLAIN


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """How pyarrow should write stored columns.

    Sorted ids, positions and supervoxels differ little from row to row, so their deltas take half the bytes. Most
    differences of supervoxels are small too, but one in five is wide, which would widen all deltas around it.
    """
    integers = {field.name for field in schema if pa.types.is_integer(field.type)} - {_SUPERVOXEL_OFFSET}
    return {
        "compression": "zstd",
        "compression_level": 1,
        "write_page_checksum": True,
        "data_page_version": "2.0",
        "use_dictionary": [field.name for field in schema if pa.types.is_string(field.type)],
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    }


def decode_sql(encoding: Encoding, columns: Mapping[str, str]) -> str:
    """The select list that turns stored columns, of rows called `s`, into logical ones.

    Without the `s`, DuckDB 2.0.1 takes a column for the parameter of that name of a macro (`common_inputs(a, b)`).

    Args:
        encoding: of the rows.
        columns: logical column to the DuckDB type that the manifest gives.
    """
    offsets = offsets_of(encoding)
    items = []
    for name, kind in columns.items():
        cast = f"::{shown}" if (shown := cast_to(encoding, name, kind)) else ""
        if offset := offsets.get(name):
            items.append(f's."{offset[1]}"::BIGINT + s."{offset[0]}" AS "{name}"')
        else:
            items.append(f"s.{quoted(name)}{cast}{f' AS {quoted(name)}' if cast else ''}")
    return ", ".join(items)


def cast_to(encoding: Encoding, name: str, kind: str) -> str | None:
    """The DuckDB type that a stored column is to be cast to; None where its file has it already.

    Args:
        encoding: of the rows.
        name: the column.
        kind: the DuckDB type that the manifest gives; an earlier release wrote INTEGER.
    """
    shown = surface_type(name, kind)
    is_narrow = encoding == OFFSET and name in _IN_32_BITS
    return shown if shown != kind or is_narrow or name.endswith(_LENGTHS) else None


def surface_type(name: str, kind: str) -> str:
    """The DuckDB type in which users see a column, whatever its file or an expression has.

    Integers have 64 bits, because polars and numpy wrap sums of 32 bits; lengths are DOUBLE, because they are
    squared.
    """
    if name.endswith(_LENGTHS) and kind in _NUMBERS:
        return "DOUBLE"
    return "BIGINT" if kind in _NARROW else kind


def encode_sql(encoding: Encoding, columns: Iterable[str]) -> str:
    """The select list that turns logical columns into stored ones: the inverse of `decode_sql`."""
    offsets = offsets_of(encoding)
    return ", ".join(
        f'"{name}" - "{offset[1]}" AS "{offset[0]}"' if (offset := offsets.get(name)) else quoted(name)
        for name in columns
    )


def delta_bucket(bucket: int) -> int:
    """The bucket of a difference that takes rows of a bucket of the base."""
    return DELTA_BUCKETS + bucket // _TOGETHER


def ranges(bounds: Sequence[int]) -> list[tuple[int, int]]:
    """For each bucket the first root that it may hold, and the first that it may not."""
    return list(pairwise([0, *bounds, 2**63 - 1]))


def buckets_sql(bucket: str, base: Base | None) -> str:
    """The buckets, as a list in SQL, that hold rows of one bucket, which is given as an expression."""
    return f"[{bucket}, {DELTA_BUCKETS} + ({bucket}) // {_TOGETHER}]" if base else f"[{bucket}]"


def rows_schema_of(version: int) -> str:
    """In a bundle, the schema of the tables that hold a version's rows."""
    return f"v{version}_rows"


def logical_select(version: int, entry: TableEntry) -> str:
    """The SELECT that reads a table of a version as CAVE names it, for a view in microns.duckdb.

    Args:
        version: the materialization version, which names the folder.
        entry: the table in that version's manifest.
    """
    columns = decode_sql(entry.encoding, entry.columns)
    if entry.table:
        return f"SELECT {columns} FROM {rows_schema_of(version)}.{quoted(entry.table)} AS s"
    removed = ""
    for file, key, column in removed_lists(entry.base) if entry.base else ():
        value = f"s.{column}" if key == "root" else f"CASE WHEN s.b < {DELTA_BUCKETS} THEN s.id END"
        removed += f" ANTI JOIN (FROM {_listed(version, file)}) AS no_{column} ON no_{column}.{key} = {value}"
    return f"SELECT {columns} FROM {parquet_source(folders(version, entry), in_buckets(entry))} AS s{removed}"


def is_live_sql(version: int, base: Base) -> str:
    """Whether a row that was found by one side is the version's: a condition on `other_root`, `id` and `b`."""
    conditions = [f"other_root NOT IN (FROM {_listed(version, file)})" for file in base.retired]
    conditions += [f"(b >= {DELTA_BUCKETS} OR id NOT IN (FROM {_listed(version, file)}))" for file in base.dead]
    return " AND ".join(conditions) or "TRUE"


def _listed(version: int, file: DataFile) -> str:
    return f"read_parquet({path_sql(version, file.path)})"


def path_sql(version: int, path: str) -> str:
    """A path in a version's folder, as an expression in SQL."""
    return f"main._path({text_literal(f'v{version}/{path}')})"


def folders(version: int, entry: TableEntry) -> list[str]:
    """The folders that hold the rows of a table, or the folders of its buckets, as expressions in SQL."""
    parts = [(entry.base.version, entry.base.files)] if entry.base else []
    paths = [(number, PurePosixPath(files[0].path).parent) for number, files in (*parts, (version, entry.files))]
    return [path_sql(number, str(path.parent if is_bucket(path) else path)) for number, path in paths]


def in_buckets(entry: TableEntry) -> bool:
    """Whether the files of a table lie in buckets."""
    return bool(entry.files) and is_bucket(PurePosixPath(entry.files[0].path).parent)


def is_bucket(folder: PurePath) -> bool:
    """Whether a folder is one of the buckets of a table."""
    return folder.name.startswith("b=")


def parquet_source(folders: Sequence[str], in_buckets: bool) -> str:
    """What follows FROM to read the one file of each folder, which is given as an expression in SQL.

    In buckets there is one file in each folder of a bucket, and rows have its number as `b`. Files are named: to
    look what files there are in each of a hundred folders takes as long as to look a cell up in one of them.
    """
    paths = ", ".join(f"{folder} || '{'/*' if in_buckets else ''}/{FILE}'" for folder in folders)
    options = ", hive_partitioning = true, hive_types = {b: INTEGER}" if in_buckets else ""
    return f"read_parquet({f'[{paths}]' if len(folders) > 1 else paths}{options})"


def removed_lists(base: Base) -> list[tuple[DataFile, str, str]]:
    """The lists of what is no longer valid of a base: file, its column, the column of the table it is about."""
    roots = [(file, "root", side) for file in base.retired for side in ("pre_pt_root_id", "post_pt_root_id")]
    return roots + [(file, "id", "id") for file in base.dead]


def removed_rows(folder: Path, base: Base, rows: pa.Table) -> pa.Array:
    """Which rows of the base are not in the version.

    Args:
        folder: the published folder of the version.
        base: what its manifest says of the base.
        rows: of the base, with ids and roots.
    """
    removed = pa.array(np.zeros(rows.num_rows, dtype=bool))
    for file, key, column in removed_lists(base):
        listed = pq.ParquetFile(folder / file.path).read()[key]
        removed = pc.or_(removed, pc.is_in(rows[column].combine_chunks(), value_set=listed))
    return removed


def offsets_of(encoding: Encoding) -> Mapping[str, tuple[str, str]]:
    """The columns that are stored as differences: logical column to stored one and the column it is added to."""
    return _ENCODINGS[encoding]
