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
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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


def encode(encoding: Encoding, rows: pa.Table) -> pa.Table:
    """Rows with their logical columns turned into stored ones."""
    offsets = offsets_of(encoding)
    stored = {
        (offset[0] if (offset := offsets.get(name)) else name): (
            pc.subtract(rows[name], rows[offset[1]]) if offset else rows[name]
        )
        for name in rows.column_names
    }
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
        "data_page_version": "2.0",
        "use_dictionary": [field.name for field in schema if pa.types.is_string(field.type)],
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    }


def decode_sql(encoding: Encoding, columns: Iterable[str]) -> str:
    """The select list that turns stored columns, of rows called `s`, into logical ones.

    Without the `s`, DuckDB 2.0.1 takes a column for the parameter of that name of a macro (`common_inputs(a, b)`).
    """
    offsets = offsets_of(encoding)
    return ", ".join(
        f"s.{quoted(offset[1])} + s.{quoted(offset[0])} AS {quoted(name)}"
        if (offset := offsets.get(name))
        else f"s.{quoted(name)}"
        for name in columns
    )


def encode_sql(encoding: Encoding, columns: Iterable[str]) -> str:
    """The select list that turns logical columns into stored ones: the inverse of `decode_sql`."""
    offsets = offsets_of(encoding)
    return ", ".join(
        f"{quoted(name)} - {quoted(offset[1])} AS {quoted(offset[0])}"
        if (offset := offsets.get(name))
        else quoted(name)
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
    return [path_sql(number, str(path.parent if _is_bucket(path) else path)) for number, path in paths]


def in_buckets(entry: TableEntry) -> bool:
    """Whether the files of a table lie in buckets."""
    return bool(entry.files) and _is_bucket(PurePosixPath(entry.files[0].path).parent)


def _is_bucket(folder: PurePosixPath) -> bool:
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
