"""Which root of one version became which root of another: found through the synapses that both have.

A version that was stored against another one was compared with it row by row already. Any other two are compared
when a database is built: a root id is immutable, so a side of a synapse has another root in one version just when
that root is not in the other one at all. Few rows have such roots; they are sought in the other version by id.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
from msgspec.structs import replace

from warehouse.catalog.refusal import refusal
from warehouse.catalog.schemas import raw_schema_of, schema_of
from warehouse.catalog.views import View
from warehouse.registry.datastacks import datastack_of, table_called
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.checksum import SUMMED
from warehouse.storage.disk import disk_errors
from warehouse.storage.lineage import SIDES, current_lineages, write_lineage
from warehouse.storage.manifest import DataFile, Lineage, Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import move_to_generations
from warehouse.storage.quoting import quoted

log = logging.getLogger(__name__)


def store_lineages(
    con: duckdb.DuckDBPyConnection,
    folder: Folder,
    manifest: Manifest,
    others: Mapping[int, Manifest],
    views: Mapping[str, View],
    draft: Path,
) -> Manifest:
    """Compare a version with all earlier ones, where that was not done yet; returns its manifest as it then is.

    Args:
        con: where the schemas of this version and of all earlier ones have been created.
        folder: of the datastack.
        manifest: of the version.
        others: of all versions.
        views: all views.
        draft: a folder to put the files together in, on the disk of `folder`; it is moved away.
    """
    name = table_called(datastack_of(manifest.datastack), SYNAPSE) or ""
    earlier = [each for each in others.values() if each.version < manifest.version]
    known = current_lineages({**others, manifest.version: manifest})
    missing = [each for each in earlier if name in manifest.tables and name in each.tables]
    missing = [each for each in missing if (each.version, manifest.version) not in known]
    if not missing:
        return manifest
    entry = manifest.tables[name]
    found = {each.version: each for each in entry.lineages}
    with disk_errors(draft):
        draft.mkdir(parents=True)
        for other in missing:
            log.info("version %d: following the roots of version %d", manifest.version, other.version)
            file = _compared(con, draft, name, (other, manifest), views)
            found[other.version] = Lineage(other.version, file, other.tables[name].fingerprint)
    tables = manifest.tables | {name: replace(entry, lineages=list(found.values()))}
    placed = move_to_generations(folder, draft, replace(manifest, tables=tables))
    shutil.rmtree(draft, ignore_errors=True)
    return placed


def _compared(
    con: duckdb.DuckDBPyConnection,
    draft: Path,
    name: str,
    pair: tuple[Manifest, Manifest],
    views: Mapping[str, View],
) -> DataFile:
    """What became of the roots of the first version of a pair in the second one."""
    few, many = sorted(pair, key=lambda each: each.tables[name].rows)
    rows = {each.version: f"{raw_schema_of(each.version)}.{quoted(name)}" for each in pair}
    columns = ", ".join(SUMMED)
    con.execute(
        f"CREATE TEMP TABLE fresh AS SELECT DISTINCT f.root FROM ({_roots(few, rows, views)}) AS f "
        f"ANTI JOIN ({_roots(many, rows, views)}) AS m ON m.root = f.root WHERE f.root NOT IN (0, 1)"
    )
    touching = " OR ".join(f"{side} IN (FROM fresh)" for side in SIDES)
    con.execute(
        f"CREATE TEMP TABLE moved_v{few.version} AS SELECT {columns} FROM {rows[few.version]} WHERE {touching};"
        f"CREATE TEMP TABLE moved_v{many.version} AS SELECT {columns} FROM {rows[many.version]} AS r "
        f"SEMI JOIN moved_v{few.version} AS m ON m.id = r.id"
    )
    before, after = (f"moved_v{each.version}" for each in pair)
    file = write_lineage(con, draft, pair[0].version, before, after)
    con.execute(f"DROP TABLE fresh; DROP TABLE {before}; DROP TABLE {after}")
    return file


def _roots(manifest: Manifest, rows: Mapping[int, str], views: Mapping[str, View]) -> str:
    """The segments of a version, from where they are listed, else from its synapses."""
    if refusal(manifest, views["_known_ids"]) is None:
        return f"SELECT id AS root FROM {schema_of(manifest.version)}._known_ids"
    return " UNION ".join(f"SELECT {side} AS root FROM {rows[manifest.version]}" for side in SIDES)
