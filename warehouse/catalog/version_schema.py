"""The schemas of one version: `v1718` with the curated views, `v1718_cave` with the tables as CAVE names them.

Every version gets every curated name. After `USE v943` a missing name would silently answer from `main`, that is
from the default version; so a view that cannot answer is made to refuse with a sentence instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

import duckdb

from warehouse.catalog.comments import comment_on_macro, comment_on_view
from warehouse.catalog.macros import arguments, sample_call
from warehouse.catalog.references import Reference, rewrite, scalar_expression
from warehouse.catalog.version_texts import raw_schema_of, raw_select, schema_of, texts_of_version
from warehouse.catalog.views import View, table_texts
from warehouse.errors import ViewError
from warehouse.registry.datastacks import Datastack, datastack_of, table_called
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.encoding import logical_select
from warehouse.storage.manifest import Manifest
from warehouse.storage.quoting import empty_select, quoted, refusing_select, text_literal

Storing: TypeAlias = Callable[[Manifest], Manifest]
IN_MAIN = ("versions", "id_map", "root_lineage", "_id_history", "_orphan_history")
"""What spans versions and can be named by a version's views and macros; those are made after it."""

_ROWS_HERE = {
    "proofread": "only the outputs of proofread axons",
    "neurons": "only synapses between segments that have a nucleus",
    "cells": "only the synapses of chosen cells",
    "proofread+cells": "only the outputs of proofread axons and the synapses of chosen cells",
}
_SNAPSHOT_SCOPES = ("all", "proofread", "neurons")
_BUNDLES = {
    "proofread": "all proofread axons (microns bundle --proofread)",
    "cells": "the cells that you ask about (microns bundle --cells)",
}


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


def create_version(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, views: Mapping[str, View], store: Storing
) -> Manifest:
    """Create both schemas of a version in the current database; returns the manifest as `store` left it.

    `store` is called when all that it stores is there: the rest is bound much sooner over files than over views.
    """
    con.execute(f"CREATE SCHEMA {schema_of(manifest.version)}; CREATE SCHEMA {raw_schema_of(manifest.version)}")
    declared = {table_called(datastack_of(manifest.datastack), name): table for name, table in TABLES.items()}
    for name in dict.fromkeys((*filter(None, declared), *manifest.tables)):
        _create_raw(con, manifest, name, declared.get(name))
    late = _late(views)
    here = [view for view in views.values() if not (view.spans_versions or view.name in late)]
    first = _below((view.name for view in here if view.store and view.name not in manifest.stored_views), views)
    _create(con, manifest, (view for view in here if view.name in first), views)
    manifest = store(manifest)
    _create(con, manifest, (view for view in here if view.name not in first), views)
    return manifest


def _create(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, some: Iterable[View], views: Mapping[str, View]
) -> None:
    texts = texts_of_version(manifest)
    for view in some:
        own = replace(view, text=texts[view.name], found=()) if view.name in texts else view
        make = _create_macro if view.is_macro else create_curated
        make(con, manifest, own, views)


def _below(names: Iterable[str], views: Mapping[str, View]) -> set[str]:
    """Some views and all that they are built on."""
    found = set(names)
    for view in reversed(list(views.values())):  # each comes after those it is built on
        if view.name in found:
            found |= view.dependencies(views)
    return found


def create_default_views(con: duckdb.DuckDBPyConnection, default: int, views: Mapping[str, View]) -> None:
    """In `main`, every public name of the default version."""
    late = _late(views)
    for view in views.values():
        if not (view.hidden or view.spans_versions or view.name in late):
            _create_default(con, schema_of(default), view)


def create_compared(
    con: duckdb.DuckDBPyConnection, manifests: Mapping[int, Manifest], views: Mapping[str, View], store: Storing
) -> dict[int, Manifest]:
    """What is stored of a version beside others; `store` is called for each. A version alone has none of it."""
    compared = [views[name] for name in _late(views) if views[name].store]
    found = {}
    for version, manifest in manifests.items():
        _create(con, manifest, compared, views)
        if len(manifests) > 1:
            manifest = store(manifest)
        else:
            for view in compared:  # else each look-up would plan a comparison with nothing
                described = con.execute(f"DESCRIBE {schema_of(version)}.{view.name}").fetchall()
                nothing = empty_select({name: kind for name, kind, *_ in described})
                create_curated(con, manifest, replace(view, text=nothing, found=()), views)
        found[version] = manifest
    return found


def create_late(
    con: duckdb.DuckDBPyConnection, manifests: Iterable[Manifest], default: int, views: Mapping[str, View]
) -> None:
    """What needs what spans versions: DuckDB makes no macro before all that it names is there."""
    late = [views[name] for name in _late(views) if not views[name].store]
    for manifest in manifests:
        _create(con, manifest, late, views)
    for view in late:
        if not view.hidden:
            _create_default(con, schema_of(default), view)


def is_compared(view: View) -> bool:
    """Whether the rows of a view are about other versions too."""
    return bool({each.name for each in view.found if not each.raw} & {*IN_MAIN})


