"""Opening a warehouse from Python: one read-only session on one version.

The catalog of microns.duckdb (views, macros, comments; no rows) is copied into memory, which takes some ten
milliseconds. So nothing holds the file: it can be rebuilt while sessions are open, and a session can have tables
of its own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb
import numpy as np
import numpy.typing as npt

from warehouse import encoding
from warehouse.build import default_version
from warehouse.datastacks import datastack_of, table_called
from warehouse.dictionary import about, describe, quoted, text_literal
from warehouse.errors import SnapshotNotFound, UsageError
from warehouse.layout import DEFAULT_DATASTACK, Folder
from warehouse.local_tables import create_local_views, float_ids, float_ids_sentence
from warehouse.manifest import Manifest, read_manifest
from warehouse.matrix import matrix
from warehouse.parameters import plain, with_variables
from warehouse.tables import SYNAPSE, TABLES
from warehouse.version_schema import raw_schema_of, schema_of, search_path

if TYPE_CHECKING:
    import polars as pl

logger = logging.getLogger(__name__)

_CATALOG = "microns"
_KEYS_PUSHED_TO_FILES = 5000
"""Up to so many ids a join opens only the files that hold them; DuckDB's own bound is 50."""


def connect(
    version: int | None = None,
    root: str | os.PathLike[str] | None = None,
    datastack: str = DEFAULT_DATASTACK,
    *,
    memory: str | None = None,
    threads: int | None = None,
    sandbox: bool = False,
) -> Warehouse:
    """Open a warehouse on one version.

    Args:
        version: the materialization version; without it the default one, which the log names.
        root: the folder of all datastacks, else $MICRONS_ROOT, else the platform's data folder.
        datastack: CAVE's name of the dataset.
        memory: upper bound of DuckDB's memory, in its words ("4GB").
        threads: number of threads.
        sandbox: whether SQL may only read and write inside the datastack's folder, for text of unknown origin.

    Raises:
        SnapshotNotFound: the version, or any, is not there; the sentence says how to get it.
    """
    folder = Folder.of(root, datastack)
    if version is not None:
        folder.require_version(version)
    if not folder.database.is_file():
        way_out = "run: microns build" if folder.versions() else "fetch a version with: microns snapshot 1718"
        raise SnapshotNotFound(f"there is no database at {folder.database}; {way_out}")
    con = _engine(folder, memory, threads)
    try:
        chosen = default_version(con, _CATALOG) if version is None else version
        known = con.execute(f"SELECT version FROM {_CATALOG}.main.versions").fetchall()
        if (chosen,) not in known:
            raise SnapshotNotFound(f"{folder.database} does not know version {chosen} yet; run: microns build")
        _lock(con, folder, sandbox)
        manifest = read_manifest(folder.manifest(chosen))
    except BaseException:
        con.close()
        raise
    logger.info("version %s of %s (%s)", chosen, datastack, manifest.time_stamp)
    return Warehouse(con, folder, manifest)


