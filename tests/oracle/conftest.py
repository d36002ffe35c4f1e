"""One warehouse of stress data for all tests of this folder, and the same rows for the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from msgspec.structs import replace

from tests.oracle.stress import FIRST, SECOND, Stress, frame
from tests.oracle.tables import Version
from warehouse.catalog.build import build
from warehouse.query.session import Warehouse, connect
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish
from warehouse.versions.store_difference import BaseVersion, store_difference


@dataclass(frozen=True)
class Both:
    """The same rows twice.

    Attributes:
        folder: the warehouse's.
        sessions: of each version.
        versions: what the oracle reads.
    """

    folder: Folder
    sessions: dict[int, Warehouse]
    versions: dict[int, Version]

    def ask(self, query: str, version: int) -> pl.DataFrame:
        found: pl.DataFrame = self.sessions[version].sql(query).pl()
        return found


def as_declared(name: str, rows: pl.DataFrame) -> pa.Table:
    """Rows with all columns of a table: those that are not given are NULL, or 0 where that is not allowed."""
    table, columns = TABLES[name], []
    for field in table.arrow_schema:
        if field.name in rows.columns:
            columns.append(rows[field.name].to_arrow().cast(field.type))
        elif table.column_of(field.name).nullable:
            columns.append(pa.nulls(len(rows), field.type))
        else:
            columns.append(pa.array(np.zeros(len(rows), dtype="int64")).cast(field.type))
    return pa.table(columns, schema=table.arrow_schema)


def stored(folder: Folder, tables: dict[int, dict[str, pa.Table]]) -> None:
    """Publish the versions: the first in the full layout, the second in full, the last against it."""
    for version, each in tables.items():
        draft, entries = folder.staging(version), {}
        for name, rows in each.items():
            table = TABLES[name]
            if name != SYNAPSE:
                entries[name] = write_table(draft, table, rows.sort_by(table.sort_by[0]), source="synthetic")
            elif version in (FIRST, SECOND):
                entries[name] = cluster_synapses(draft, table, rows, source="synthetic")
            else:
                base = BaseVersion.of(folder, SECOND)
                entries[name] = store_difference(draft, version, table, rows, base, source="synthetic")
        manifest = Manifest(folder.datastack, version, f"2026-01-01T00:00:0{version % 9}", entries)
        publish(folder, draft, replace(manifest, layout="full") if version == FIRST else manifest)
    build(folder)


def unknown_to_cave(version: int) -> frozenset[str]:
    return frozenset(
        name
        for name, table in TABLES.items()
        if (table.since or 0) > version or (table.until is not None and table.until <= version)
    )


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = Folder.of(tmp_path_factory.mktemp("stress") / "root")
    tables = {
        version: {name: as_declared(name, frame(rows)) for name, rows in each.items()}
        for version, each in Stress().tables.items()
    }
    stored(folder, tables)
    versions: dict[int, Version] = {}
    for version, each in tables.items():
        rows = {name: pl.DataFrame(pl.from_arrow(table)) for name, table in each.items()}
        versions[version] = Version(version, rows, unknown_to_cave(version), versions)
    sessions = {version: connect(version, folder.path.parent) for version in versions}
    yield Both(folder, sessions, versions)
    for session in sessions.values():
        session.close()
