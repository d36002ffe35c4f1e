"""`microns query`: one statement that only reads, for scripts and programs.

The session is a sandbox: a statement of unknown origin sees the data and nothing else of the machine. What it
answers is printed or written as it comes, so that a large answer takes no more memory than a small one.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from cyclopts import Parameter

from warehouse.commands.options import TABLE, Bundle, Datastack, Output, Root, Version
from warehouse.commands.render import print_frames
from warehouse.errors import UsageError, WarehouseError
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.disk import disk_errors

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PATIENCE_S = 0.2
"""How long Ctrl-C may wait where a waiting thread does not hear it (Windows)."""
_AT_ONCE = 50_000
_SHOWN = 1000
"""Rows of a table on a terminal; columns are aligned, so all of them are in memory."""
_AS_TEXT = ("INTERVAL", "BLOB", "BIT", "TIME WITH TIME ZONE", "TIME_NS", "UNION", "BIGNUM", "VARINT", "VARIANT")
"""Types that other programs do not know: printed as DuckDB writes them."""
_EXPLAIN = re.compile(r"\s*EXPLAIN\b\s*(ANALYZE\b|\(\s*(ANALYZE|FORMAT)\b[^()]*\))?", re.IGNORECASE)
_ACTS = (
    *("enable_logging", "disable_logging", "enable_profiling", "disable_profiling", "truncate_duckdb_logs"),
    *("checkpoint", "force_checkpoint", "query", "json_execute_serialized_sql"),
)
"""Functions of DuckDB 1.5 that can stand in a SELECT and do more than read, or run SQL that they get as text."""
_KINDS = {
    "INTERRUPT Error": duckdb.InterruptException,
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "IO Error": duckdb.IOException,
}
"""What DuckDB's errors are called in texts, as far as it matters."""
_CALL = re.compile(rb'"?(\w+)"?')
_ONE = 'write one statement: microns query "FROM cells LIMIT 5"'
_READS = "a query here only reads: begin it with SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
_HINTS: dict[type[duckdb.Error], str] = {
    duckdb.CatalogException: " (all views and macros: microns describe)",
    duckdb.BinderException: " (the columns of a view: microns describe NAME)",
    duckdb.ParserException: " (the whole query stands in double quotation marks, text in it in single ones)",
    duckdb.PermissionException: " (a query here reads no other file; a table in the folder local/ is local.NAME)",
}


