"""Whose SQL a bundle carries: this release's own, another release's, or somebody else's."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from warehouse.bundle.write import create_names
from warehouse.catalog.build import STORAGE
from warehouse.catalog.views import VIEWS_VERSION
from warehouse.errors import WarehouseError
from warehouse.query.connection import GET_AGAIN, MANIFEST_TABLE, bundle_manifest
from warehouse.storage.attach import attach
from warehouse.storage.encoding import rows_schema_of
from warehouse.storage.manifest import Manifest
from warehouse.storage.quoting import quoted, text_literal

_FEW = 5
_MADE = re.compile(r"CREATE (OR REPLACE )?(TEMPORARY )?\w+ (?P<name>[^ (]+)")
_EXCLUDED = re.compile(r"EXCLUDE \(([^()]*)\)")
_SAFE = "like every bundle, it opens without access to other files"


def origin(bundle: Path) -> str:
    """One sentence on whose views and macros a bundle has; none of them is run.

    The names are made again from the bundle's manifest, over empty tables, and their texts are compared. A bundle
    of another release has other texts, so nothing is said of it but that.

    Raises:
        FolderBusy, SnapshotDamaged: the file cannot be read, or is no bundle.
    """
    manifest = bundle_manifest(bundle)
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        there = Path(folder)
        attach(con, bundle, "bundle", GET_AGAIN)
        con.execute(f"SET allowed_directories = [{text_literal(folder)}]; SET enable_external_access = false")
        theirs = _definitions(con, "bundle", there / "theirs")
        if manifest.tools.get("views") != str(VIEWS_VERSION):
            return f"its views are those of another release of microns-warehouse, so nobody compared them; {_SAFE}"
        try:
            _make_anew(con, manifest, there / "anew.duckdb")
            ours = _definitions(con, "anew", there / "ours")
        except (duckdb.Error, WarehouseError):
            return f"its views are not those that this release makes of its tables; {_SAFE}"
    strange = sorted({_named(each) for each in theirs ^ ours})
    if not strange:
        return "its views and macros are those that this release makes"
    some = ", ".join(strange[:_FEW]) + (f" and {len(strange) - _FEW} more" if len(strange) > _FEW else "")
    return f"not all of its views and macros are those that this release makes ({some}); {_SAFE}"


def _make_anew(con: duckdb.DuckDBPyConnection, manifest: Manifest, path: Path) -> None:
    """A database `anew` with the names that this release makes of a manifest, over tables without rows.

    A file, like the bundle: what DuckDB reads from one is spelled otherwise than what it was told.
    """
    rows = rows_schema_of(manifest.version)
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'bundle' AND schema_name = ?", [rows]
    ).fetchall()
    con.execute(
        f"ATTACH {text_literal(str(path))} AS anew (STORAGE_VERSION '{STORAGE}'); USE anew; CREATE SCHEMA {rows}"
    )
    for name in {name for (name,) in tables} - {MANIFEST_TABLE}:
        table = f"{rows}.{quoted(name)}"
        con.execute(f"CREATE TABLE {table} AS FROM bundle.{table} LIMIT 0")
    create_names(con, manifest)
    con.execute("USE memory; DETACH anew")
    attach(con, path, "anew")


def _definitions(con: duckdb.DuckDBPyConnection, catalog: str, folder: Path) -> frozenset[str]:
    """The statements that would make all that is in a database, defaults of macros and of columns included."""
    con.execute(f"ATTACH ':memory:' AS names; COPY FROM DATABASE {catalog} TO names (SCHEMA); USE names")
    con.execute(f"EXPORT DATABASE {text_literal(str(folder))}; USE memory; DETACH names")
    text = (folder / "schema.sql").read_text("utf-8")
    return frozenset(_EXCLUDED.sub(_in_order, each.query.strip()) for each in duckdb.extract_statements(text))


def _in_order(excluded: re.Match[str]) -> str:
    """What a star leaves out, in order: DuckDB turns it around each time that it writes the file."""
    return f"EXCLUDE ({', '.join(sorted(excluded[1].split(', ')))})"


def _named(definition: str) -> str:
    """What a statement makes: the word before its parenthesis, or before AS."""
    made = _MADE.match(definition)
    return made["name"].replace('"', "") if made else definition[:20]