def _late(views: Mapping[str, View]) -> list[str]:
    late: dict[str, None] = {}
    for view in views.values():  # each comes after those it is built on
        names = {each.name for each in view.found if not each.raw}
        if not view.spans_versions and names & {*IN_MAIN, *late}:
            late[view.name] = None
    return list(late)


def _create_default(con: duckdb.DuckDBPyConnection, schema: str, view: View) -> None:
    if view.is_macro:
        call = f"{schema}.{view.name}({', '.join(arguments(view))})"
        body = call if view.is_scalar else f"TABLE FROM {call}"
        con.execute(f"CREATE MACRO main.{view.name}{view.signature} AS {body}")
        comment_on_macro(con, "main", view)
    else:
        con.execute(f"CREATE VIEW main.{view.name} AS FROM {schema}.{view.name}")
        comment_on_view(con, "main", view.name, view.comment, view.columns)


def resolver(version: int, views: Mapping[str, View], datastack: Datastack) -> Callable[[Reference], str | None]:
    """What a name in a SQL file stands for in a version: a function for `warehouse.catalog.references.rewrite`."""

    def resolve(reference: Reference) -> str | None:
        view = None if reference.raw else views.get(reference.name)
        if reference.call:
            return f"{schema_of(version)}.{reference.name}" if view else None
        if not reference.raw and reference.name in IN_MAIN:
            return f"main.{reference.name}"
        if view is not None:
            return f"{schema_of(version)}.{view.name}"
        if (table := table_called(datastack, reference.name)) is None:
            raise ViewError(f"{reference.name} is neither a view under sql/ nor a table in warehouse/tables.py")
        return f"{raw_schema_of(version)}.{quoted(table)}"

    return resolve


def refusal(manifest: Manifest, view: View) -> str | None:
    """Why a view cannot answer in a version, as a sentence with the way out; None when it can."""
    datastack = datastack_of(manifest.datastack)
    for group in view.requires:
        names = [table_called(datastack, name) or name for name in group]
        if not any(name in manifest.tables for name in names):
            needs = f"{view.name} needs the table {' or '.join(names)}, which"
            if all(name in manifest.absent for name in names):
                return f"{needs} version {manifest.version} does not have: {manifest.absent[names[0]]}"
            return (
                f"{needs} is not here for version {manifest.version}; "
                f"fetch it with: microns snapshot {manifest.version} {_order(group[0], names[0])}"
            )
    scope = synapse_scope(manifest)
    # What is stored was made where it could be: a bundle carries rows that could not be made from its synapses.
    if scope is None or view.name in manifest.stored_views or answers_in(view, scope):
        return None
    enough = next(each for each in (*view.scope, "all") if each in _SNAPSHOT_SCOPES)
    bundled = [text for word, text in _BUNDLES.items() if word in view.scope and "bundle" in manifest.tools]
    return (
        f"{view.name} would be wrong: version {manifest.version} here holds "
        f"{_ROWS_HERE.get(scope, f'only the scope {scope!r}')}; "
        f"{''.join(f'ask for a bundle with {text}, or ' for text in bundled[:1])}"
        f"fetch what it needs with: microns snapshot {manifest.version} --synapses {enough}"
    )


def answers_in(view: View, scope: str) -> bool:
    """Whether a view is right where the synapses are those of a scope; in `a+b` it is if it is in one of them."""
    return not view.scope or not set(view.scope).isdisjoint(scope.split("+"))


def _order(declared: str, name: str) -> str:
    """What `microns snapshot VERSION` must be given to fetch a table."""
    return TABLES[declared].order if declared in TABLES and TABLES[declared].kind == "skeleton" else name


def synapse_scope(manifest: Manifest) -> str | None:
    """Which synapses a version holds; None when it holds no synapse table."""
    entry = manifest.tables.get(table_called(datastack_of(manifest.datastack), SYNAPSE) or "")
    return entry.scope if entry else None


def _create_raw(con: duckdb.DuckDBPyConnection, manifest: Manifest, name: str, table: Table | None) -> None:
    schema, entry = raw_schema_of(manifest.version), manifest.tables.get(name)
    con.execute(f"CREATE VIEW {schema}.{quoted(name)} AS {raw_select(manifest.version, table, entry)}")
    if table is not None:
        warnings = (f"Mind: {warning}" for warning in table.warnings)
        doc = "\n\n".join((table.description, *warnings, f"Cite: {', '.join(table.citation)}."))
        comment_on_view(con, schema, name, doc, table_texts(table, datastack_of(manifest.datastack)))
    elif entry is not None:
        columns = dict.fromkeys(entry.columns, "Not described here; see the schema of the table in CAVE")
        comment_on_view(
            con, schema, name, entry.description or "A table of CAVE that is not described here", columns
        )


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
    con.execute(f"CREATE OR REPLACE VIEW {schema}.{view.name} AS\n{text}\n")
    # Of steps that nobody is shown, the file says what a column means: a quarter of all statements of a build.
    comment_on_view(con, schema, view.name, view.comment, {} if view.hidden else view.columns)


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
