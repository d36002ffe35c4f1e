"""Opening a warehouse from Python: one read-only session on one version.

The catalog of microns.duckdb (views, macros, comments; no rows) is copied into memory, which takes some ten
milliseconds. So nothing holds the file: it can be rebuilt while sessions are open, and a session can have tables
of its own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import duckdb
import numpy as np
import numpy.typing as npt

from warehouse.catalog.build import default_version, require_files
from warehouse.catalog.comments import about, describe, summaries
from warehouse.catalog.committed import committed_manifests, manifest_names, read_committed
from warehouse.catalog.local_tables import create_local_views, float_ids_sentence
from warehouse.catalog.refusal import scope_text, synapse_scope
from warehouse.catalog.schemas import raw_schema_of, schema_of
from warehouse.catalog.version_schema import search_path
from warehouse.errors import SnapshotDamaged, SnapshotNotFound, UsageError
from warehouse.query.apart import Apart, Session
from warehouse.query.connection import CATALOG, connect_to_bundle, connect_to_copy, lock
from warehouse.query.cursor import Cursor
from warehouse.query.matrix import matrix
from warehouse.query.parameters import float_sentence, plain, with_variables
from warehouse.query.reading import Answer, bounded, kind_of, only_reads
from warehouse.query.scan import guarded, scan
from warehouse.registry.datastacks import DEFAULT_DATASTACK, datastack_of, table_called
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.exact import float_columns, inexact
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted
from warehouse.storage.trust import require_no_way_out, was_built_here

if TYPE_CHECKING:
    import polars as pl

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_SECONDS, _ROWS = 60.0, 1_000_000
"""How long a query may take in a sandbox, and how many rows its answer may have."""


def connect(
    version: int | str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    datastack: str = DEFAULT_DATASTACK,
    *,
    memory: str | None = None,
    threads: int | None = None,
    sandbox: bool = False,
    timeout: float | None = None,
    max_rows: int | None = None,
    trust: bool = False,
) -> Warehouse:
    """Open a warehouse on one version, or a bundle.

    Args:
        version: the materialization version, a number or its digits; without it the default one, which the log
            names. Or a path: of a bundle (a file made by `microns bundle`), for which root and datastack mean
            nothing, or of a root.
        root: the folder of all datastacks, else $MICRONS_ROOT, else the platform's data folder.
        datastack: CAVE's name of the dataset.
        memory: upper bound of DuckDB's memory, in its words ("4GB").
        threads: number of threads.
        sandbox: for SQL of unknown origin. A query may only read, and sees no file outside of the datastack's
            folder; it may take 60 seconds and give a million rows, unless the next two say otherwise.
        timeout: after how many seconds a query by `sql` is stopped.
        max_rows: how many rows an answer to `sql` may have.
        trust: whether the SQL in a bundle, or in a database that was not built on this machine, may read files
            other than its own. Without it such a database is a document: its views see their own rows only, and
            so do your queries.

    Raises:
        SnapshotNotFound: the version, or any, is not there; the sentence says how to get it.
        SnapshotDamaged: the file is no bundle, or the version that this one is stored against is gone.
    """
    if isinstance(version, str) and version.isdecimal():
        version = int(version)
    limits = _Limits.of(sandbox, timeout, max_rows)
    if sandbox and memory is None:
        memory = f"{byte_count(None)}B"
    arguments: dict[str, Any] = {"memory": memory, "threads": threads, "limits": limits, "trust": trust}
    warehouse = _opened(version, root, datastack, **arguments)
    if sandbox:
        if warehouse.path.is_dir():
            place: dict[str, Any] = {
                "version": warehouse.version,
                "root": warehouse.path.parent,
                "datastack": datastack,
            }
        else:
            place = {"version": warehouse.path, "root": None, "datastack": datastack}
        warehouse.ask_apart(Session(place | arguments, byte_count(memory), limits.timeout or _SECONDS))
    return warehouse


def opened(session: Session) -> Warehouse:
    """The session of a sandbox, in its own process."""
    return _opened(**session.arguments)


def _opened(
    version: int | str | os.PathLike[str] | None,
    root: str | os.PathLike[str] | None,
    datastack: str,
    memory: str | None,
    threads: int | None,
    limits: _Limits,
    trust: bool,
) -> Warehouse:
    if isinstance(version, str | os.PathLike):
        path = Path(version).expanduser().absolute()
        if not path.is_dir():
            return _connect_bundle(path, memory, threads, limits, trust)
        version, root = None, path
    folder = Folder.of(root, datastack)
    if not folder.database.is_file():
        way_out = (
            "run: microns build"
            if folder.versions()
            else "fetch a version with: microns snapshot 1718, or try: microns demo"
        )
        raise SnapshotNotFound(f"there is no database at {folder.database}; {way_out}")
    is_trusted = trust or was_built_here(folder.database)
    if not is_trusted:
        require_no_way_out(folder.path)
    con = connect_to_copy(folder.database, folder.path, memory, threads, is_trusted=is_trusted)
    try:
        chosen = default_version(con, CATALOG) if version is None else version
        known = con.execute(f"SELECT version FROM {CATALOG}.main.versions").fetchall()
        if (chosen,) not in known:
            folder.require_version(chosen)
            raise SnapshotNotFound(f"{folder.database} does not know version {chosen} yet; run: microns build")
        if (name := manifest_names(con, CATALOG).get(chosen)) is not None:
            manifest = read_committed(folder, chosen, name)
        else:  # a database of an older release
            manifest = read_manifest(folder.manifest(chosen))
        require_files(folder, manifest)
        create_local_views(con, folder.local)
        lock(con, folder.path, limits.only_reads)
    except BaseException:
        con.close()
        raise
    logger.info("%s (%s)", manifest.title, manifest.time_stamp)
    if not is_trusted:
        logger.info(
            "%s was not built on this machine, so its SQL sees no other files; make its views anew with: microns "
            "build, or open it with trust=True, if you know who made it",
            folder.database,
        )
    return Warehouse(con, folder.path, manifest, limits)


@dataclass(frozen=True)
class _Limits:
    """What a session lets a query do.

    Attributes:
        only_reads: whether statements that do more than read are refused.
        timeout: seconds.
        max_rows: rows of an answer.
    """

    only_reads: bool = False
    timeout: float | None = None
    max_rows: int | None = None

    @classmethod
    def of(cls, sandbox: bool, timeout: float | None, max_rows: int | None) -> _Limits:
        if not sandbox:
            return cls(False, timeout, max_rows)
        return cls(True, _SECONDS if timeout is None else timeout, _ROWS if max_rows is None else max_rows)

    @property
    def are_set(self) -> bool:
        """Whether an answer must be computed at once."""
        return self.timeout is not None or self.max_rows is not None


def _connect_bundle(
    path: Path, memory: str | None, threads: int | None, limits: _Limits, trust: bool
) -> Warehouse:
    if not path.is_file():
        raise SnapshotNotFound(f"there is no file {path}; fetch a bundle with: microns get URL")
    con, manifest = connect_to_bundle(path, memory, threads, is_trusted=trust)
    lock(con, None, limits.only_reads)
    logger.info("%s, the bundle %s", manifest.title, path.name)
    return Warehouse(con, path, manifest, limits)


class Warehouse:
    """A session on one version: bare names in SQL are that version's views and CAVE's tables.

    Attributes:
        version: the materialization version.
        timestamp: the moment it describes, UTC.
        manifest: what is there, and where it comes from.
        path: the datastack's folder, or the bundle's file.
        scope: which synapses are here.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, path: Path, manifest: Manifest, limits: _Limits | None = None
    ) -> None:
        self._con = con
        self._limits = limits or _Limits()
        self._apart: Apart | None = None
        self._asking: set[duckdb.DuckDBPyConnection] = set()
        self._afterwards = ExitStack()
        self.path = path
        self.manifest = manifest

    @property
    def version(self) -> int:
        """The materialization version."""
        return self.manifest.version

    @property
    def timestamp(self) -> str:
        """The moment that the version describes, UTC."""
        return self.manifest.time_stamp

    @property
    def scope(self) -> str | None:
        """Which synapses are here: all, proofread, neurons or cells; None where there are none."""
        return synapse_scope(self.manifest)

    def sql(self, query: str, /, **parameters: Any) -> duckdb.DuckDBPyRelation:
        """Ask in SQL; fetch with `.pl()`, `.df()`, `.fetchall()` or `.to_arrow_table()`.

        Args:
            query: one statement; `$name` stands for a parameter.
            **parameters: their values; numpy's integers and arrays and polars' series are fine.

        Raises:
            UsageError: the query is a USE or SET, which would be forgotten before the next query; or the names in
                it are not those of the parameters.
            SnapshotDamaged: files of the version were replaced since the session was opened.
        """
        if self._apart is not None:
            given = {name: plain(value) for name, value in parameters.items()}
            return self._apart.answer(query, given).relation(self._cursor())
        if self._limits.are_set:
            return self.answer(query, parameters).relation(self._cursor())
        return self._asked(query, parameters, lambda cursor, text: cursor.sql(text))

    def answer(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        """The whole answer to a query, within the bounds of the session; as `sql` otherwise."""

        def ask(cursor: duckdb.DuckDBPyConnection, text: str) -> Answer:
            self._asking.add(cursor)
            try:
                return bounded(cursor, text, self._limits.timeout, self._limits.max_rows)
            finally:
                self._asking.discard(cursor)

        return self._asked(query, parameters, ask)

    def _asked(
        self, query: str, parameters: Mapping[str, Any], ask: Callable[[duckdb.DuckDBPyConnection, str], _T]
    ) -> _T:
        if self._limits.only_reads:
            only_reads(query, may_name_values=True)
        cursor = self._cursor()
        statements = cursor.extract_statements(query)
        if any(kind_of(each) == duckdb.StatementType.SET for each in statements):
            raise UsageError(
                f"{query.split()[0].upper()} has no effect here, each query begins afresh; choose a version with "
                "warehouse.connect(1718) or by name (FROM v1718.cells), memory and threads when you connect"
            )
        named = {name for each in statements for name in each.named_parameters}
        text = with_variables(cursor, query, named, parameters)
        try:
            return ask(cursor, text)
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            if self.path.is_dir():
                folder = Folder(self.path)
                try:  # a question may be about other versions too
                    for manifest in (self.manifest, *committed_manifests(folder).values()):
                        require_files(folder, manifest)
                except SnapshotDamaged as damage:
                    raise SnapshotDamaged(
                        f"{damage}; if the version was changed after this session was opened, open it again with: "
                        f"warehouse.connect({self.version})"
                    ) from error
            raise

    def matrix(
        self,
        pre_ids: Any,
        post_ids: Any = None,
        *,
        values: str = "n_syn",
        min_syn: int = 1,
        min_size: float = 0,
        sparse: bool = False,
    ) -> tuple[Any, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Connections from each of some cells to each of others, as an array; pairs without a synapse are 0.

        Args:
            pre_ids: root ids or nucleus ids, in the order that the rows shall have: a list, array or series.
            post_ids: the same for the columns; without it those of the rows.
            values: what the array holds of a pair: `n_syn` (number of synapses), `sum_size` and `mean_size` of
                their clefts [voxel], or `connected` (bool).
            min_syn: pairs of fewer synapses are 0.
            min_size: synapses with a smaller cleft are not counted [voxel].
            sparse: a `scipy.sparse.csr_array` instead of a numpy array (needs scipy, the extra `sparse`).

        Returns:
            The array of shape (rows, columns), the ids of its rows, the ids of its columns, as they were given.
            A segment and itself is 0: autapses connect nobody. A 0 means something in the row of a proofread axon
            only; other axons are fragments.

        Raises:
            UsageError: an id is unknown or of another version, a segment is there twice, or what is here of the
                synapses cannot answer; the sentence says which and what to do.
        """
        rows = _list(pre_ids)
        columns = rows if post_ids is None else _list(post_ids)
        options: dict[str, Any] = {"values": values, "min_syn": min_syn, "min_size": min_size, "sparse": sparse}
        return matrix(self._cursor(), rows, columns, **options)

    def interrupt(self) -> None:
        """Stop the queries that `sql` is computing, from another thread; they raise duckdb.InterruptException."""
        for cursor in [*self._asking]:
            cursor.interrupt()
        if self._apart is not None:
            self._apart.interrupt()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of its own, in which bare names are those of the version.

        `polars.read_database` and `pandas.read_sql` take it too. In a sandbox it only reads, but knows no bounds
        of time and rows.
        """
        return self._cursor(self._limits.only_reads)

    def _cursor(self, may_only_read: bool = False) -> duckdb.DuckDBPyConnection:
        # One for each query: an unread Arrow stream owns its connection in DuckDB 2.
        cursor = Cursor(self._con.cursor(), search_path(self.version, CATALOG), may_only_read)
        return cast(duckdb.DuckDBPyConnection, cursor)

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as a polars LazyFrame over its files, under CAVE's name; filters reach the files.

        Args:
            table: CAVE's name, or `synapses` for the synapse table; the log says if only a part of them is here.
                What views derive is asked with `sql`.

        Raises:
            UsageError: the version has no such table.
        """
        called = SYNAPSE if table == "synapses" else table
        name = table_called(datastack_of(self.manifest.datastack), called) or called
        if name not in self.manifest.tables:
            here = ", ".join(sorted(self.manifest.tables))
            raise UsageError(
                f"version {self.version} has no table {table} to scan (there: {here}); a view is asked with "
                f'sql("FROM {table}").pl()'
            )
        entry = self.manifest.tables[name]
        if called == SYNAPSE and self.scope != "all":
            logger.warning("not all synapses are in this scan. %s", scope_text(self.manifest))
        if entry.table:
            frame: pl.LazyFrame = (
                self._cursor().sql(f"FROM {raw_schema_of(self.version)}.{quoted(name)}").pl(lazy=True)
            )
            return guarded(frame)
        return scan(Folder(self.path).version(self.version), entry)

    def describe(self, name: str | None = None) -> pl.DataFrame:
        """What there is to ask, or what the columns of a name mean.

        Args:
            name: a view, a table, or a macro without its arguments; None for all views and macros.

        Returns:
            column, type, unit and description; of all views and macros name, kind and summary.

        Raises:
            UsageError: there is no such name.
        """
        if name is None:
            return summaries(self._con, CATALOG, (schema_of(self.version), "main", "local"))
        schemas = (schema_of(self.version), raw_schema_of(self.version), "main", "local")
        return describe(self._con, CATALOG, schemas, name)

    def about(self, name: str) -> str:
        """What a row of a view, table or macro means, what people get wrong, how it is called, what to cite."""
        schemas = (schema_of(self.version), raw_schema_of(self.version), "main", "local")
        text = about(self._con, CATALOG, schemas, name)
        if name in TABLES and name not in self.manifest.tables:
            why = self.manifest.absent.get(name, "it was not fetched")
            text += f"\n\nEmpty here: version {self.version} of this warehouse has no rows of it ({why})."
        return text

    def register(self, name: str, frame: Any) -> None:
        """Make a frame (polars, pandas, Arrow) known to this session as `local.NAME`.

        The index of a pandas frame becomes a column where it has a name, or holds more than numbers of rows.

        Raises:
            UsageError: a column holds floats of 2^53 or more, which may stand for several ids.
        """
        cursor = self._con.cursor()
        cursor.register("_registered", _with_index(frame))
        columns = cursor.execute("DESCRIBE _registered").fetchall()
        floats = float_columns((row[0], row[1]) for row in columns)
        if floats:
            items = ", ".join(f"bool_or({condition})" for condition in floats.values())
            (found,) = cursor.execute(f"SELECT {items} FROM _registered").fetchall()
            if wrong := [column for column, is_wrong in zip(floats, found, strict=True) if is_wrong]:
                raise UsageError(float_ids_sentence(f"the frame for local.{name}", wrong))
        target = f"{CATALOG}.local.{quoted(name)}"
        existing = cursor.execute(
            "SELECT count(*) FROM duckdb_views() WHERE database_name = $catalog AND schema_name = 'local' "
            "AND view_name = $name",
            {"catalog": CATALOG, "name": name},
        ).fetchone()
        if existing != (0,):
            cursor.execute(f"DROP VIEW {target}")
        cursor.execute(f"CREATE OR REPLACE TABLE {target} AS FROM _registered")
        if self._apart is not None:
            self._apart.register(name, cursor.sql(f"FROM {target}").to_arrow_table())

    def ask_apart(self, session: Session) -> None:
        """Have `sql` answered by a process of its own, which opens this."""
        self._apart = Apart(session)

    def when_closed(self, do: Callable[[], object]) -> None:
        """Have something done after the session has let go of its files."""
        self._afterwards.callback(do)

    def close(self) -> None:
        """Give memory and files back."""
        if self._apart is not None:
            self._apart.close()
        self._con.close()
        self._afterwards.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        scope = f", synapses: {self.scope}" if self.scope else ", no synapses"
        return f"<Warehouse {self.manifest.title}{scope}, at {self.path}>"


def _list(ids: Any) -> list[Any]:
    """Ids as a list, of one id, of a text with commas or blanks between, or of any collection of them."""
    given = plain(ids)
    if (wrong := inexact(given)) is not None:
        raise UsageError(float_sentence("a list of ids", wrong))
    if isinstance(given, str):
        return given.strip("[]() ").replace(",", " ").split()
    return [given] if isinstance(given, int | float) else list(given)


def _with_index(frame: Any) -> Any:
    """A pandas frame with its index as a column, unless that only numbers rows."""
    if type(frame).__module__.partition(".")[0] != "pandas":
        return frame
    frame = frame.to_frame() if frame.ndim == 1 else frame
    index = frame.index
    if list(index.names) == [None] and (not len(index) or (index.dtype.kind in "iu" and index.max() < 2**31)):
        return frame
    taken = [name for name in index.names if name in frame.columns]
    names = [f"{name}_of_index" if name in taken else name or "index" for name in index.names]
    return (
        frame.rename_axis(names).reset_index() if index.nlevels > 1 else frame.rename_axis(names[0]).reset_index()
    )
