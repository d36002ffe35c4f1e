"""Views whose rows are stored: computed once from a version's tables, read from Parquet ever after.

Which views, and in what order of rows, their headers say (`store:`). What was stored is made anew only when the
view's text, or anything below it, is no longer what it was made from; so a new table of cells remakes what depends
on cells and nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from warehouse.catalog.refusal import refusal
from warehouse.catalog.schemas import schema_of
from warehouse.catalog.version_schema import create_curated
from warehouse.catalog.views import View
from warehouse.registry.datastacks import Datastack, datastack_of, table_called
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.disk import disk_errors
from warehouse.storage.encoding import decode_sql, encode, encoding_for, parquet_options, parquet_source, ranges
from warehouse.storage.files import now, read_back
from warehouse.storage.lineage import current_lineages
from warehouse.storage.manifest import Encoding, Manifest, TableEntry
from warehouse.storage.paths import FILE, Folder, model_path
from warehouse.storage.publish import move_to_generations
from warehouse.storage.quoting import quoted, text_literal
from warehouse.storage.voxels import as_in_version

log = logging.getLogger(__name__)

_KNOWN = "_known_ids"
"""The view that says which ids a version knows."""
_ROW_GROUP = 32_768
"""Small, because these rows are looked up by the cell: one look-up unpacks one or two groups."""
_VALUES = 262_144
"""In a row group at least, so that a long and narrow table has not too many of them."""


def store_views(
    con: duckdb.DuckDBPyConnection,
    folder: Folder,
    manifest: Manifest,
    views: Mapping[str, View],
    draft: Path,
    others: Mapping[int, Manifest] | None = None,
) -> Manifest:
    """Store what is to be stored and is not, or no longer right; returns the manifest as it then is.

    Args:
        con: where the schemas of the version have been created from `manifest`.
        folder: of the datastack.
        manifest: of the version, as `without_stale` returns it.
        views: all views.
        draft: a folder to put the files together in, on the disk of `folder`; it is moved away.
        others: all versions, to store what is about them as well; without them all else is stored.
    """
    prints = _fingerprints(manifest, views, others or {})
    stale = [views[name] for name in prints if name not in manifest.stored_views]
    stale = [view for view in stale if view.is_cross_version == (others is not None)]
    if not stale:
        return manifest
    with disk_errors(draft):
        draft.mkdir(parents=True)
        made = {view.name: _store(con, draft, manifest, view, prints[view.name]) for view in stale}
    manifest = move_to_generations(folder, draft, replace(manifest, stored_views=manifest.stored_views | made))
    shutil.rmtree(draft, ignore_errors=True)
    for view in stale:
        create_curated(con, manifest, view, views)
    return manifest


def without_stale(manifest: Manifest, views: Mapping[str, View], others: Mapping[int, Manifest]) -> Manifest:
    """The manifest, of all versions, without stored views that are no longer what they were made from."""
    prints = _fingerprints(manifest, views, others)
    right = {name: entry for name, entry in manifest.stored_views.items() if entry.made_from == prints.get(name)}
    return replace(manifest, stored_views=right)


def _fingerprints(manifest: Manifest, views: Mapping[str, View], others: Mapping[int, Manifest]) -> dict[str, str]:
    """Of every view to be stored that can answer: a hash of its text and of all that is below it."""
    prints = _prints(manifest, views, _history(manifest, views, others))
    alone = others.keys() <= {manifest.version}
    stored = [name for name in prints if _is_stored(manifest, views[name])]
    return {name: prints[name] for name in stored if not (alone and views[name].is_cross_version)}


def _prints(manifest: Manifest, views: Mapping[str, View], history: Sequence[str] = ()) -> dict[str, str]:
    datastack = datastack_of(manifest.datastack)
    prints: dict[str, str] = {}
    sizes = [f"{name} {size}" for name, size in sorted(as_in_version(manifest).tables_voxel_nm.items())]
    for view in views.values():  # each comes after those it is built on
        below = [prints[name] for name in sorted(view.dependencies(views))]
        files = [each for name in _tables(view, views, datastack) for each in _hashes(manifest, name)]
        content = (
            view.text,
            *view.store,
            str(view.row_group),
            view.buckets,
            *below,
            *files,
            *(history if view.is_cross_version else ()),
            *sizes,
        )
        prints[view.name] = hashlib.sha256("\n".join(content).encode()).hexdigest()
    return prints


def _history(manifest: Manifest, views: Mapping[str, View], others: Mapping[int, Manifest]) -> list[str]:
    """What a view that is about other versions is made from: which ids they know, and what became of these."""
    prints = {each.version: _prints(each, views)[_KNOWN] for each in others.values()}
    prints.pop(manifest.version, None)
    pairs = current_lineages(others)
    lineages = [lineage.file.sha256 for pair, (_, lineage) in sorted(pairs.items()) if manifest.version in pair]
    return [*(f"{version} {prints[version]}" for version in sorted(prints)), *lineages]


def _is_stored(manifest: Manifest, view: View) -> bool:
    asked_for = bool(view.store) and view.layout in ("", manifest.layout)
    return asked_for and refusal(manifest, view) is None


def _tables(view: View, views: Mapping[str, View], datastack: Datastack) -> list[str]:
    named = {each.name for each in view.found if not each.call and (each.raw or each.name not in views)}
    return sorted(table_called(datastack, name) or name for name in named)


def _hashes(manifest: Manifest, table: str) -> list[str]:
    return manifest.tables[table].content if table in manifest.tables else []


def _store(
    con: duckdb.DuckDBPyConnection, draft: Path, manifest: Manifest, view: View, made_from: str
) -> TableEntry:
    """Write the rows of a view in order, and let the views above it read them from there."""
    log.info("version %d: storing %s", manifest.version, view.name)
    name = f"{schema_of(manifest.version)}.{view.name}"
    described = con.execute(f"DESCRIBE FROM {name}").fetchall()
    columns = {row[0]: row[1] for row in described}
    encoding = encoding_for(columns)
    together = view.row_group or max(_ROW_GROUP, _VALUES // len(columns))
    target = draft / model_path(view.name.removeprefix("_"))
    batches = _batches(con, name, view, manifest, together)
    if view.buckets == "kept":
        paths = [_write(target / f"b={n}", rows, encoding, together) for n, rows in _by_bucket(batches)]
    else:
        paths = [_write(target, batches, encoding, together)]
    # A row that is there twice is for `microns check` to find: it must not keep a database from being built.
    files = [read_back(draft, path, view.store, f"the view {view.name}", unique=False) for path in paths]
    rows = sum(file.rows for file in files)
    entry = TableEntry("view", "", "all", columns, rows, files, encoding, fetched=now(), made_from=made_from)
    source = parquet_source([text_literal(str(target))], view.buckets == "kept")
    con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {decode_sql(encoding, columns)} FROM {source} AS s")
    return entry


def _batches(
    con: duckdb.DuckDBPyConnection, name: str, view: View, manifest: Manifest, together: int
) -> Iterator[pa.Table]:
    """The rows of a view in order, some `together`; never empty, so that a file without rows names its columns."""
    order = ", ".join(map(quoted, ("b", *view.store) if view.buckets == "kept" else view.store))
    for where in _segments_of_buckets(view, manifest) if view.buckets == "made" else [""]:
        reader = con.sql(f"FROM {name} {where} ORDER BY {order}").to_arrow_reader(together)
        yield reader.schema.empty_table()
        yield from map(pa.Table.from_batches, ([batch] for batch in reader))


def _segments_of_buckets(view: View, manifest: Manifest) -> Iterator[str]:
    """For each bucket of the synapse table, the condition that the view is about one of the segments in it."""
    synapses = manifest.tables.get(table_called(datastack_of(manifest.datastack), SYNAPSE) or "")
    for low, high in ranges(synapses.bounds if synapses else []):
        yield f"WHERE {quoted(view.store[0])} >= {low} AND {quoted(view.store[0])} < {high}"


def _by_bucket(batches: Iterable[pa.Table]) -> Iterator[tuple[int, Iterator[pa.Table]]]:
    """The rows of each bucket, without its number, which is the name of a folder."""
    for bucket, pieces in groupby(_pieces(batches), itemgetter(0)):
        yield bucket, (rows for _, rows in pieces)


def _pieces(batches: Iterable[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    rows, is_empty = None, True
    for batch in batches:
        numbers, rows = batch["b"].to_numpy(), batch.drop_columns("b")
        starts = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
        for start, stop in pairwise([*starts, len(numbers)]):
            is_empty = False
            yield int(numbers[start]), rows.slice(start, stop - start)
    if is_empty and rows is not None:  # a table without rows still needs a file that names its columns
        yield 0, rows


def _write(folder: Path, batches: Iterable[pa.Table], encoding: Encoding, together: int) -> Path:
    folder.mkdir(parents=True)
    path = folder / FILE
    stored = (encode(encoding, batch) for batch in batches)
    first = next(stored)
    with pq.ParquetWriter(path, first.schema, **parquet_options(first.schema)) as writer:
        for rows in chain([first], stored):
            if rows.num_rows:
                writer.write_table(rows, row_group_size=together)
    return path
