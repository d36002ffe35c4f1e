"""Making microns.duckdb: views, macros and comments over what is in a datastack's folder. It holds no rows.

The file is made beside the old one and takes its place in one step. Nothing is scanned; the cost is some seconds
for many versions, so there is no such thing as a partial rebuild.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.datastacks import datastack_of
from warehouse.dictionary import quoted, text_literal
from warehouse.errors import FolderBusy, SnapshotNotFound, UsageError
from warehouse.layout import Folder
from warehouse.local_tables import create_local_views
from warehouse.manifest import Manifest, read_manifest, replace_file
from warehouse.spanning import create_spanning_views
from warehouse.version_schema import create_default_views, create_version, search_path
from warehouse.views import load_views

_STORAGE = "v1.2.0"
"""Read by every DuckDB from 1.2 on; files in 2.0's own format do not open in 1.x."""


def build(folder: Folder, default: int | None = None) -> Path:
    """(Re)create the database of a datastack; returns its path.

    Args:
        folder: of the datastack.
        default: the version that plain names answer from. Without it the present default stays; in a new
            database it is the version that was published first.

    Raises:
        SnapshotNotFound: there is no version, or not the one asked for.
        UsageError: the folder's path has a wildcard in it, or the present default cannot be read.
        FolderBusy: another program holds the database (Windows).
    """
    manifests = {version: read_manifest(folder.manifest(version)) for version in folder.versions()}
    if not manifests:
        raise SnapshotNotFound(f"there is no version in {folder.path}; fetch one with: microns snapshot 1718")
    if wild := sorted(set("*?[") & set(str(folder.path))):
        raise UsageError(
            f"{folder.path} has {' '.join(wild)} in its name, which DuckDB reads as wildcards; rename it"
        )
    if default is not None:
        folder.require_version(default)
    chosen = default if default is not None else _present_default(folder, manifests)
    temporary = folder.path / f".{folder.database.name}.{os.getpid()}"
    try:
        temporary.unlink(missing_ok=True)
        with _database(temporary, folder) as con:
            _fill(con, folder, manifests, chosen)
        _take_place(temporary, folder.database)
    finally:
        temporary.unlink(missing_ok=True)
    replace_file(folder.init_sql, _init_sql(folder, chosen).encode())
    return folder.database


def default_version(con: duckdb.DuckDBPyConnection, catalog: str) -> int:
    """The default version that an attached database remembers."""
    row = con.execute(f"SELECT version FROM {quoted(catalog)}.main.versions WHERE is_default").fetchone()
    if row is None:
        raise SnapshotNotFound(f"the database {catalog} has no default version; make it anew with: microns build")
    return int(row[0])


def _fill(con: duckdb.DuckDBPyConnection, folder: Folder, manifests: dict[int, Manifest], default: int) -> None:
    views = load_views(datastack_of(folder.datastack))
    con.execute("BEGIN")
    con.execute(
        "CREATE MACRO main._path(path) AS "
        "coalesce(nullif(current_setting('file_search_path'), '') || '/', '') || path"
    )
    for manifest in manifests.values():
        create_version(con, manifest, views)
    create_default_views(con, default, views)
    create_spanning_views(con, manifests, default, views)
    con.execute("COMMIT")  # before a file under local/ that cannot be read could abort it
    create_local_views(con, folder.local)


@contextmanager
def _database(path: Path, folder: Folder) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"file_search_path": str(folder.path)}) as con:
        con.execute(f"ATTACH {text_literal(str(path))} AS microns (STORAGE_VERSION '{_STORAGE}'); USE microns")
        yield con
        con.execute("USE memory; DETACH microns")


def _present_default(folder: Folder, manifests: dict[int, Manifest]) -> int:
    if folder.database.is_file():
        with duckdb.connect() as con:
            try:
                con.execute(f"ATTACH {text_literal(str(folder.database))} AS present (READ_ONLY)")
                remembered = default_version(con, "present")
            except duckdb.Error as error:
                raise UsageError(
                    f"{folder.database} cannot be read, so its default version is unknown ({error}); "
                    "say which one you want: microns build --default VERSION"
                ) from error
        if remembered in manifests:
            return remembered
    return min(manifests, key=lambda version: (manifests[version].published, version))


def _take_place(temporary: Path, database: Path) -> None:
    try:
        temporary.replace(database)
    except PermissionError as error:
        raise FolderBusy(
            f"{database} is open in another program; close it there and run again: microns build"
        ) from error


def _init_sql(folder: Folder, default: int) -> str:
    return (
        f"-- For a DuckDB shell started outside of {folder.path}; `microns path --shell` prints the line.\n"
        "-- After moving the folder run `microns build`, or start the shell inside of it without this file.\n"
        f"SET GLOBAL file_search_path = {text_literal(str(folder.path))};\n"
        f"SET search_path = {text_literal(search_path(default))};\n"
    )
