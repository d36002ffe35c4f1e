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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from cyclopts import Parameter

from warehouse.commands.options import TABLE, Bundle, Datastack, Output, Root, Version
from warehouse.commands.render import print_frames
from warehouse.errors import UsageError, WarehouseError
from warehouse.query.reading import Interruptible, kind_of, only_reads
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.disk import disk_errors

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)

_SHOWN = 1000
"""Rows of a table on a terminal; columns are aligned, so all of them are in memory."""
_AS_TEXT = ("INTERVAL", "BLOB", "BIT", "TIME WITH TIME ZONE", "TIME_NS", "UNION", "BIGNUM", "VARINT", "VARIANT")
"""Types that other programs do not know: printed as DuckDB writes them."""
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
        statement = only_reads(text)
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
        relation = self._cursor.sql(statement.query)
        self.header: list[str] = relation.columns
        self._query = statement.query
        if kind_of(statement) == duckdb.StatementType.SELECT:  # the two texts of EXPLAIN need no change
            names = [f"c{number}" for number in range(len(self.header))]
            items = (_item(name, str(kind), for_file) for name, kind in zip(names, relation.types, strict=True))
            inner = _without_semicolon(statement.query)
            # On a line of its own, the parenthesis is not part of a comment.
            relation = self._cursor.sql(f"SELECT {', '.join(items)} FROM ({inner}\n) AS t({', '.join(names)})")
        self._worker = Interruptible(self._cursor)
        self._reader = self._worker.reader(relation)

    def _frames(self) -> Iterator[pl.DataFrame]:
        """The rows; the first are computed at once, so that most mistakes show before anything is printed."""
        import polars as pl

        batches = self._worker.batches(self._reader)
        first = next(batches, None)

        def frames() -> Iterator[pl.DataFrame]:
            batch = first
            while batch is not None:
                yield cast("pl.DataFrame", pl.from_arrow(batch))
                batch = next(batches, None)

        return frames()

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
                        for batch in self._worker.batches(self._reader):
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
