"""SQL that only reads: what a sandbox and `microns query` let through, and answers that are bounded.

DuckDB itself keeps a session away from other files, but lets a query write beside those that it may read. So
statements are chosen by their kind, and functions that do more than read, or that trust what they are given
(addresses in memory), are refused by name.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

import duckdb
import pyarrow as pa

from warehouse.errors import QueryTooLong, UsageError
from warehouse.storage.quoting import quoted

_T = TypeVar("_T")
_PATIENCE_S = 0.2
"""How long Ctrl-C may wait where a waiting thread does not hear it (Windows)."""
_AT_ONCE = 50_000
_NO_TYPE = '"NULL"'
_KINDS = {
    "INTERRUPT Error": duckdb.InterruptException,
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "IO Error": duckdb.IOException,
}
"""What DuckDB's errors are called in texts, as far as it matters."""
_EXPLAIN = re.compile(r"\s*EXPLAIN\b\s*(ANALYZE\b|\(\s*(ANALYZE|FORMAT)\b[^()]*\))?", re.IGNORECASE)
_CALL = re.compile(rb'"?(\w+)"?')
_READS = "a query here only reads: begin it with SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
_ONLY_READS = re.compile(
    r"duckdb_\w+|pragma_(collations|database_size|platform|show|storage_info|table_info|user_agent|version)|"
    r"(read|parquet|sniff|scan)_\w+|json_(each|tree)|generate_series|range|repeat|repeat_row|unnest|glob|histogram|"
    r"histogram_values|query_table|summary|test_all_types|test_vector_types|icu_calendar_names|pg_timezone_names"
)
"""Functions in FROM that only read. Every other one that comes with DuckDB is refused, those to come included."""
_ACTING = frozenset({"write_log", "setval", "nextval"})
"""Functions of values that do more than give one."""


def only_reads(text: str, *, may_name_values: bool = False) -> duckdb.Statement:
    """The one statement in a text.

    Args:
        text: SQL of unknown origin.
        may_name_values: whether `$name` may stand in it.

    Raises:
        UsageError: there is none, there are several, or it does more than read.
        duckdb.ParserException: it is no SQL.
    """
    one = "write one statement, say FROM cells LIMIT 5"
    statements = duckdb.extract_statements(text)
    if not statements:
        raise UsageError(f"there is no statement in the query; {one}")
    word = text.split()[0].upper()
    if word == "PIVOT" and kind_of(statements[0]) != duckdb.StatementType.SELECT:
        raise UsageError("PIVOT must say which values become columns: PIVOT ... ON column IN ('a', 'b') USING ...")
    if len(statements) > 1:
        raise UsageError(f"there are {len(statements)} statements in the query; {one}")
    (statement,) = statements
    if not may_name_values and (names := sorted(statement.named_parameters)):
        raise UsageError(f"nothing gives ${names[0]} a value here; write the value itself into the query")
    if kind_of(statement) == duckdb.StatementType.SET:
        raise UsageError(f"{word} has no effect here; choose a version with --version, or write FROM v1718.cells")
    if not (kind_of(statement) == duckdb.StatementType.SELECT or _explains_select(statement)):
        raise UsageError(f"{word} is not allowed here; {_READS}")
    if name := acting_function(statement.query):
        raise UsageError(f"the function {name} is not allowed here: a query only reads, and is written out")
    return statement


def acting_function(text: str) -> str | None:
    """The first function in a text that may do more than read, or that trusts addresses which it is given."""
    return next((name for name in _called(text) if name in _acting()), None)


def kind_of(statement: duckdb.Statement) -> duckdb.StatementType:
    """The kind of a statement; INVALID where DuckDB's Python module has no name for it yet."""
    try:
        return statement.type
    except ValueError:
        return duckdb.StatementType.INVALID


@cache
def _acting() -> frozenset[str]:
    """The functions of this DuckDB that may do more than read."""
    with duckdb.connect() as con:
        rows = con.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'pragma')"
        ).fetchall()
    return _ACTING | {name for (name,) in rows if not _ONLY_READS.fullmatch(name)}


def _called(statement: str) -> Iterator[str]:
    """The names in a statement that stand before a parenthesis."""
    text = statement.encode()  # positions count bytes
    places = [at for at, kind in duckdb.tokenize(statement) if kind != duckdb.token_type.comment]
    for at, following in pairwise(places):
        if text[following : following + 1] == b"(" and (name := _CALL.match(text, at)):
            yield name[1].decode().lower()


