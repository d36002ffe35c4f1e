"""The schemas of one version: `v1718` with the curated views, `v1718_cave` with the tables as CAVE names them.

Every version gets every curated name. After `USE v943` a missing name would silently answer from `main`, that is
from the default version; so a view that cannot answer is made to refuse with a sentence instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import duckdb

from warehouse.catalog.base_relations import AllVersions, of_all, of_version
from warehouse.catalog.comments import comment_on_macro, comment_on_view
from warehouse.catalog.macros import arguments, sample_call
from warehouse.catalog.references import Reference, rewrite, scalar_expression
from warehouse.catalog.refusal import refusal, scope_text, synapse_scope
from warehouse.catalog.schemas import raw_schema_of, raw_select, schema_of
from warehouse.catalog.views import View, load_views, table_texts
from warehouse.errors import SnapshotDamaged, ViewError
from warehouse.registry.datastacks import Datastack, citations_of, datastack_of, declared_tables, table_called
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.encoding import logical_select
from warehouse.storage.manifest import Manifest
from warehouse.storage.quoting import empty_select, quoted, refusing_select, text_literal
from warehouse.storage.voxels import as_in_version


def search_path(version: int, catalog: str = "") -> str:
    """Where bare names are looked up: curated views, then CAVE's tables, then what spans versions."""
    schemas = (schema_of(version), raw_schema_of(version), "main")
    return ",".join(f"{catalog}.{schema}" if catalog else schema for schema in schemas)


def create_path_macro(con: duckdb.DuckDBPyConnection) -> None:
    """`main._path(p)`: p below `file_search_path` where that is set; plain p for a shell started in the folder."""
    con.execute(
        "CREATE MACRO main._path(path) AS "
        "coalesce(nullif(current_setting('file_search_path'), '') || '/', '') || path"
    )


def create_tables(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Create both schemas of a version, and the tables under CAVE's names."""
    con.execute(f"CREATE SCHEMA {schema_of(manifest.version)}; CREATE SCHEMA {raw_schema_of(manifest.version)}")
    declared = declared_tables(datastack_of(manifest.datastack))
    for name in dict.fromkeys((*declared, *manifest.tables)):
        _create_raw(con, manifest, name, declared.get(name))


def create_in_version(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, view: View, views: Mapping[str, View]
) -> None:
    """Create a view or macro of a version."""
    if view.made == "of each version":
        view = replace(view, text=of_version(view, manifest), found=())
    (_create_macro if view.is_macro else create_curated)(con, manifest, view, views)


def create_without_rows(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, view: View, views: Mapping[str, View]
) -> None:
    """Create a view of a version with its columns and no rows, which the planner knows."""
    create_curated(con, manifest, view, views)
    described = con.execute(f"DESCRIBE {schema_of(manifest.version)}.{view.name}").fetchall()
    nothing = empty_select({name: kind for name, kind, *_ in described})
    create_curated(con, manifest, replace(view, text=nothing, found=()), views)


def create_default_name(con: duckdb.DuckDBPyConnection, manifest: Manifest, view: View) -> None:
    """Create a view or macro in `main` that is the one of a version."""
    schema = schema_of(manifest.version)
    if view.is_macro:
        call = f"{schema}.{view.name}({', '.join(arguments(view))})"
        body = call if view.is_scalar else f"TABLE FROM {call}"
        con.execute(f"CREATE MACRO main.{view.name}{view.signature} AS {body}")
        comment_on_macro(con, "main", view)
    else:
        con.execute(f"CREATE VIEW main.{view.name} AS FROM {schema}.{view.name}")
        comment_on_view(con, "main", view.name, view.comment, _texts(manifest, view))


def create_in_main(
    con: duckdb.DuckDBPyConnection, view: View, versions: AllVersions, datastack: Datastack
) -> None:
    """Create a view that spans versions; what it names of a version is the default one's."""
    if view.made == "of all versions":
        text = of_all(view, versions)
    else:
        text = rewrite(view.text, view.found, resolver(versions.default, versions.views, datastack))
    con.execute(f"CREATE VIEW main.{view.name} AS\n{text}\n")
    comment_on_view(con, "main", view.name, view.comment, {} if view.hidden else view.columns)


def resolver(version: int, views: Mapping[str, View], datastack: Datastack) -> Callable[[Reference], str | None]:
    """What a name in a SQL file stands for in a version: a function for `warehouse.catalog.references.rewrite`."""

    def resolve(reference: Reference) -> str | None:
        view = None if reference.raw else views.get(reference.name)
        if view is not None:
            return f"{'main' if view.spans_versions else schema_of(version)}.{view.name}"
        if reference.call:
            return None
        if (table := table_called(datastack, reference.name)) is None:
            raise ViewError(
                f"{reference.name} is neither a view under sql/ nor a table in warehouse/registry/tables"
            )
        return f"{raw_schema_of(version)}.{quoted(table)}"

    return resolve


def _create_raw(con: duckdb.DuckDBPyConnection, manifest: Manifest, name: str, table: Table | None) -> None:
    schema, entry = raw_schema_of(manifest.version), manifest.tables.get(name)
    with _rows_as_the_manifest_says(manifest, name):
        con.execute(f"CREATE VIEW {schema}.{quoted(name)} AS {raw_select(manifest.version, table, entry)}")
    if table is not None:
        warnings = (f"Mind: {warning}" for warning in table.warnings)
        scope = _scope_said(manifest) if table.name == SYNAPSE else ()
        datastack = as_in_version(manifest)
        cite = f"Cite: {', '.join(citations_of(datastack, table))}."
        doc = "\n\n".join((table.description, *warnings, *scope, cite))
        comment_on_view(con, schema, name, doc, table_texts(table, name, datastack))
    elif entry is not None:
        columns = dict.fromkeys(entry.columns, "Not described here; see the schema of the table in CAVE")
        comment_on_view(
            con, schema, name, entry.description or "A table of CAVE that is not described here", columns
        )


_OTHERWISE = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.InvalidInputException,
    duckdb.IOException,
)
"""What DuckDB raises where a file is not what it was said to be."""


