"""Writing a table's rows as Parquet, and reading them back before anything is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import SnapshotDamaged
from warehouse.registry.schema import Table
from warehouse.storage.disk import disk_errors
from warehouse.storage.encoding import PLAIN, surface_type
from warehouse.storage.manifest import DataFile, TableEntry, sha256_of
from warehouse.storage.paths import FILE, cave_path
from warehouse.storage.quoting import literals, quoted

PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1"
_BITS = 1_000_000_000
"""Widest range of ids whose distinctness is counted in a bitmap (DuckDB's limit)."""


def write_table(
    directory: Path,
    table: Table,
    rows: pa.Table | Sequence[Path],
    *,
    con: duckdb.DuckDBPyConnection | None = None,
    **metadata: Any,
) -> TableEntry:
    """Write a table as `cave/<name>/part-0.parquet`, sorted, and read it back.

    Args:
        directory: the version's folder, being put together.
        table: the declaration; its `arrow_schema` is what `rows` holds.
        rows: the rows, or the Parquet files that hold them, in any order.
        con: a connection that is open already: to start one takes longer than to write a small table.
        **metadata: further fields of the `TableEntry` (source, url, scope, ...).

    Raises:
        SnapshotDamaged: the rows have a key twice.
        WarehouseError: the disk is full.
    """
    target = directory / cave_path(table.name) / FILE
    with disk_errors(target), nullcontext(con) if con else scratch_connection(directory) as con:
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(rows, pa.Table):
            con.register("parts", rows)
        else:
            con.execute(f"CREATE OR REPLACE TEMP VIEW parts AS FROM read_parquet([{literals(rows)}])")
        # Parts that an earlier release fetched may hold 32 bits.
        types = _stored_types(table)
        columns = ", ".join(f"{quoted(name)}::{kind} AS {quoted(name)}" for name, kind in types.items())
        order = ", ".join(map(quoted, _order(table)))
        con.execute(f"COPY (SELECT {columns} FROM parts ORDER BY {order}) TO {literals([target])} ({PARQUET})")
        return entry_of(directory, table, [file_of(directory, table, target)], con=con, encoding=PLAIN, **metadata)


def entry_of(
    directory: Path,
    table: Table,
    files: Sequence[DataFile],
    *,
    con: duckdb.DuckDBPyConnection | None = None,
    **fields: Any,
) -> TableEntry:
    """What the manifest says of a table whose files were written and read back.

    Args:
        directory: the version's folder, being put together.
        table: the declaration.
        files: the table's files, in the order of their rows, as `file_of` describes them.
        con: a connection that is open already.
        **fields: further fields of the `TableEntry`.

    Raises:
        SnapshotDamaged: a key occurs twice.
    """
    rows = sum(file.rows for file in files)
    if not (len(files) == 1 and _is_sorted_by_key(table)):  # else its rows were just seen to ascend by the key
        paths = literals([directory / file.path for file in files])
        with nullcontext(con) if con else scratch_connection(directory) as con:
            require_unique(con, table, f"FROM read_parquet([{paths}], hive_partitioning = false)", rows)
    defaults = {"source": "", "url": "", "scope": "all", "schema_type": table.schema_type, "fetched": now()}
    return TableEntry(columns=duckdb_columns(table), rows=rows, files=list(files), **(defaults | fields))


def file_of(directory: Path, table: Table, path: Path) -> DataFile:
    """What the manifest says of one of a table's files, which is read back.

    Args:
        directory: the version's folder, being put together.
        table: the declaration.
        path: the file.

    Raises:
        SnapshotDamaged: it is out of order.
    """
    return read_back(directory, path, _order(table), f"table {table.name}")


def now() -> str:
    """This moment, UTC, as manifests write it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def read_back(directory: Path, path: Path, keys: Sequence[str], what: str, *, unique: bool = True) -> DataFile:
    """Describe a written file, having seen that its rows ascend.

    Args:
        directory: the version's folder.
        path: the file.
        keys: the columns by which rows ascend.
        what: whose rows they are, for the error.
        unique: whether no two rows may have the same keys.

    Raises:
        SnapshotDamaged: a row does not come after the one before it.
    """
    first: Any = None
    last: tuple[Any, ...] = ()
    rows = 0
    for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(columns=keys):
        columns = [batch.column(name) for name in keys]
        if batch.num_rows and not _ascends(columns, last, unique):
            raise SnapshotDamaged(
                f"{what} has the same {', '.join(keys)} twice, or is out of order, in {path}; "
                "run the same microns snapshot command again"
            )
        if batch.num_rows:
            first = columns[0][0].as_py() if rows == 0 else first
            last = tuple(column[-1].as_py() for column in columns)
        rows += batch.num_rows
    return DataFile(
        path=path.relative_to(directory).as_posix(),
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        rows=rows,
        min=first,
        max=last[0] if last else None,
    )


def _ascends(columns: Sequence[pa.Array], last: tuple[Any, ...], strictly: bool) -> bool:
    """Whether rows ascend by `columns`, and come after `last`."""
    if any(pa.types.is_string(column.type) for column in columns):
        return True  # text sorts differently in every library; the keys of such tables are checked as a whole
    arrays = [column.to_numpy(zero_copy_only=False) for column in columns]
    ascends = np.full(len(arrays[0]) - 1, not strictly)
    for array in reversed(arrays):
        ascends = (array[1:] > array[:-1]) | ((array[1:] == array[:-1]) & ascends)
    head = tuple(array[0] for array in arrays)
    return bool(ascends.all()) and (not last or head > last or (head == last and not strictly))


def require_unique(con: duckdb.DuckDBPyConnection, table: Table, source: str, rows: int) -> None:
    """Refuse rows (`FROM ...`) in which a key occurs twice.

    Raises:
        SnapshotDamaged: there are not as many keys as rows.
    """
    keys = ", ".join(map(quoted, table.key))
    count = f"SELECT count(*) FROM (SELECT DISTINCT {keys} {source})"
    if len(table.key) == 1 and pa.types.is_integer(table.arrow_schema.field(table.key[0]).type):
        low, high = con.execute(f"SELECT min({keys}), max({keys}) {source}").fetchall()[0]
        if rows and high - low < _BITS:  # ten times as fast as DISTINCT, and in a bit for each id
            count = f"SELECT bit_count(bitstring_agg({keys}, {low}, {high})) {source}"
    ((distinct,),) = con.execute(count).fetchall()
    if distinct != rows:
        raise SnapshotDamaged(
            f"table {table.name} has {rows:,} rows but {distinct:,} different {', '.join(table.key)}; "
            "run the same microns snapshot command again"
        )


def _is_sorted_by_key(table: Table) -> bool:
    """Whether rows that ascend as they should have no key twice; text does not count, see `_ascends`."""
    has_text = any(pa.types.is_string(table.arrow_schema.field(name).type) for name in table.key)
    return set(_order(table)) == set(table.key) and not has_text


def duckdb_columns(table: Table) -> dict[str, str]:
    """Logical column name to DuckDB type, in order."""
    return {name: surface_type(name, kind) for name, kind in _stored_types(table).items()}


def _stored_types(table: Table) -> dict[str, str]:
    empty = duckdb.from_arrow(table.arrow_schema.empty_table())
    return dict(zip(empty.columns, map(str, empty.types), strict=True))


def _order(table: Table) -> list[str]:
    return list(dict.fromkeys((*table.sort_by, *table.key)))


@contextmanager
def scratch_connection(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection that spills beside the files it writes, and leaves nothing behind."""
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory, prefix=".spill-") as spill, duckdb.connect() as con:
        con.execute("SET temp_directory = ?", [spill])
        # In a notebook without ipywidgets it is off, and to set it at all is an error.
        if con.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
            con.execute("SET enable_progress_bar = false")
        yield con
