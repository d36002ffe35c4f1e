"""`warehouse.demo()`: a small synthetic warehouse in a temporary folder, without a server or an account."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from warehouse.build import build
from warehouse.cluster import cluster_synapses
from warehouse.layout import Folder
from warehouse.logical import logical_rows
from warehouse.manifest import Manifest
from warehouse.publish import publish
from warehouse.session import Warehouse, connect
from warehouse.store import write_table
from warehouse.tables import SYNAPSE, TABLES

if TYPE_CHECKING:
    from warehouse.synthetic import VersionInfo, Volume


def demo(cells: int = 500, seed: int = 0, version: int | None = None) -> Warehouse:
    """Open a synthetic warehouse of two versions; its files are removed when it is closed, or Python ends.

    Args:
        cells: number of nuclei.
        seed: the same seed gives the same rows.
        version: which of the two versions to open; the older if not given.
    """
    from warehouse.synthetic import synthesize

    root = TemporaryDirectory(prefix="microns-demo-", ignore_cleanup_errors=True)
    try:
        folder = write_volume(synthesize(cells=cells, seed=seed), root.name)
        warehouse = connect(version, root.name, folder.datastack)
    except BaseException:
        root.cleanup()
        raise
    warehouse.when_closed(root.cleanup)
    return warehouse


def write_volume(volume: Volume, root: str) -> Folder:
    """Write every table of a synthetic volume as a snapshot would, and build the database."""
    folder = Folder.of(root, volume.datastack)
    for info in volume.versions:
        assembled = folder.staging(info.version)
        publish(folder, assembled, _write_version(volume, info, folder, assembled))
    build(folder)
    return folder


def _write_version(volume: Volume, info: VersionInfo, folder: Folder, assembled: Path) -> Manifest:
    names = volume.table_names(info.version)
    entries = {}
    for name in names:
        write = cluster_synapses if name == SYNAPSE else write_table
        rows = logical_rows(TABLES[name], volume.table(info.version, name))
        entries[name] = write(assembled, TABLES[name], rows, source="synthetic")
    return Manifest(
        datastack=folder.datastack,
        version=info.version,
        time_stamp=info.time_stamp.isoformat(),
        tables=entries,
        absent={
            name: f"the synthetic version {info.version} does not have it" for name in TABLES if name not in names
        },
    )
