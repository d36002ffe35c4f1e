"""The DuckDB behind a session: a copy in memory of what a database answers to, over rows that stay in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.catalog.settings import SETTINGS
from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.storage.attach import MADE_ANEW, attach
from warehouse.storage.encoding import rows_schema_of
from warehouse.storage.manifest import Manifest, manifest_from
from warehouse.storage.quoting import quoted, text_literal

CATALOG = "microns"
"""What a session calls its database."""
MANIFEST_TABLE = "_manifest"
"""In a bundle, the table beside a version's rows that holds its manifest as JSON text."""


GET_AGAIN = "get it again with: microns get"


def connect_to_copy(
    database: Path, folder: Path, memory: str | None, threads: int | None, way_out: str = MADE_ANEW
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with a copy of a database's catalog, whose paths begin in the folder.

    Raises:
        FolderBusy, SnapshotDamaged: the database cannot be read; see `attach`, also for `way_out`.
    """
    config: dict[str, Any] = {"file_search_path": str(folder)}
    config |= {"memory_limit": memory} if memory else {}
    config |= {"threads": threads} if threads else {}
    con = duckdb.connect(config=config)
    try:
        attach(con, database, "_source", way_out)
    except WarehouseError:
        con.close()
        raise
    con.execute(
        f"ATTACH ':memory:' AS {CATALOG};"
        f"COPY FROM DATABASE _source TO {CATALOG} (SCHEMA); DETACH _source; USE {CATALOG}"
    )
    con.execute("; ".join(SETTINGS))
    return con


def lock(con: duckdb.DuckDBPyConnection, folder: Path | None, sandbox: bool) -> None:
    """Nobody may move the folder under the views' feet; in a sandbox, nothing outside of it exists."""
    if sandbox:
        if folder is not None:
            con.execute(f"SET allowed_directories = [{text_literal(str(folder))}]")
        con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def read_rows_in_place(con: duckdb.DuckDBPyConnection, path: Path) -> Manifest:
    """Let the copied names of a bundle read the rows of its file; returns its manifest."""
    attach(con, path, "_bundle", GET_AGAIN)
    tables = con.execute(
        f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = {text_literal(CATALOG)}"
    ).fetchall()
    for schema, name in tables:
        table = f"{quoted(schema)}.{quoted(name)}"
        con.execute(f"DROP TABLE {CATALOG}.{table}; CREATE VIEW {CATALOG}.{table} AS FROM _bundle.{table}")
    return _manifest_of(con, path, [schema for schema, name in tables if name == MANIFEST_TABLE])


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
