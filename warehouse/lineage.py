"""Which root of one version became which root of another: found through the synapses that both have.

A version that was stored against another one was compared with it row by row already. Any other two are compared
when a database is built: a root id is immutable, so a side of a synapse has another root in one version just when
that root is not in the other one at all. Few rows have such roots; they are sought in the other version by id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from warehouse.checksum import SUMMED
from warehouse.datastacks import datastack_of, table_called
from warehouse.dictionary import quoted
from warehouse.disk import disk_errors
from warehouse.layout import FILE, Folder, model_path
from warehouse.manifest import DataFile, Lineage, Manifest, read_manifest
from warehouse.publish import publish, require_unchanged
from warehouse.store import PARQUET, literals, read_back
from warehouse.tables import SYNAPSE
from warehouse.version_schema import refusal
from warehouse.version_texts import raw_schema_of, schema_of
from warehouse.views import View

log = logging.getLogger(__name__)

_SIDES = SUMMED[1:]


def store_lineages(
    con: duckdb.DuckDBPyConnection,
    folder: Folder,
    manifest: Manifest,
    others: Mapping[int, Manifest],
    views: Mapping[str, View],
    assembled: Path,
) -> Manifest:
    """Compare a version with all earlier ones, where that was not done yet; returns its manifest as it then is.

    Args:
        con: where the schemas of this version and of all earlier ones have been created.
        folder: of the datastack.
        manifest: of the version.
        others: of all versions.
        views: all views.
        assembled: a folder to put the files together in, on the disk of `folder`; it is moved away.
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
    with disk_errors(assembled):
        assembled.mkdir(parents=True)
        for other in missing:
            log.info("version %d: following the roots of version %d", manifest.version, other.version)
            file = _compared(con, assembled, name, (other, manifest), views)
            found[other.version] = Lineage(other.version, file, other.tables[name].fingerprint)
    require_unchanged(folder, manifest)
    tables = manifest.tables | {name: replace(entry, lineages=list(found.values()))}
    publish(folder, assembled, replace(manifest, tables=tables))
    return read_manifest(folder.manifest(manifest.version))


def current_lineages(manifests: Mapping[int, Manifest]) -> dict[tuple[int, int], tuple[int, Lineage]]:
    """What is known of pairs of versions, the earlier first: in whose folder, and what.

    What was made from synapses of another version that have been replaced since is left out.
    """
    return {
        (min(version, lineage.version), max(version, lineage.version)): (version, lineage)
        for version, manifest in manifests.items()
        for name, entry in manifest.tables.items()
        for lineage in entry.lineages
        if lineage.version in manifests
        and (other := manifests[lineage.version].tables.get(name)) is not None
        and lineage.made_from == other.fingerprint
    }


def _compared(
    con: duckdb.DuckDBPyConnection,
    assembled: Path,
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
    touching = " OR ".join(f"{side} IN (FROM fresh)" for side in _SIDES)
    con.execute(
        f"CREATE TEMP TABLE moved_v{few.version} AS SELECT {columns} FROM {rows[few.version]} WHERE {touching};"
        f"CREATE TEMP TABLE moved_v{many.version} AS SELECT {columns} FROM {rows[many.version]} AS r "
        f"SEMI JOIN moved_v{few.version} AS m ON m.id = r.id"
    )
    before, after = (f"moved_v{each.version}" for each in pair)
    file = write_lineage(con, assembled, pair[0].version, before, after)
    con.execute(f"DROP TABLE fresh; DROP TABLE {before}; DROP TABLE {after}")
    return file


def _roots(manifest: Manifest, rows: Mapping[int, str], views: Mapping[str, View]) -> str:
    """The segments of a version, from where they are listed, else from its synapses."""
    if refusal(manifest, views["_known_ids"]) is None:
        return f"SELECT id AS root FROM {schema_of(manifest.version)}._known_ids"
    return " UNION ".join(f"SELECT {side} AS root FROM {rows[manifest.version]}" for side in _SIDES)


def write_lineage(
    con: duckdb.DuckDBPyConnection, directory: Path, version: int, before: str, after: str
) -> DataFile:
    """Write which root became which.

    Args:
        con: an engine.
        directory: the version's folder, being put together.
        version: the other one.
        before: has rows of that one: ids and both roots.
        after: has the rows that this version has of the same synapses.
    """
    became = " UNION ALL ".join(
        f"SELECT d.{side} AS other_root, n.{side} AS root FROM {before} AS d JOIN {after} AS n ON n.id = d.id"
        for side in _SIDES
    )
    lineage = (
        f"SELECT other_root, root, count(*) AS n_sides FROM ({became}) "
        "WHERE other_root <> root AND other_root NOT IN (0, 1) AND root NOT IN (0, 1) GROUP BY ALL"
    )
    return write_list(con, directory, f"root_lineage_v{version}", lineage, ("other_root", "root"))


def write_list(
    con: duckdb.DuckDBPyConnection, directory: Path, name: str, query: str, order: Sequence[str]
) -> DataFile:
    """Write the rows of a query under `model/`, in order."""
    path = directory / model_path(name) / FILE
    path.parent.mkdir(parents=True)
    con.execute(f"COPY (FROM ({query}) ORDER BY {', '.join(order)}) TO {literals([path])} ({PARQUET})")
    return read_back(directory, path, order, name)
