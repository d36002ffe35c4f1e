"""The DuckDB behind a session: a copy in memory of what a database answers to, over rows that stay in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.catalog.settings import SETTINGS
from warehouse.errors import SnapshotDamaged
from warehouse.query.reading import acting_function
from warehouse.storage.attach import attach
from warehouse.storage.encoding import rows_schema_of
from warehouse.storage.manifest import Manifest, manifest_from
from warehouse.storage.quoting import quoted, text_literal

CATALOG = "microns"
"""What a session calls its database."""
MANIFEST_TABLE = "_manifest"
"""In a bundle, the table beside a version's rows that holds its manifest as JSON text."""


GET_AGAIN = "get it again with: microns get"


_CLOSED: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
}
"""No code and no password comes from anywhere else, whatever is opened."""


def connect_to_copy(
    database: Path, folder: Path, memory: str | None, threads: int | None, *, is_trusted: bool
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with a copy of a database's catalog, whose paths begin in the folder.

    Args:
        database: the file.
        folder: of the datastack.
        memory: upper bound of DuckDB's memory, in its words.
        threads: number of threads.
        is_trusted: whether its SQL may read other files than those of the folder.

    Raises:
        FolderBusy, SnapshotDamaged: the database cannot be read; see `attach`.
    """
    con = _connect(memory, threads, folder)
    try:
        attach(con, database, "_source")
        if not is_trusted:
            con.execute(f"SET allowed_directories = [{text_literal(str(folder))}]; {_NO_ACCESS}")
            _require_only_reads(con, database, "_source")
        _copy_names(con, "_source")
        con.execute("DETACH _source")
    except BaseException:
        con.close()
        raise
    return con


def connect_to_bundle(
    path: Path, memory: str | None, threads: int | None, *, is_trusted: bool
) -> tuple[duckdb.DuckDBPyConnection, Manifest]:
    """An in-memory DuckDB with a bundle's names, which read the rows of its file; and its manifest.

    Args:
        path: the file.
        memory: upper bound of DuckDB's memory, in its words.
        threads: number of threads.
        is_trusted: whether its SQL may read other files.

    Raises:
        FolderBusy, SnapshotDamaged: the file cannot be read, or is no bundle.
    """
    con = _connect(memory, threads, path.parent)
    try:
        attach(con, path, "_bundle", GET_AGAIN)
        if not is_trusted:
            con.execute(_NO_ACCESS)
            _require_only_reads(con, path, "_bundle")
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '_bundle'"
        ).fetchall()
        con.execute("USE _bundle")
        manifest = _manifest_of(con, path, [schema for schema, name in tables if name == MANIFEST_TABLE])
        con.execute("USE memory")
        _copy_names(con, "_bundle")
        for schema, name in tables:
            table = f"{quoted(schema)}.{quoted(name)}"
            con.execute(f"DROP TABLE {CATALOG}.{table}; CREATE VIEW {CATALOG}.{table} AS FROM _bundle.{table}")
    except duckdb.Error as error:
        con.close()
        raise SnapshotDamaged(f"{path} is damaged ({str(error).splitlines()[0]}); {GET_AGAIN}") from error
    except BaseException:
        con.close()
        raise
    return con, manifest


def _require_only_reads(con: duckdb.DuckDBPyConnection, database: Path, catalog: str) -> None:
    """See that no view, macro or table of somebody else calls a function that does more than read.

    Some of those take an address in memory, and read there.

    Raises:
        SnapshotDamaged: one does.
    """
    definitions = con.execute(
        f"""
        SELECT view_name, sql FROM duckdb_views() WHERE database_name = '{catalog}'
        UNION ALL SELECT table_name, sql FROM duckdb_tables() WHERE database_name = '{catalog}'
        UNION ALL SELECT function_name, macro_definition FROM duckdb_functions() WHERE database_name = '{catalog}'
        """
    ).fetchall()
    for name, text in definitions:
        if text and (called := acting_function(text)):
            raise SnapshotDamaged(
                f"{name} in {database} calls {called}, which does more than read, and nobody here made it; if you "
                "trust who did, open it with: warehouse.connect(..., trust=True)"
            )


_NO_ACCESS = "SET enable_external_access = false"


def _connect(memory: str | None, threads: int | None, folder: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"file_search_path": str(folder), **_CLOSED}
    config |= {"memory_limit": memory} if memory else {}
    config |= {"threads": threads} if threads else {}
    con = duckdb.connect(config=config)
    con.execute(f"ATTACH ':memory:' AS {CATALOG}")
    return con


def _copy_names(con: duckdb.DuckDBPyConnection, source: str) -> None:
    con.execute(f"COPY FROM DATABASE {source} TO {CATALOG} (SCHEMA); USE {CATALOG}; {'; '.join(SETTINGS)}")


def lock(con: duckdb.DuckDBPyConnection, folder: Path | None, sandbox: bool) -> None:
    """Nobody may move the folder under the views' feet; in a sandbox, nothing outside of it exists."""
    if sandbox and con.execute("SELECT current_setting('enable_external_access')").fetchone() == (True,):
        if folder is not None:
            con.execute(f"SET allowed_directories = [{text_literal(str(folder))}]")
        con.execute(_NO_ACCESS)
    con.execute("SET lock_configuration = true")


def bundle_manifest(path: Path) -> Manifest:
    """The manifest of a bundle. Nothing else of the file is read, and nothing that stands in it is run.

    Raises:
        SnapshotDamaged: it is no bundle.
    """
    with duckdb.connect() as con:
        attach(con, path, "bundle", GET_AGAIN)
        con.execute("SET enable_external_access = false; USE bundle")
        try:
            found = con.execute(
                f"SELECT schema_name FROM duckdb_tables() WHERE table_name = {text_literal(MANIFEST_TABLE)}"
            ).fetchall()
            return _manifest_of(con, path, [schema for (schema,) in found])
        except duckdb.Error as error:
            raise SnapshotDamaged(f"{path} is damaged ({str(error).splitlines()[0]}); {GET_AGAIN}") from error


def _manifest_of(con: duckdb.DuckDBPyConnection, path: Path, schemas: list[str]) -> Manifest:
    """The manifest that lies beside the rows of a bundle, in the only schema that has one."""
    found = [con.execute(f"SELECT * FROM {quoted(schema)}.{MANIFEST_TABLE}").fetchall() for schema in schemas]
    match found:
        case [[(str(text),)]] if schemas == [rows_schema_of((manifest := manifest_from(text, path)).version)]:
            return manifest
    raise SnapshotDamaged(
        f"{path} is no bundle; get it again with: microns get; the database of a warehouse is opened by "
        "connect(root=...)"
    )
