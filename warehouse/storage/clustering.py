"""Clustering synapses: from parts in any order to sorted buckets of the postsynaptic root.

Two passes over the rows, in bounded memory whatever their number. The first deals each batch out to the buckets,
in one spill file; the second takes bucket by bucket, sorts it and writes it. The bounds of the buckets are
quantiles of a sample that depends on the rows alone, so the same rows give the same files in any parts and in any
memory: a bucket that is too large to be sorted at once is dealt out once more.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.registry.schema import Table
from warehouse.storage.disk import disk_errors
from warehouse.storage.encoding import encode, encoding_for, parquet_options
from warehouse.storage.files import entry_of, file_of, scratch_connection
from warehouse.storage.manifest import DataFile, TableEntry
from warehouse.storage.paths import FILE, model_path


@dataclass(frozen=True)
class Stream:
    """Rows that are made while they are read, and kept nowhere.

    Attributes:
        num_rows: about how many.
        batches: begins to make them, always the same ones.
    """

    num_rows: int
    batches: Callable[[], Iterator[pa.Table]]


Rows: TypeAlias = pa.Table | Sequence[Path] | Stream
Result = TypeVar("Result")

ROWS_PER_BUCKET = 2_640_000
"""About 75 MB a file, of which a look-up by the receiving root opens one; the full table has some 128."""
_FEWEST_BUCKETS, _MOST_BUCKETS = 4, 256
ROW_GROUP = 65_536
"""One look-up unpacks one or two groups; smaller ones cost scans of all files more than they save here."""
_BATCH = 524_288
_SAMPLED = 4_000_000
"""Rows in the sample that bounds are taken from: a bucket's size is then right to about a per cent."""
_MOST_WORKERS = 4
_WORKER_BYTES = 1_000_000_000
"""What a worker takes at most: some four copies of a bucket."""
_PROCESS_BYTES = 220_000_000
"""What Python, the libraries and what their allocators keep take, whatever the rows are."""
_LEAST_BYTES = 50_000_000
_SORT_BYTES = 420
"""For each row of a bucket while it is sorted and written, as measured on 5 million rows."""
_DEAL_BYTES = 1_000
"""For each row of a batch while it is dealt out."""
_BYTES_PER_ROW = 90
"""On disk while clustering: 56 in the spill file and 30 in the result, as measured on 30 million rows."""
_AHEAD = 2
"""Workers take buckets one after the other; so many are under way on a machine of two cores."""
_COPIES = 4
"""A bucket that is dealt out once more is read in pieces of this share of what can be sorted at once."""
_STREAMED = 1 << 20
_LZ4 = pa.Codec("lz4")


def cluster_synapses(
    directory: Path, table: Table, rows: Rows, *, memory: int | None = None, **metadata: Any
) -> TableEntry:
    """Write a synapse table as `model/synapses/b=N/part-0.parquet`: in buckets of the postsynaptic root, sorted.

    A row that comes twice (a part that was fetched again) is kept once.

    Args:
        directory: the version's folder, being put together.
        table: the declaration of the synapse table; its `arrow_schema` is what `rows` holds.
        rows: the rows, the Parquet files that hold them, or what makes them; in any order.
        memory: how many bytes the process may take, from some 300 MB on; as many as it likes if not given.
        **metadata: further fields of the `TableEntry` (source, url, scope, ...).

    Raises:
        SnapshotDamaged: a synapse id occurs with two different rows.
        WarehouseError: the disk is full.
    """
    target = directory / model_path("synapses")
    allowed = Allowance.of(memory)
    bounds = _bounds(rows, table.sort_by, allowed.batch)
    with partitioned(directory, table, rows, bounds, memory=memory) as buckets:

        def written(number: int) -> DataFile:
            # Read back at once, while the system still has it in memory.
            return file_of(directory, table, write_pieces(target, number, buckets.pieces(number)))

        # An empty table still needs a file that names its columns.
        files = buckets.map(written, buckets.numbers or [0])
    encoding = encoding_for(table.arrow_schema.names)
    with scratch_connection(directory) as con:
        if memory is not None:
            con.execute(f"SET memory_limit = '{allowed.left}B'; SET threads = {allowed.workers}")
        return entry_of(directory, table, files, con=con, encoding=encoding, bounds=bounds, **metadata)