def _explains_select(statement: duckdb.Statement) -> bool:
    """Whether it is EXPLAIN of a SELECT: EXPLAIN ANALYZE runs what follows, which could be COPY."""
    explain = _EXPLAIN.match(statement.query)
    if kind_of(statement) != duckdb.StatementType.EXPLAIN or not explain:
        return False
    try:
        explained = duckdb.extract_statements(statement.query[explain.end() :])
    except duckdb.ParserException:
        return False
    return [kind_of(each) for each in explained] == [duckdb.StatementType.SELECT]


class Interruptible:
    """Has another thread work with a connection: making Arrow's batches, DuckDB 1.5 does not hear Ctrl-C."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con, self._worker = con, ThreadPoolExecutor(1)

    def awaited(self, work: Callable[[], _T]) -> _T:
        """What the work gives; Ctrl-C ends the query and is raised."""
        future = self._worker.submit(work)
        try:
            while not future.done():
                wait([future], _PATIENCE_S)
        except KeyboardInterrupt:
            self._con.interrupt()
            self._worker.shutdown()
            raise
        return future.result()

    def reader(self, relation: duckdb.DuckDBPyRelation) -> pa.RecordBatchReader:
        """The rows of a relation, for `batches`."""
        return self.awaited(lambda: relation.to_arrow_reader(_AT_ONCE))

    def batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        """The rows as they come. Arrow makes errors of its own of what DuckDB says; they become DuckDB's again."""
        while True:
            try:
                batch = self.awaited(reader.read_next_batch)
            except StopIteration:
                return
            except (OSError, pa.ArrowException) as error:
                message = str(error)
                kind = next((kind for name, kind in _KINDS.items() if name in message), duckdb.Error)
                raise kind(message) from error
            yield batch


class Answer(NamedTuple):
    """The whole answer to a query.

    Attributes:
        names: of its columns.
        kinds: their types, in DuckDB's words.
        rows: as Arrow, with columns c0, c1 and so on, because two may have one name.
    """

    names: list[str]
    kinds: list[str]
    rows: pa.Table

    def relation(self, con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The answer as DuckDB would give it."""
        items = (
            f"{column} AS {quoted(name)}" if kind == _NO_TYPE else f"CAST({column} AS {kind}) AS {quoted(name)}"
            for column, kind, name in zip(self.rows.column_names, self.kinds, self.names, strict=True)
        )
        return con.from_arrow(self.rows).project(", ".join(items))


def bounded(con: duckdb.DuckDBPyConnection, query: str, timeout: float | None, max_rows: int | None) -> Answer:
    """The whole answer to a query, in memory.

    Args:
        con: where to ask.
        query: one statement that only reads.
        timeout: after how many seconds it is given up.
        max_rows: how many rows it may have.

    Raises:
        UsageError: it takes longer, or has more rows.
        duckdb.Error: what DuckDB says of the query.
    """
    with _stopping(con, timeout) as is_late:
        try:
            relation, worker = con.sql(query), Interruptible(con)
            kinds, names, rows, batches = [*map(str, relation.types)], relation.columns, 0, []
            for batch in worker.batches(worker.reader(relation)):
                rows += len(batch)
                if max_rows is not None and rows > max_rows:
                    raise UsageError(
                        f"the answer has more than {max_rows:,} rows, and no more are given here; count or group "
                        "them in SQL, or add LIMIT"
                    )
                batches.append(batch)
        except duckdb.Error as error:
            if is_late():
                raise QueryTooLong.after(timeout) from error
            raise
    numbered = [f"c{number}" for number in range(len(names))]
    empty = pa.schema([(name, pa.null()) for name in numbered])
    table = pa.Table.from_batches(batches).rename_columns(numbered) if batches else empty.empty_table()
    return Answer(names, kinds, table)


@contextmanager
def _stopping(con: duckdb.DuckDBPyConnection, timeout: float | None) -> Iterator[Callable[[], bool]]:
    """Interrupt what a connection does after some seconds; tells whether that happened."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        con.interrupt()

    timer = threading.Timer(timeout, stop) if timeout is not None else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield late.is_set
    finally:
        if timer:
            timer.cancel()
