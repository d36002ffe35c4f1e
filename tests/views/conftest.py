"""The recorded tables of a real server as a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.catalog.build import build
from warehouse.query.session import connect
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

Ask = Callable[[int, str], pl.DataFrame]
VERSIONS = {943: "2024-01-22T08:10:01.497934", 1300: "2025-01-13T10:10:01.286229"}


@pytest.fixture(scope="session")
def recorded_folder(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The recorded tables of two versions, snapshotted and built."""
    folder = Folder.of(tmp_path_factory.mktemp("recorded"))
    for version, time_stamp in VERSIONS.items():
        assembled = folder.staging(version)
        entries = {}
        for path in sorted((shared_dir / f"cave-recordings/tables/v{version}").glob("*.parquet")):
            table = TABLES[path.stem]
            rows = pq.read_table(path)
            for field in table.arrow_schema:
                if field.name not in rows.column_names:
                    rows = rows.append_column(field, pa.nulls(len(rows), field.type))
            rows = logical_rows(table, rows)
            if path.stem == SYNAPSE:
                entries[path.stem] = cluster_synapses(assembled, table, rows, source="cave")
            else:
                entries[path.stem] = write_table(assembled, table, rows, source="cave")
        publish(folder, assembled, Manifest(folder.datastack, version, time_stamp, entries))
    build(folder, default=1300)
    return folder


@pytest.fixture(scope="session")
def recorded(recorded_folder: Folder) -> Ask:
    """Ask one version of the recorded tables."""

    def ask(version: int, query: str) -> pl.DataFrame:
        with connect(version, recorded_folder.path.parent) as warehouse:
            frame: pl.DataFrame = warehouse.sql(query).pl()
            return frame

    return ask
