"""Views whose rows are stored: computed once from a version's tables, read from Parquet ever after.

Which views, and in what order of rows, their headers say (`store:`). What was stored is made anew only when the
view's text, or anything below it, is no longer what it was made from; so a new table of cells remakes what depends
on cells and nothing else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.datastacks import Datastack, datastack_of, table_called
from warehouse.dictionary import quoted, text_literal
from warehouse.disk import disk_errors
from warehouse.encoding import decode_sql, encode, encoding_for, parquet_options
from warehouse.layout import Folder, model_path
from warehouse.manifest import Manifest, TableEntry, read_manifest
from warehouse.publish import publish, require_unchanged
from warehouse.store import now, read_back
from warehouse.version_schema import create_curated, refusal, schema_of
from warehouse.views import View

log = logging.getLogger(__name__)

_ROW_GROUP = 32_768
"""Small, because these rows are looked up by the cell: one look-up unpacks one or two groups."""
_VALUES = 262_144
"""In a row group at least, so that a long and narrow table has not too many of them."""
_LONG_ROW_GROUP = 122_880
"""For all synapses in another order: planning looks at every group."""


def store_models(
    con: duckdb.DuckDBPyConnection, folder: Folder, manifest: Manifest, views: Mapping[str, View], assembled: Path
) -> Manifest:
    """Store what is to be stored and is not, or no longer right; returns the manifest as it then is.

    Args:
        con: where the schemas of the version have been created from `manifest`.
        folder: of the datastack.
        manifest: of the version, as `without_stale` returns it.
        views: all views.
        assembled: a folder to put the files together in, on the disk of `folder`; it is moved away.
    """
    prints = _fingerprints(manifest, views)
    stale = [views[name] for name in prints if name not in manifest.models]
    published = read_manifest(folder.manifest(manifest.version))
    if not stale and published.models.keys() == manifest.models.keys():
        return manifest
    with disk_errors(assembled):
        assembled.mkdir(parents=True)
        made = {view.name: _store(con, assembled, manifest, view, prints[view.name]) for view in stale}
    manifest = replace(manifest, models=manifest.models | made)
    require_unchanged(folder, manifest)
    publish(folder, assembled, manifest)
    for view in stale:
        create_curated(con, manifest, view, views)
    return manifest


def without_stale(manifest: Manifest, views: Mapping[str, View]) -> Manifest:
    """The manifest without stored views that are no longer what they were made from."""
    prints = _fingerprints(manifest, views)
    right = {name: entry for name, entry in manifest.models.items() if entry.made_from == prints.get(name)}
    return replace(manifest, models=right)


def _fingerprints(manifest: Manifest, views: Mapping[str, View]) -> dict[str, str]:
    """Of every view to be stored that can answer: a hash of its text and of all that is below it."""
    datastack = datastack_of(manifest.datastack)
    prints: dict[str, str] = {}
    for view in views.values():  # each comes after those it is built on
        below = sorted(view.dependencies(views))
        files = [each for name in _tables(view, views, datastack) for each in _hashes(manifest, name)]
        content = "\n".join((view.text, *view.store, *(prints[name] for name in below), *files))
        prints[view.name] = hashlib.sha256(content.encode()).hexdigest()
    return {name: prints[name] for name in prints if _is_stored(manifest, views[name])}


def _is_stored(manifest: Manifest, view: View) -> bool:
    asked_for = bool(view.store) and view.layout in ("", manifest.layout)
    return asked_for and refusal(manifest, view) is None


def _tables(view: View, views: Mapping[str, View], datastack: Datastack) -> list[str]:
    named = {each.name for each in view.found if not each.call and (each.raw or each.name not in views)}
    return sorted(table_called(datastack, name) or name for name in named)


def _hashes(manifest: Manifest, table: str) -> list[str]:
    return manifest.tables[table].content if table in manifest.tables else []


def _store(
    con: duckdb.DuckDBPyConnection, assembled: Path, manifest: Manifest, view: View, made_from: str
) -> TableEntry:
    """Write the rows of a view in order, and let the views above it read them from there."""
    log.info("version %d: storing %s", manifest.version, view.name)
    name = f"{schema_of(manifest.version)}.{view.name}"
    rows = con.sql(f"FROM {name} ORDER BY {', '.join(map(quoted, view.store))}")
    columns = dict(zip(rows.columns, map(str, rows.types), strict=True))
    path = assembled / model_path(view.name.removeprefix("_")) / "part-0.parquet"
    path.parent.mkdir(parents=True)
    together = _LONG_ROW_GROUP if view.layout else max(_ROW_GROUP, _VALUES // len(columns))
    _write(path, rows.to_arrow_reader(together), encoding_for(columns))
    # A row that is there twice is for `microns check` to find: it must not keep a database from being built.
    file = read_back(assembled, path, view.store, f"the view {view.name}", unique=False)
    entry = TableEntry(
        "view", "", "all", columns, file.rows, [file], encoding_for(columns), fetched=now(), made_from=made_from
    )
    source = f"read_parquet({text_literal(str(path))})"
    con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {decode_sql(entry.encoding, columns)} FROM {source}")
    return entry


def _write(path: Path, rows: pa.RecordBatchReader, encoding: str) -> None:
    schema = encode(encoding, rows.schema.empty_table()).schema
    with pq.ParquetWriter(path, schema, **parquet_options(schema)) as writer:
        for batch in rows:
            writer.write_table(encode(encoding, pa.Table.from_batches([batch])))
