"""Writing tables into a version's folder, and publishing the folder.

A version is put together in a folder of its own and published in one step; a reader sees all of it or none.
What is asserted is what was written: every file is read back before the manifest speaks of it.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.encoding import OFFSET, PLAIN, encode_sql
from warehouse.errors import FolderBusy, SnapshotDamaged, WarehouseError
from warehouse.layout import Folder, cave_path, model_path
from warehouse.manifest import DataFile, Manifest, TableEntry, read_manifest, sha256_of
from warehouse.schema import Table

ROWS_PER_BUCKET = 1_300_000
"""About 40 MB a file: one look-up opens one, and a full table has some 256."""
_FEWEST_BUCKETS = 4
"""Small volumes have buckets too, so that nothing is special about them."""
_MOST_BUCKETS = 256
_PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1"
_SWAP = ".swap"


def write_table(directory: Path, table: Table, rows: pa.Table | Sequence[Path], **metadata: Any) -> TableEntry:
    """Write a table as `cave/<name>/part-0.parquet`, sorted, and read it back.

    Args:
        directory: the version's folder, being put together.
        table: the declaration; its `arrow_schema` is what `rows` holds.
        rows: the rows, or the Parquet files that hold them, in any order.
        **metadata: further fields of the `TableEntry` (source, url, scope, ...).

    Raises:
        SnapshotDamaged: the rows have a key twice.
        WarehouseError: the disk is full.
    """
    target = directory / cave_path(table.name) / "part-0.parquet"
    with _engine(directory) as con, _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _offer(con, rows)
        columns = ", ".join(f'"{name}"' for name in table.arrow_schema.names)
        con.execute(f"COPY (SELECT {columns} FROM parts {_order(table)}) TO '{_quoted(target)}' ({_PARQUET})")
    files = [_describe(directory, target, table)]
    return _entry(directory, table, files, PLAIN, [], metadata)


def cluster_synapses(
    directory: Path, table: Table, rows: pa.Table | Sequence[Path], *, memory: str | None = None, **metadata: Any
) -> TableEntry:
    """Write a synapse table as `model/synapses/b=N/part-0.parquet`: in buckets of the postsynaptic root, sorted.

    Args:
        directory: the version's folder, being put together.
        table: the declaration of the synapse table.
        rows: the rows, or the Parquet files that hold them, in any order.
        memory: upper bound for the sort, in DuckDB's words ("4GB").
        **metadata: further fields of the `TableEntry`.

    Raises:
        SnapshotDamaged: a synapse id occurs twice.
        WarehouseError: the disk is full.
    """
    target = directory / model_path("synapses")
    names = table.arrow_schema.names
    with _engine(directory, memory) as con, _disk_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        _offer(con, rows)
        bounds = _bucket_bounds(con, table.sort_by[0])
        bucket = " + ".join(f"({table.sort_by[0]} >= {bound})::INTEGER" for bound in bounds)
        # With more threads the rows of a file come nearly sorted, not sorted.
        con.execute("SET threads = 1")
        con.execute(
            f"COPY (SELECT {encode_sql(OFFSET, names)}, {bucket} AS b FROM parts {_order(table)}) "
            f"TO '{_quoted(target)}' ({_PARQUET}, PARTITION_BY (b), FILENAME_PATTERN 'part-{{i}}')"
        )
        if not any(target.iterdir()):  # no rows: readers still need a file that names the columns
            (target / "b=0").mkdir()
            empty = _quoted(target / "b=0" / "part-0.parquet")
            con.execute(f"COPY (SELECT {encode_sql(OFFSET, names)} FROM parts) TO '{empty}' ({_PARQUET})")
    files = [_describe(directory, path, table) for path in sorted(target.glob("*/*.parquet"), key=_bucket_number)]
    return _entry(directory, table, files, OFFSET, bounds, metadata)


def publish(folder: Folder, assembled: Path, manifest: Manifest) -> Path:
    """Make a version visible, or replace tables of a visible one; returns its folder.

    The first time this is one rename. Later, the new tables and the new manifest first move into the version's
    folder as a whole; from that moment `finish_publishing` can always complete the swap, also after a crash.

    Args:
        folder: the datastack's folder.
        assembled: a folder with `cave/`, `model/`: the tables of `manifest` that are new. It is moved away.
        manifest: of the version as it will be, new tables and old.

    Raises:
        FolderBusy: another program holds a file that must be replaced (Windows).
    """
    published = folder.version(manifest.version)
    manifest = replace(manifest, published=_now())
    manifest.write(assembled / "manifest.json")
    try:
        if not folder.manifest(manifest.version).exists():
            assembled.rename(published)
        else:
            finish_publishing(folder, manifest.version)
            assembled.rename(published / _SWAP)
            finish_publishing(folder, manifest.version)
    except PermissionError as error:
        raise FolderBusy(
            f"{published} is in use by another program ({error.filename}); close it and run the same command again"
        ) from error
    return published


def finish_publishing(folder: Folder, version: int) -> None:
    """Complete a swap of tables that was interrupted; does nothing when there is none."""
    published, swap = folder.version(version), folder.version(version) / _SWAP
    if not (swap / "manifest.json").exists():
        return
    for new in sorted(path for kind in ("cave", "model") for path in (swap / kind).glob("*")):
        old = published / new.relative_to(swap)
        old.parent.mkdir(exist_ok=True)
        if old.exists():
            shutil.rmtree(old)
        new.rename(old)
    (swap / "manifest.json").replace(folder.manifest(version))
    shutil.rmtree(swap)
    _remove_unlisted(published, read_manifest(folder.manifest(version)))


def _remove_unlisted(published: Path, manifest: Manifest) -> None:
    listed = {published / file.path for entry in manifest.tables.values() for file in entry.files}
    for path in published.glob("*/**/*.parquet"):
        if path not in listed:
            path.unlink()


def _offer(con: duckdb.DuckDBPyConnection, rows: pa.Table | Sequence[Path]) -> None:
    """Make the rows known to the engine as `parts`."""
    if isinstance(rows, pa.Table):
        con.register("parts", rows)
    else:
        files = ", ".join(f"'{_quoted(path)}'" for path in rows)
        con.execute(f"CREATE VIEW parts AS FROM read_parquet([{files}])")


def _bucket_bounds(con: duckdb.DuckDBPyConnection, column: str) -> list[int]:
    """Lower bounds of buckets 1, 2, ...: exact quantiles, so that the same rows always give the same files."""
    (total,) = con.execute("SELECT count(*) FROM parts").fetchone() or (0,)
    buckets = min(_MOST_BUCKETS, max(_FEWEST_BUCKETS, -(-total // ROWS_PER_BUCKET)))
    shares = [step / buckets for step in range(1, buckets)]
    (bounds,) = con.execute(f"SELECT quantile_disc({column}, {shares}) FROM parts").fetchone() or ([],)
    return sorted(set(bounds or [0]))


def _describe(directory: Path, path: Path, table: Table) -> DataFile:
    """Read a written file back: its rows must be in order and its keys unique."""
    keys = list(dict.fromkeys((*table.sort_by, *table.key)))
    first: Any = None
    last: tuple[Any, ...] | None = None
    rows = 0
    for batch in pq.ParquetFile(path).iter_batches(columns=keys):
        if not batch.num_rows:
            continue
        if not _ascends(batch, keys, last):
            raise SnapshotDamaged(
                f"table {table.name} has the same {', '.join(table.key)} twice, or is out of order, in {path}; "
                "run the same microns snapshot command again"
            )
        first = batch.column(0)[0].as_py() if rows == 0 else first
        last = tuple(column[batch.num_rows - 1].as_py() for column in batch.columns)
        rows += batch.num_rows
    return DataFile(
        path=path.relative_to(directory).as_posix(),
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        rows=rows,
        min=first,
        max=last[0] if last else None,
    )


def _ascends(batch: pa.RecordBatch, keys: Sequence[str], last: tuple[Any, ...] | None) -> bool:
    """Whether rows strictly ascend by `keys`, and come after `last`."""
    columns = [batch.column(name) for name in keys]
    if any(pa.types.is_string(column.type) for column in columns):
        values = list(zip(*(column.to_pylist() for column in columns), strict=True))
        return len(set(values)) == len(values)
    arrays = [np.asarray(column) for column in columns]
    later = np.zeros(len(arrays[0]) - 1, dtype=bool)
    for array in reversed(arrays):
        later = (array[1:] > array[:-1]) | ((array[1:] == array[:-1]) & later)
    head = tuple(array[0] for array in arrays)
    return bool(later.all()) and (last is None or head > last)


def _entry(
    directory: Path,
    table: Table,
    files: list[DataFile],
    encoding: str,
    bounds: list[int],
    metadata: dict[str, Any],
) -> TableEntry:
    rows = sum(file.rows for file in files)
    _require_unique(directory, table, files, rows)
    fields: dict[str, Any] = {
        "source": "", "url": "", "scope": "all", "schema_type": table.schema_type, "fetched": _now(), **metadata
    }  # fmt: skip
    return TableEntry(
        columns=duckdb_columns(table), rows=rows, files=files, encoding=encoding, bounds=bounds, **fields
    )


def _require_unique(directory: Path, table: Table, files: list[DataFile], rows: int) -> None:
    if table.sort_by[: len(table.key)] == table.key and len(files) == 1:
        return  # strictly ascending by its key: already seen to be unique
    paths = ", ".join(f"'{_quoted(directory / file.path)}'" for file in files)
    with _engine(directory) as con:
        key = ", ".join(f'"{name}"' for name in table.key)
        (distinct,) = con.execute(
            f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM read_parquet([{paths}], hive_partitioning = false))"
        ).fetchone() or (0,)
    if distinct != rows:
        raise SnapshotDamaged(
            f"table {table.name} has {rows:,} rows but {distinct:,} different {', '.join(table.key)}; "
            "run the same microns snapshot command again"
        )


def duckdb_columns(table: Table) -> dict[str, str]:
    """Logical column name to DuckDB type, in order."""
    empty = duckdb.from_arrow(table.arrow_schema.empty_table())
    return dict(zip(empty.columns, map(str, empty.types), strict=True))


def _order(table: Table) -> str:
    keys = dict.fromkeys((*table.sort_by, *table.key))
    return "ORDER BY " + ", ".join(f'"{name}"' for name in keys)


def _bucket_number(path: Path) -> int:
    return int(path.parent.name.removeprefix("b="))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


@contextmanager
def _engine(directory: Path, memory: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection that spills beside the files it writes, and leaves nothing behind."""
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory, prefix=".spill-") as spill, duckdb.connect() as con:
        con.execute(f"SET temp_directory = '{_quoted(Path(spill))}'")
        con.execute("SET enable_progress_bar = false")
        if memory:
            con.execute("SET memory_limit = ?", [memory])
        yield con


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    """Turn a full disk into a sentence."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise WarehouseError(
                f"the disk of {target} is full; free some space and run the same command again, nothing is lost"
            ) from error
        raise
