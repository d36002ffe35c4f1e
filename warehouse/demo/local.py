"""`warehouse.demo()`: a small synthetic warehouse in a temporary folder, without a server or an account."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.catalog.build import build
from warehouse.query.session import Warehouse, connect
from warehouse.registry.tables import SKELETON, SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import scratch_connection, write_table
from warehouse.storage.logical import unordered_rows
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish
from warehouse.storage.skeleton import concat_rows

if TYPE_CHECKING:
    from warehouse.demo.synthetic import VersionInfo, Volume

_PROOFREADING = "proofreading_status_and_strategy"
_ABSENT = "the synthetic version {} does not have it"


def demo(cells: int = 500, seed: int = 0, version: int | None = None) -> Warehouse:
    """Open a synthetic warehouse of two versions; its files are removed when it is closed, or Python ends.

    Args:
        cells: number of nuclei.
        seed: the same seed gives the same rows.
        version: which of the two versions to open; the older if not given.
    """
    from warehouse.demo.synthetic import synthesize

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

    @cache  # most cells have the same root in both versions, and with it the same shape
    def shape(root_id: int) -> pa.Table | None:
        skeleton = volume.skeleton(root_id)
        return skeleton.rows() if skeleton else None

    for info in volume.versions:
        draft = folder.staging(info.version)
        publish(folder, draft, _write_version(volume, info, folder, draft, shape))
    build(folder)
    return folder


def _write_version(
    volume: Volume, info: VersionInfo, folder: Folder, draft: Path, shape: Callable[[int], pa.Table | None]
) -> Manifest:
    entries = {}
    with scratch_connection(draft) as con:
        con.execute("SET threads = 1")  # waking another one takes longer than it saves on a small table
        for name in volume.table_names(info.version):
            rows = unordered_rows(TABLES[name], volume.table(info.version, name))
            if name == SYNAPSE:
                entries[name] = cluster_synapses(draft, TABLES[name], rows, source="synthetic")
                continue
            entries[name] = write_table(draft, TABLES[name], rows, con=con, source="synthetic")
            if name == _PROOFREADING:
                shapes = _skeletons(shape, rows)
                entries[SKELETON] = write_table(
                    draft, TABLES[SKELETON], shapes, con=con, source="synthetic", scope="proofread"
                )
    return Manifest(
        datastack=folder.datastack,
        version=info.version,
        time_stamp=info.time_stamp.isoformat(),
        tables=entries,
        absent={name: _ABSENT.format(info.version) for name in TABLES if name not in entries},
    )


def _skeletons(shape: Callable[[int], pa.Table | None], proofreading: pa.Table) -> pa.Table:
    """The skeletons of the cells whose axons were proofread."""
    roots = sorted(set(proofreading.filter(proofreading["status_axon"])["pt_root_id"].to_pylist()))
    return concat_rows([rows for root in roots if (rows := shape(root)) is not None])
