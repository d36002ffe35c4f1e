"""Runs compiled queries: one DuckDB database per service, one cursor per request."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock, Timer

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.serve.columns import Source
from warehouse.serve.refused import crash, database_error
from warehouse.serve.served import Kind, Served, ServedTable
from warehouse.serve.statement import Statement
from warehouse.storage.quoting import literals, quoted

SECONDS = 300.0
"""How long a query may take; the real server gives up after as many."""
_TWO = int(duckdb.__version__.partition(".")[0]) >= 2
"""From 2.0 a relation gives Arrow rows without a copy; in 1.x one with parameters is ten times slower."""


class AtWork:
    """The queries of one request, so that they can be stopped."""

    def __init__(self) -> None:
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._is_left = False

    @contextmanager
    def doing(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Note that a cursor works; it is stopped when its time is up."""
        self._cursors.add(cursor)
        timer = Timer(SECONDS, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            if self._is_left:
                raise crash("499 Client Closed Request")
            yield
        finally:
            timer.cancel()
            self._cursors.discard(cursor)

    def stop(self) -> None:
        """Stop them, because the client has left."""
        self._is_left = True
        for cursor in [*self._cursors]:
            cursor.interrupt()


class Database:
    """The rows behind a service.

    Arrow tables are copied into the database when first asked for; relations over files stay where they are.
    """

    def __init__(self) -> None:
        """Start without any rows; they are loaded when first asked for."""
        self._database = duckdb.connect(":memory:")
        self._database.execute("SET preserve_insertion_order = false")
        self._loaded: dict[int, str] = {}
        self._counts: dict[int, int] = {}
        self._lock = RLock()

    def close(self) -> None:
        """Free the rows, when nobody loads any."""
        with self._lock:
            self._database.close()

    def relation(self, served: Served) -> str:
        """The SQL that stands for the rows of a table or view."""
        if isinstance(served.rows, str):
            return f"(FROM {served.rows})"
        with self._lock:
            if id(served.rows) not in self._loaded:
                self._loaded[id(served.rows)] = self._load(served.rows)
            return self._loaded[id(served.rows)]

    def _load(self, rows: pa.Table | Callable[[], pa.Table]) -> str:
        name = f"rows{len(self._loaded)}"
        with tempfile.TemporaryDirectory(prefix="cave-") as folder:
            # By way of a file: DuckDB 2.0.0 reads some Arrow tables wrongly.
            path = Path(folder) / f"{name}.parquet"
            pq.write_table(rows() if callable(rows) else rows, path)
            self._database.execute(f"CREATE TABLE {name} AS FROM read_parquet([{literals([path])}])")
        return name

    def run(self, statement: Statement, at_work: AtWork | None = None) -> pa.Table:
        """The result of a compiled query; stopped when its time is up, or nobody waits for it any more."""
        with self._database.cursor() as cursor, (at_work or AtWork()).doing(cursor):
            try:
                if _TWO:
                    return cursor.sql(statement.sql, params=statement.parameters).to_arrow_table()
                return cursor.execute(statement.sql, statement.parameters).to_arrow_table()
            except duckdb.InterruptException as error:
                raise crash(f"504 Gateway Timeout: the query took longer than {SECONDS:g} s") from error
            except duckdb.Error as error:
                raise database_error(str(error), statement.sql) from error

    def count(self, table: ServedTable) -> int:
        """The row count that the version stores for a table: its valid rows."""
        if table.stored_count is not None:
            return table.stored_count
        key = id(table)
        with self._lock:
            if key not in self._counts:
                condition = "WHERE valid" if table.has_valid else ""
                row = self._database.execute(f"SELECT count(*) FROM {self.relation(table)} {condition}").fetchone()
                assert row is not None
                self._counts[key] = row[0]
            return self._counts[key]

    def unique_strings(self, table: ServedTable) -> dict[str, list[str]]:
        """The distinct texts of every text column."""
        names = [column.name for column in table.columns if column.kind is Kind.STRING]
        return {name: self._distinct(table, name) for name in names}

    def _distinct(self, table: ServedTable, column: str) -> list[str]:
        with self._database.cursor() as cursor:
            name = quoted(column)
            sql = f"SELECT DISTINCT {name} FROM {self.relation(table)} WHERE {name} IS NOT NULL ORDER BY 1"
            return [row[0] for row in cursor.execute(sql).fetchall()]

    def source(self, served: Served, position: int = 0, suffix: str = "", key: str = "") -> Source:
        """A table or view as part of a query."""
        return Source(served, self.relation(served), f"t{position}", suffix, key)