@contextmanager
def _rows_as_the_manifest_says(manifest: Manifest, name: str) -> Iterator[None]:
    """Where DuckDB first looks into the files of a table."""
    try:
        yield
    except (
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.InvalidInputException,
        duckdb.IOException,
    ) as error:
        version = manifest.version
        raise SnapshotDamaged(
            f"what the manifest of version {version} says of {name!r} is not so ({str(error).splitlines()[0]}); "
            f"remove the folder v{version} and fetch it again with: microns snapshot {version}"
        ) from error


def create_curated(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, view: View, views: Mapping[str, View]
) -> None:
    """(Re)create a view of a version: over its stored rows where it has them, refusing where it cannot answer."""
    schema = schema_of(manifest.version)
    resolve = resolver(manifest.version, views, datastack_of(manifest.datastack))
    stored = manifest.stored_views.get(view.name)
    text = logical_select(manifest.version, stored) if stored else rewrite(view.text, view.found, resolve)
    if (sentence := refusal(manifest, view)) is not None:
        described = con.execute(f"DESCRIBE FROM (\n{text}\n)").fetchall()
        text = refusing_select(((row[0], row[1]) for row in described), sentence)
    with _rows_as_the_manifest_says(manifest, view.name) if stored else nullcontext():
        con.execute(f"CREATE OR REPLACE VIEW {schema}.{view.name} AS\n{text}\n")
    said = _scope_said(manifest) if sentence is None and "post_is_complete" in view.columns else ()
    # Of steps that nobody is shown, the file says what a column means: a quarter of all statements of a build.
    comment_on_view(con, schema, view.name, "\n\n".join((view.comment, *said)), _texts(manifest, view))


def _texts(manifest: Manifest, view: View) -> Mapping[str, str]:
    """What the columns of a view mean in a version, whose voxels may have another size."""
    if view.hidden:
        return {}
    datastack = as_in_version(manifest)
    return load_views(datastack)[view.name].columns if datastack.tables_voxel_nm else view.columns


def _scope_said(manifest: Manifest) -> tuple[str, ...]:
    """What is to be said of rows that are a part of all."""
    if synapse_scope(manifest) in (None, "all"):
        return ()
    return (
        f"Mind: not all rows are here. {scope_text(manifest)} Count only where the flags of completeness hold.",
    )


def _create_macro(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, view: View, views: Mapping[str, View]
) -> None:
    schema = schema_of(manifest.version)
    text = rewrite(view.text, view.found, resolver(manifest.version, views, datastack_of(manifest.datastack)))
    body = f"({scalar_expression(view.text, text)})" if view.is_scalar else f"TABLE {text}"
    name = f"{schema}.{view.name}"
    con.execute(f"CREATE MACRO {name}{view.signature} AS {body}")
    if (sentence := refusal(manifest, view)) is not None:
        if view.is_scalar:
            body = f"(error({text_literal(sentence)}))"
        else:
            described = con.execute(f"DESCRIBE FROM {sample_call(schema, view)}").fetchall()
            body = f"TABLE {refusing_select(((row[0], row[1]) for row in described), sentence)}"
        con.execute(f"CREATE OR REPLACE MACRO {name}{view.signature} AS {body}")
    comment_on_macro(con, schema, view)