class Warehouse:
    """A session on one version: bare names in SQL are that version's views and CAVE's tables.

    Attributes:
        version: the materialization version.
        timestamp: the moment it describes, UTC.
        manifest: what is there, and where it comes from.
        path: the datastack's folder.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Folder, manifest: Manifest) -> None:
        self._con = con
        self._folder = folder
        self._afterwards = ExitStack()
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
    def path(self) -> Path:
        """The folder of the datastack."""
        return self._folder.path

    def sql(self, query: str, /, **parameters: Any) -> duckdb.DuckDBPyRelation:
        """Ask in SQL; fetch with `.pl()`, `.df()`, `.fetchall()` or `.to_arrow_table()`.

        Args:
            query: one statement; `$name` stands for a parameter.
            **parameters: their values; numpy's integers and arrays and polars' series are fine.

        Raises:
            UsageError: the query is a USE or SET, which would be forgotten before the next query; or the names in
                it are not those of the parameters.
        """
        cursor = self._cursor()
        if any(each.type == duckdb.StatementType.SET for each in cursor.extract_statements(query)):
            raise UsageError(
                f"{query.split()[0].upper()} has no effect here, each query begins afresh; choose a version with "
                "warehouse.connect(1718) or by name (FROM v1718.cells), memory and threads when you connect"
            )
        return cursor.sql(with_variables(cursor, query, parameters))

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

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as a polars LazyFrame over its files, under CAVE's name; filters reach the files.

        Args:
            table: CAVE's name, or `synapses` for the synapse table. What views derive is asked with `sql`.

        Raises:
            UsageError: the version has no such table.
        """
        called = SYNAPSE if table == "synapses" else table
        name = table_called(datastack_of(self._folder.datastack), called) or called
        if name not in self.manifest.tables:
            here = ", ".join(sorted(self.manifest.tables))
            raise UsageError(
                f"version {self.version} has no table {table} to scan (there: {here}); a view is asked with "
                f'sql("FROM {table}").pl()'
            )
        return encoding.scan(self._folder.version(self.version), self.manifest.tables[name])

    def describe(self, name: str) -> pl.DataFrame:
        """Columns of a view or table: column, type, unit, description."""
        schemas = (schema_of(self.version), raw_schema_of(self.version), "main", "local")
        return describe(self._con, _CATALOG, schemas, name)

    def about(self, name: str) -> str:
        """What a row of a view or table means, what makes people get it wrong, and what to cite."""
        schemas = (schema_of(self.version), raw_schema_of(self.version), "main", "local")
        text = about(self._con, _CATALOG, schemas, name)
        if name in TABLES and name not in self.manifest.tables:
            why = self.manifest.absent.get(name, "it was not fetched")
            text += f"\n\nEmpty here: version {self.version} of this warehouse has no rows of it ({why})."
        return text

    def register(self, name: str, frame: Any) -> None:
        """Make a frame (polars, pandas, Arrow) known to this session as `local.NAME`.

        Raises:
            UsageError: a column named like an id holds floats.
        """
        cursor = self._con.cursor()
        cursor.register("_registered", frame)
        columns = cursor.execute("DESCRIBE _registered").fetchall()
        if wrong := float_ids((row[0], row[1]) for row in columns):
            raise UsageError(float_ids_sentence(f"the frame for local.{name}", wrong))
        target = f"{_CATALOG}.local.{quoted(name)}"
        existing = cursor.execute(
            "SELECT count(*) FROM duckdb_views() WHERE database_name = $catalog AND schema_name = 'local' "
            "AND view_name = $name",
            {"catalog": _CATALOG, "name": name},
        ).fetchone()
        if existing != (0,):
            cursor.execute(f"DROP VIEW {target}")
        cursor.execute(f"CREATE OR REPLACE TABLE {target} AS FROM _registered")

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of its own for each query: an unread Arrow stream owns its connection in DuckDB 2."""
        cursor = self._con.cursor()
        cursor.execute(f"SET search_path = {text_literal(search_path(self.version, _CATALOG))}")
        return cursor

    def when_closed(self, do: Callable[[], object]) -> None:
        """Have something done after the session has let go of its files."""
        self._afterwards.callback(do)

    def close(self) -> None:
        """Give memory and files back."""
        self._con.close()
        self._afterwards.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Warehouse {self._folder.datastack} v{self.version} at {self._folder.path}>"


def _engine(folder: Folder, memory: str | None, threads: int | None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with a copy of the database's catalog."""
    config: dict[str, Any] = {"file_search_path": str(folder.path)}
    config |= {"memory_limit": memory} if memory else {}
    config |= {"threads": threads} if threads else {}
    con = duckdb.connect(config=config)
    con.execute(
        f"ATTACH {text_literal(str(folder.database))} AS _source (READ_ONLY); ATTACH ':memory:' AS {_CATALOG};"
        f"COPY FROM DATABASE _source TO {_CATALOG} (SCHEMA); DETACH _source; USE {_CATALOG}"
    )
    con.execute(
        "SET GLOBAL parquet_metadata_cache = true;"
        f"SET GLOBAL dynamic_or_filter_threshold = {_KEYS_PUSHED_TO_FILES}"
    )
    create_local_views(con, folder.local)
    return con


def _lock(con: duckdb.DuckDBPyConnection, folder: Folder, sandbox: bool) -> None:
    """Nobody may move the folder under the views' feet; in a sandbox, nothing outside of it exists."""
    if sandbox:
        con.execute(f"SET allowed_directories = [{text_literal(str(folder.path))}]")
        con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _list(ids: Any) -> list[Any]:
    """Ids as a list, of one id or of any collection of them."""
    given = plain(ids)
    return [given] if isinstance(given, int | float | str) else list(given)