@contextmanager
def partitioned(
    directory: Path, table: Table, rows: Rows, bounds: Sequence[int], *, memory: int | None = None
) -> Iterator[Buckets]:
    """Deal rows out to buckets of the first sort column; they are kept on the disk of `directory` until the end.

    Args:
        directory: the version's folder, being put together.
        table: the declaration; its `arrow_schema` is what `rows` holds.
        rows: the rows, the Parquet files that hold them, or what makes them; in any order.
        bounds: lower bounds of buckets 1, 2, ...
        memory: how many bytes the process may take, from some 300 MB on; as many as it likes if not given.
    """
    allowed = Allowance.of(memory)
    with disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        _require_space(directory, _count(rows))
        with TemporaryFile(dir=directory) as file, ThreadPoolExecutor(allowed.workers) as pool:
            encoding = encoding_for(table.arrow_schema.names)
            spill = _Spill(file, encode(encoding, table.arrow_schema.empty_table()).schema)

            def deal(batch: pa.Table) -> None:
                spill.deal(encode(encoding, batch), bounds, table.sort_by[0])

            batches = _batches(rows, together=allowed.batch)
            _drain((pool.submit(deal, batch) for batch in batches), allowed.under_way)
            yield Buckets(spill, pool, table, allowed.sorted, directory)


