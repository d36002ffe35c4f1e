"""Files that say which root of one version became which root of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from warehouse.storage.checksum import SUMMED
from warehouse.storage.files import PARQUET, read_back
from warehouse.storage.manifest import DataFile, Lineage, Manifest
from warehouse.storage.paths import FILE, model_path
from warehouse.storage.quoting import literals

SIDES = SUMMED[1:]
"""The columns of both roots of a synapse."""


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


def write_lineage(
    con: duckdb.DuckDBPyConnection, directory: Path, version: int, before: str, after: str
) -> DataFile:
    """Write which root became which.

    Args:
        con: a connection.
        directory: the version's folder, being put together.
        version: the other one.
        before: has rows of that one: ids and both roots.
        after: has the rows that this version has of the same synapses.
    """
    became = " UNION ALL ".join(
        f"SELECT d.{side} AS other_root, n.{side} AS root FROM {before} AS d JOIN {after} AS n ON n.id = d.id"
        for side in SIDES
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
