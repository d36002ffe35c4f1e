"""The views in `main` that span versions: which versions and tables are here, and which cell is which in each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from warehouse.catalog.comments import DATA_DICTIONARY, DATA_DICTIONARY_COLUMNS, comment_on_view
from warehouse.catalog.comparing import create_comparisons, create_spanning, of_all
from warehouse.catalog.macros import MACRO_COLUMNS, MACROS, column_rows, macro_rows
from warehouse.catalog.references import Reference, rewrite
from warehouse.catalog.version_schema import create_late, synapse_scope
from warehouse.catalog.views import VIEWS_VERSION, View
from warehouse.registry.tables import TABLES
from warehouse.storage.manifest import Manifest
from warehouse.storage.quoting import quoted, text_literal

_VERSIONS = {
    "version": ("BIGINT", "Materialization version of CAVE"),
    "time_stamp": ("TIMESTAMP", "The moment that the version describes, UTC"),
    "is_default": ("BOOLEAN", "Whether plain names (cells) answer from this version"),
    "n_tables": ("BIGINT", "Number of tables that are here"),
    "n_bytes": ("BIGINT", "Size of all files of the version; NULL in a bundle, which is one file [byte]"),
    "synapse_scope": (
        "VARCHAR",
        "Which synapses are here: all, proofread, neurons, in a bundle also cells; NULL where there are none",
    ),
}
_PROVENANCE = {
    "version": ("BIGINT", "Materialization version of CAVE"),
    "table_name": ("VARCHAR", "Table, under CAVE's name"),
    "source": ("VARCHAR", "Where it was fetched from: cave, archive, delta, synthetic; NULL where absent"),
    "url": ("VARCHAR", "Address it was fetched from"),
    "source_sha256": ("VARCHAR", "SHA-256 of the file it was read from; NULL where it was no single file"),
    "scope": ("VARCHAR", "Which rows are here: all, or which synapses"),
    "n_rows": ("BIGINT", "Number of rows"),
    "time_stamp": ("TIMESTAMP", "The moment that the version describes, UTC"),
    "fetched": ("TIMESTAMP", "When the table was fetched, UTC"),
    "tools": ("VARCHAR", "Versions of what fetched and wrote it, as JSON"),
    "absent_reason": ("VARCHAR", "Why a known table is not here; NULL where it is"),
    "views_version": ("BIGINT", "The meaning of the curated views: numbers from different ones may differ"),
}
_ID_MAP = {
    "nucleus_id": ("BIGINT", "The cell: its id in the table of nuclei, the same in every version"),
    "version": ("BIGINT", "Materialization version of CAVE"),
    "pt_root_id": ("BIGINT", "Its look-up root in that version; 0 or 1 where it has no segment"),
    "pt_supervoxel_id": ("BIGINT", "The supervoxel at its look-up point, which no edit changes"),
}
_ID_HISTORY = {
    "id": ("BIGINT", "Root id or nucleus id"),
    "version": ("BIGINT", "A version that knows it"),
    "nucleus_id": ("BIGINT", "The nucleus; of a root with several the smallest, NULL for an orphan piece"),
}
_ID_HISTORY_DOC = "Which ids of cells and proofread segments each local version knows, one row per version and id."
_ORPHAN_HISTORY = {
    "root": ("BIGINT", "Root id of a segment without a nucleus"),
    "version": ("BIGINT", "A version in whose synapses it occurs"),
}
_ORPHAN_HISTORY_DOC = "Which other segments each local version knows, one row per version and segment."
_ID_MAP_DOC = (
    "Which root id each nucleus has in each local version, one row per nucleus and version.\n\n"
    "A root id is only valid in its version; to carry a cell to another version, go through its nucleus. That "
    "says where the nucleus is, not where all of its former root went: `cell_synapse_changes` counts the synapses "
    "that the cell kept, gained and lost, `root_lineage` has every part of a root, of segments without a nucleus "
    "too. Where the supervoxel of a nucleus differs between versions, its look-up point was moved, and the two "
    "roots need not have anything in common. "
    "A version whose table of nuclei is not here has no rows."
)


def create_histories(
    con: duckdb.DuckDBPyConnection, manifests: Mapping[int, Manifest], views: Mapping[str, View]
) -> None:
    """Create in `main` of the current database what tells the same cell, segment or row of several versions."""
    create_spanning(con, "id_map", _ID_MAP_DOC, _ID_MAP, of_all(manifests, views, "_nuclei", _ID_MAP))
    create_comparisons(con, manifests, views)
    rows = of_all(manifests, views, "_id_index", _ID_HISTORY)
    create_spanning(con, "_id_history", _ID_HISTORY_DOC, _ID_HISTORY, rows)
    # A look-up asks for those of other versions: one that is alone has none.
    rows = of_all(manifests, views, "_orphans", _ORPHAN_HISTORY) if len(manifests) > 1 else ""
    create_spanning(con, "_orphan_history", _ORPHAN_HISTORY_DOC, _ORPHAN_HISTORY, rows)


def create_spanning_views(
    con: duckdb.DuckDBPyConnection, manifests: Mapping[int, Manifest], default: int, views: Mapping[str, View]
) -> None:
    """Create all others in `main`, and what in the versions is built on them."""
    rows = [_version_row(manifest, default) for manifest in manifests.values()]
    create_spanning(
        con, "versions", "The versions that are here, one row each.", _VERSIONS, constant_rows(_VERSIONS, rows)
    )
    rows = [row for manifest in manifests.values() for row in _provenance_rows(manifest)]
    doc = "Where every table of every version comes from, or why it is not here."
    create_spanning(con, "provenance", doc, _PROVENANCE, constant_rows(_PROVENANCE, rows))
    for view in views.values():
        if view.spans_versions:
            con.execute(f"CREATE VIEW main.{view.name} AS\n{rewrite(view.text, view.found, _in_main)}\n")
            comment_on_view(con, "main", view.name, view.comment, view.columns)
    doc = "Every macro: how it is called, what it answers, and an example."
    create_spanning(con, "macros", doc, MACROS, constant_rows(MACROS, macro_rows(views)))
    doc = "What the columns of macros mean, one row per macro and column."
    columns = constant_rows(MACRO_COLUMNS, column_rows(views))
    create_spanning(con, "_macro_columns", doc, MACRO_COLUMNS, columns)
    create_late(con, manifests.values(), default, views)
    doc = "Every view, table and macro with its columns, their units and what they mean."
    create_spanning(con, "data_dictionary", doc, DATA_DICTIONARY_COLUMNS, DATA_DICTIONARY)


def constant_rows(columns: Mapping[str, tuple[str, str]], rows: Iterable[Sequence[Any]]) -> str:
    """A SELECT of constant rows with the declared types."""
    items = ", ".join(f"{quoted(name)}::{kind} AS {quoted(name)}" for name, (kind, _) in columns.items())
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"SELECT {items} FROM (VALUES {values}) AS v ({', '.join(map(quoted, columns))})"


def _literal(value: Any) -> str:
    if value is None or value == "":
        return "NULL"
    return text_literal(value) if isinstance(value, str) else str(value)


def _in_main(reference: Reference) -> str | None:
    return None if reference.call else f"main.{reference.name}"


def _version_row(manifest: Manifest, default: int) -> Sequence[Any]:
    size = sum(file.bytes for file in manifest.files) or None
    return (
        manifest.version, manifest.time_stamp, manifest.version == default, len(manifest.tables), size,
        synapse_scope(manifest),
    )  # fmt: skip


def _provenance_rows(manifest: Manifest) -> Iterable[Sequence[Any]]:
    tools = json.dumps(manifest.tools, sort_keys=True)
    for name in sorted({*TABLES, *manifest.tables}):
        entry = manifest.tables.get(name)
        if entry is not None:
            what = (entry.source, entry.url, entry.source_sha256, entry.scope, entry.rows)
            how = (manifest.time_stamp, entry.fetched, tools, None)
            yield (manifest.version, name, *what, *how, VIEWS_VERSION)
        else:
            reason = manifest.absent.get(name, "not fetched")
            nothing = (None,) * 5
            yield (manifest.version, name, *nothing, manifest.time_stamp, None, None, reason, VIEWS_VERSION)