def query(
    sql: Annotated[
        str,
        Parameter(
            help="One statement that only reads, in quotation marks; - reads it from standard input.",
            allow_leading_hyphen=True,
        ),
    ],
    bundle: Bundle = None,
    /,
    *,
    output: Output = TABLE,
    parquet: Annotated[
        Path | None,
        Parameter(help="Write a Parquet file and print its path. The file appears when all rows are in it."),
    ] = None,
    force: Annotated[bool, Parameter(help="Let --parquet replace a file that is there already.")] = False,
    version: Version = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Ask one question in SQL and print the answer. It can change nothing, and reads no other file.

    On a terminal the answer is a table of at most 1,000 rows; into a file or a pipe it is CSV with all rows. --csv
    and --json choose for both. In JSON, integers of 2^53 and above (root ids) are text, NULL is null; timestamps
    are ISO 8601. A mistake in the SQL returns the exit code 2.
    """
    form = output.form
    if parquet and form != "table":
        raise UsageError(f"--{form} and --parquet exclude each other; give one of them")
    if force and not parquet:
        raise UsageError("--force belongs to --parquet FILE")
    target = parquet.expanduser().absolute() if parquet else None
    if target and target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or add --force to replace it")
    text = sys.stdin.read().lstrip("\ufeff") if sql == "-" else sql
    with _sql_errors():
        statement = _only_reads(text)
        with connect(version if bundle is None else bundle, root, datastack, sandbox=True) as warehouse:
            answer = _Answer(warehouse, statement, for_file=target is not None)
            if target:
                answer.write(target)
                print(target)
            elif form == "table" and sys.stdout.isatty():
                answer.show()
            else:
                answer.print("csv" if form == "table" else form)


class _Answer:
    """What a statement answers: names of columns, and rows that are fetched as they come.

    Attributes:
        header: names of the columns; one may be there twice.
    """

    def __init__(self, warehouse: Warehouse, statement: duckdb.Statement, *, for_file: bool) -> None:
        self._manifest = warehouse.manifest
        self._cursor = warehouse.cursor()
        self._worker = ThreadPoolExecutor(1)
        relation = self._cursor.sql(statement.query)
        self.header: list[str] = relation.columns
        self._query = statement.query
        if statement.type == duckdb.StatementType.SELECT:  # the two texts of EXPLAIN need no change
            names = [f"c{number}" for number in range(len(self.header))]
            items = (_item(name, str(kind), for_file) for name, kind in zip(names, relation.types, strict=True))
            inner = _without_semicolon(statement.query)
            # On a line of its own, the parenthesis is not part of a comment.
            relation = self._cursor.sql(f"SELECT {', '.join(items)} FROM ({inner}\n) AS t({', '.join(names)})")
        self._reader = self._awaited(lambda: relation.to_arrow_reader(_AT_ONCE))

    def _awaited(self, work: Callable[[], _T]) -> _T:
        """Have another thread do something: while DuckDB 1.5 makes Arrow's batches, it does not hear Ctrl-C."""
        future = self._worker.submit(work)
        try:
            while not future.done():
                wait([future], _PATIENCE_S)
        except KeyboardInterrupt:
            self._cursor.interrupt()
            self._worker.shutdown()
            raise
        return future.result()

    def _frames(self) -> Iterator[pl.DataFrame]:
        """The rows; the first are computed at once, so that most mistakes show before anything is printed."""
        import polars as pl

        batches = self._batches()
        first = next(batches, None)

        def frames() -> Iterator[pl.DataFrame]:
            batch = first
            while batch is not None:
                yield cast("pl.DataFrame", pl.from_arrow(batch))
                batch = next(batches, None)

        return frames()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """The rows; Arrow makes errors of its own of what DuckDB says, which become DuckDB's again."""
        while True:
            try:
                batch = self._awaited(self._reader.read_next_batch)
            except StopIteration:
                return
            except (OSError, pa.ArrowException) as error:
                message = str(error)
                raise next((kind for name, kind in _KINDS.items() if name in message), duckdb.Error)(
                    message
                ) from error
            yield batch

    def _require_one_name_each(self) -> None:
        if twice := next((name for name in self.header if self.header.count(name) > 1), None):
            raise UsageError(f"two columns are called {twice}; give one of them another name: SELECT ... AS other")

    def print(self, form: str) -> None:
        """Print all rows, `csv` or `json`."""
        if form == "json":
            self._require_one_name_each()
        print_frames(self.header, self._frames(), form)

    def show(self) -> None:
        """Print a table of the first rows, and say on standard error whether there are more."""
        shown: list[pl.DataFrame] = []
        missing = _SHOWN + 1
        for frame in self._frames():
            shown.append(frame.head(missing))
            missing -= shown[-1].height
            if missing == 0:
                shown[-1] = shown[-1].head(-1)
                break
        print_frames(self.header, shown, "table")
        if missing == 0:
            log.warning("these are the first %s rows; for all of them add --csv, --json or --parquet FILE", _SHOWN)

    def write(self, target: Path) -> None:
        """Write a Parquet file that is there whole or not at all; it says which data it was made from."""
        self._require_one_name_each()
        fields = [field.with_name(name) for field, name in zip(self._reader.schema, self.header, strict=True)]
        manifest = self._manifest
        origin = {
            "datastack": manifest.datastack,
            "version": manifest.version,
            "time_stamp": manifest.time_stamp,
            "query": self._query,
        }
        schema = pa.schema(fields, {"microns": json.dumps(origin)})
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with disk_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as file:
                    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                        for batch in self._batches():
                            writer.write_batch(batch.rename_columns(self.header).cast(schema))
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _item(name: str, kind: str, for_file: bool) -> str:
    """A column of the answer in a type that other programs know."""
    if kind == "TIME" or any(unknown in kind for unknown in _AS_TEXT):
        return f"CAST({name} AS VARCHAR) AS {name}"
    if for_file and kind == "HUGEINT":  # sums of integers; what reads Parquet makes them decimal numbers
        return f"CAST({name} AS BIGINT) AS {name}"
    return name


def _only_reads(text: str) -> duckdb.Statement:
    """The one statement in a text.

    Raises:
        UsageError: there is none, there are several, or it does more than read.
    """
    statements = duckdb.extract_statements(text)
    if not statements:
        raise UsageError(f"there is no statement in the query; {_ONE}")
    word = text.split()[0].upper()
    if word == "PIVOT" and statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("PIVOT must say which values become columns: PIVOT ... ON column IN ('a', 'b') USING ...")
    if len(statements) > 1:
        raise UsageError(f"there are {len(statements)} statements in the query; {_ONE}")
    (statement,) = statements
    if names := sorted(statement.named_parameters):
        raise UsageError(f"nothing gives ${names[0]} a value here; write the value itself into the query")
    if statement.type == duckdb.StatementType.SET:
        raise UsageError(f"{word} has no effect here; choose a version with --version, or write FROM v1718.cells")
    if not (statement.type == duckdb.StatementType.SELECT or _explains_select(statement)):
        raise UsageError(f"{word} is not allowed here; {_READS}")
    if called := next((name for name in _called(statement.query) if name in _ACTS), None):
        raise UsageError(f"the function {called} is not allowed here: a query here only reads, and is written out")
    return statement


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
    if statement.type != duckdb.StatementType.EXPLAIN or not explain:
        return False
    try:
        explained = duckdb.extract_statements(statement.query[explain.end() :])
    except duckdb.ParserException:
        return False
    return [each.type for each in explained] == [duckdb.StatementType.SELECT]


def _without_semicolon(statement: str) -> str:
    """A statement as it can stand in parentheses."""
    text = statement.encode()  # positions count bytes
    ends = (at for at, _ in duckdb.tokenize(statement) if text[at : at + 1] == b";")
    return text[: next(ends, len(text))].decode()


@contextmanager
def _sql_errors() -> Iterator[None]:
    """Turn what DuckDB says of a query into one sentence.

    Raises:
        UsageError: of a mistake in the query.
        WarehouseError: of files that are missing or damaged, or too little memory.
    """
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        message = sentence_of(error)
        if isinstance(error, duckdb.IOException) or (".parquet" in message and type(error) not in _HINTS):
            raise WarehouseError(f"{message}; find out what is damaged with: microns check") from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise WarehouseError(f"{message}; ask for fewer rows or columns, or close other programs") from error
        raise UsageError(f"{message}{_HINTS.get(type(error), '')}") from error


def sentence_of(error: duckdb.Error) -> str:
    """The first line of what DuckDB says, without the kind of the error, and the names that it proposes."""
    first, *more = str(error).strip().splitlines()
    proposed = [line for line in more if line.startswith(("Did you mean", "Candidate bindings"))]
    return " ".join((re.sub(r"^[\w ]+ Error: ", "", first), *proposed)).rstrip(" .")
