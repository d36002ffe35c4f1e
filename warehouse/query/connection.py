"""The DuckDB behind a session: a copy in memory of what a database answers to, over rows that stay in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.catalog.settings import SETTINGS
from warehouse.errors import SnapshotDamaged
from warehouse.storage.encoding import rows_schema_of
from warehouse.storage.manifest import Manifest, manifest_from
from warehouse.storage.quoting import quoted, text_literal

CATALOG = "microns"
"""What a session calls its database."""
MANIFEST_TABLE = "_manifest"
"""In a bundle, the table beside a version's rows that holds its manifest as JSON text."""


def connect_to_copy(
    database: Path, folder: Path, memory: str | None, threads: int | None
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with a copy of a database's catalog, whose paths begin in the folder."""
    config: dict[str, Any] = {"file_search_path": str(folder)}
    config |= {"memory_limit": memory} if memory else {}
    config |= {"threads": threads} if threads else {}
    con = duckdb.connect(config=config)
    try:
        con.execute(f"ATTACH {text_literal(str(database))} AS _source (READ_ONLY)")
    except duckdb.Error as error:
        con.close()
        raise SnapshotDamaged(
            f"{database} is no DuckDB file that can be read ({error}); make it anew with: "
            "microns build --default VERSION"
        ) from error
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
    con.execute(f"ATTACH {text_literal(str(path))} AS _bundle (READ_ONLY)")
    tables = con.execute(
        f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = {text_literal(CATALOG)}"
    ).fetchall()
    for schema, name in tables:
        table = f"{quoted(schema)}.{quoted(name)}"
        con.execute(f"DROP TABLE {CATALOG}.{table}; CREATE VIEW {CATALOG}.{table} AS FROM _bundle.{table}")
    schemas = [schema for schema, name in tables if name == MANIFEST_TABLE]
    found = [con.execute(f"SELECT * FROM {quoted(schema)}.{MANIFEST_TABLE}").fetchall() for schema in schemas]
    match found:
        case [[(str(text),)]] if schemas == [rows_schema_of((manifest := manifest_from(text, path)).version)]:
            return manifest
    raise SnapshotDamaged(
        f"{path} is no bundle; get it again with: microns get; the database of a warehouse is opened by "
        "connect(root=...)"
    )