@dataclass(frozen=True)
class Allowance:
    """What a bound of the memory allows.

    Attributes:
        workers: how many buckets to work on at once.
        left: bytes beside what the process takes anyway.
        batch: rows to deal out at once.
        under_way: how many batches may wait.
        sorted: rows that a worker sorts at once; None for any number.
    """

    workers: int
    left: int = 0
    batch: int = _BATCH
    under_way: int = _MOST_WORKERS
    sorted: int | None = None

    @classmethod
    def of(cls, memory: int | None) -> Allowance:
        """What so many bytes allow; None for any number."""
        if memory is None:
            return cls(workers(None))
        number = workers(memory)
        left = max(memory - _PROCESS_BYTES, _LEAST_BYTES)
        under_way = _MOST_WORKERS if number > 1 else 1
        batch = min(_BATCH, left // _DEAL_BYTES // (under_way + 1))
        return cls(number, left, batch, under_way, left // number // _SORT_BYTES)


@dataclass(frozen=True)
class Buckets:
    """Rows that were dealt out."""

    _spill: _Spill
    _pool: ThreadPoolExecutor
    _table: Table
    _at_once: int | None
    """Rows that are sorted at once."""
    _directory: Path

    @property
    def numbers(self) -> list[int]:
        """The buckets that have rows."""
        return sorted(self._spill.places)

    def rows(self, number: int) -> pa.Table:
        """The stored columns of a bucket, in order; what came twice is left out.

        Raises:
            SnapshotDamaged: a synapse id occurs with two different rows.
        """
        return _ordered(self._spill.take(number), self._table)

    def pieces(self, number: int) -> Iterator[pa.Table]:
        """The same rows in pieces, one after the other, each of which can be sorted in the memory there is."""
        if self._at_once is None or self._spill.rows[number] <= self._at_once:
            yield self.rows(number)
            return
        with TemporaryFile(dir=self._directory) as file:
            finer, column = _Spill(file, self._spill.schema), self._table.sort_by[0]
            batches = partial(self._spill.batches, number, max(1, self._at_once // _COPIES))
            bounds = _finer(next(batches())[column].to_numpy(), -(-self._spill.rows[number] * 2 // self._at_once))
            for batch in batches():
                finer.deal(batch, bounds, column)
            for part in sorted(finer.places):
                yield _ordered(finer.take(part), self._table)
                pa.default_memory_pool().release_unused()

    def map(self, work: Callable[[int], Result], numbers: Iterable[int]) -> list[Result]:
        """Do something for several buckets at once, as memory allows."""
        return list(self._pool.map(work, numbers))


def workers(memory: int | None) -> int:
    """How many buckets to work on at once, in so many bytes."""
    wanted = min(_MOST_WORKERS, os.cpu_count() or 1)
    return wanted if memory is None else max(1, min(wanted, memory // _WORKER_BYTES))


def _finer(values: npt.NDArray[np.int64], parts: int) -> npt.NDArray[np.int64]:
    """Bounds that cut a bucket into about so many parts, given some of its values."""
    ordered = np.sort(values)
    return np.unique(ordered[np.arange(1, parts) * len(ordered) // parts])


def _drain(submitted: Iterator[Future[None]], under_way: int) -> None:
    """Wait for tasks while they are submitted, so that only a few are under way at a time."""
    pending: deque[Future[None]] = deque()
    for task in submitted:
        pending.append(task)
        if len(pending) > under_way:
            pending.popleft().result()
    for task in pending:
        task.result()


@dataclass
class _Spill:
    """Batches of rows by bucket, in one unnamed file that vanishes with the process."""

    file: IO[bytes]
    schema: pa.Schema
    places: dict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Bucket -> where its pieces are: position, length, length when unpacked."""
    rows: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Bucket -> how many rows it has."""
    lock: Lock = field(default_factory=Lock)

    def deal(self, batch: pa.Table, bounds: Sequence[int] | npt.NDArray[np.int64], column: str) -> None:
        """Append each row, as it is stored, to the bucket that its value in `column` falls into."""
        buckets = np.searchsorted(bounds, batch[column].to_numpy(), side="right").astype(np.uint16)
        order = np.argsort(buckets, kind="stable")
        (sorted_rows,) = batch.take(pa.array(order)).combine_chunks().to_batches()
        starts = np.flatnonzero(np.diff(buckets[order].astype(np.int32), prepend=-1))
        for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
            message = sorted_rows.slice(start, stop - start).serialize()
            packed = _LZ4.compress(message, asbytes=True)
            bucket = int(buckets[order[start]])
            with self.lock:
                self.places[bucket].append((self.file.tell(), len(packed), message.size))
                self.rows[bucket] += int(stop - start)
                self.file.write(packed)

    def take(self, bucket: int) -> pa.Table:
        """All rows of a bucket."""
        self._ask_for(bucket + _AHEAD)
        return pa.Table.from_batches(self._read(bucket), self.schema)

    def batches(self, bucket: int, together: int) -> Iterator[pa.Table]:
        """The rows of a bucket, about so many at a time."""
        waiting: list[pa.RecordBatch] = []
        for batch in self._read(bucket):
            waiting.append(batch)
            if sum(each.num_rows for each in waiting) >= together:
                yield pa.Table.from_batches(waiting, self.schema)
                waiting = []
        if waiting:
            yield pa.Table.from_batches(waiting, self.schema)

    def _read(self, bucket: int) -> Iterator[pa.RecordBatch]:
        for position, length, unpacked in self.places.get(bucket, ()):
            with self.lock:
                self.file.seek(position)
                packed = self.file.read(length)
            yield pa.ipc.read_record_batch(_LZ4.decompress(packed, unpacked), self.schema)

    def _ask_for(self, bucket: int) -> None:
        """Have the system fetch what is soon taken: its pieces are all over the file."""
        if hasattr(os, "posix_fadvise"):
            for position, length, _ in self.places.get(bucket, ()):
                os.posix_fadvise(self.file.fileno(), position, length, os.POSIX_FADV_WILLNEED)


def _require_space(target: Path, rows: int) -> None:
    """Refuse to begin what the disk cannot hold: the spill file and the result."""
    needed, free = rows * _BYTES_PER_ROW, shutil.disk_usage(target).free
    if needed > free:
        raise WarehouseError(
            f"sorting {rows:,} synapses needs {needed / 1e9:.1f} GB on the disk of {target}, "
            f"where {free / 1e9:.1f} GB are free; make room and run the same command again, nothing is lost"
        )


def _count(rows: Rows) -> int:
    return (
        rows.num_rows
        if isinstance(rows, pa.Table | Stream)
        else sum(pq.read_metadata(path).num_rows for path in rows)
    )


def _bounds(rows: Rows, keys: Sequence[str], together: int) -> list[int]:
    """Lower bounds of buckets 1, 2, ...: quantiles of the first key over rows whose second a stride divides."""
    column, sampler = keys
    total = _count(rows)
    stride = total // _SAMPLED + 1
    sampled = [
        batch[column].to_numpy()[batch[sampler].to_numpy() % stride == 0]
        for batch in _batches(rows, [column, sampler], together)
    ]
    values = np.concatenate(sampled) if sampled else np.zeros(0, np.int64)
    del sampled
    pa.default_memory_pool().release_unused()
    values.sort()
    buckets = min(_MOST_BUCKETS, max(_FEWEST_BUCKETS, -(-total // ROWS_PER_BUCKET)))
    at = np.arange(1, buckets) * len(values) // buckets
    return [int(bound) for bound in np.unique(values[at])] if len(values) else [0]


def _batches(rows: Rows, columns: list[str] | None = None, together: int = _BATCH) -> Iterator[pa.Table]:
    if isinstance(rows, pa.Table):
        chosen = rows.select(columns) if columns else rows
        yield from (pa.Table.from_batches([batch]) for batch in chosen.to_batches(together))
        return
    if isinstance(rows, Stream):
        yield from (batch.select(columns) if columns else batch for batch in rows.batches())
        return
    for path in rows:
        # Buffered beforehand, all that was read stays in memory; with little of that, no column is read whole.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=0 if together == _BATCH else _STREAMED) as file:
            yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches(together, columns=columns))


def write_bucket(target: Path, bucket: int, rows: pa.Table) -> Path:
    """Write the ordered rows of a bucket as `b=N/part-0.parquet`."""
    return write_pieces(target, bucket, [rows])


def write_pieces(target: Path, bucket: int, pieces: Iterable[pa.Table]) -> Path:
    """Write a bucket whose rows come in pieces; the same rows give the same bytes in any pieces."""
    path = target / f"b={bucket}" / FILE
    path.parent.mkdir(parents=True)
    pieces = iter(pieces)
    waiting = next(pieces)
    with pq.ParquetWriter(path, waiting.schema, **parquet_options(waiting.schema)) as writer:
        for piece in pieces:
            waiting = pa.concat_tables([waiting, piece])
            whole = waiting.num_rows - waiting.num_rows % ROW_GROUP
            if whole:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=ROW_GROUP)
                waiting = waiting.slice(whole).combine_chunks()
        writer.write_table(waiting, row_group_size=ROW_GROUP)
    return path


def _ordered(rows: pa.Table, table: Table) -> pa.Table:
    """Sort the rows of a bucket, and leave out what came twice; the same key with other values is damage."""
    order = np.lexsort([rows[name].to_numpy() for name in reversed(table.sort_by)])
    rows = rows.take(pa.array(order))
    keys = [rows[name].to_numpy() for name in table.sort_by]
    again = np.flatnonzero(np.logical_and.reduce([key[1:] == key[:-1] for key in keys])) + 1
    if not len(again):
        return rows
    if not rows.take(pa.array(again)).equals(rows.take(pa.array(again - 1))):
        raise SnapshotDamaged(
            f"two different rows were fetched for synapse {rows['id'][int(again[0])]}; "
            "fetch the table again with: microns snapshot"
        )
    return rows.take(pa.array(np.delete(np.arange(len(rows)), again)))
