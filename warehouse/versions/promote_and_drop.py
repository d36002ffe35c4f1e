"""Keeping versions that share files: making one independent, and removing one that no other needs."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from warehouse.catalog.build import build, build_lock, current_default, require_files
from warehouse.catalog.collect import collect, waiting
from warehouse.catalog.committed import is_current
from warehouse.errors import SnapshotDamaged, UsageError
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.checksum import Sums, sums_of, text_of
from warehouse.storage.clustering import workers, write_bucket
from warehouse.storage.disk import disk_errors
from warehouse.storage.durable import make_durable
from warehouse.storage.encoding import delta_bucket, ranges, removed_rows
from warehouse.storage.files import entry_of, file_of
from warehouse.storage.manifest import Base, DataFile, Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder, model_path
from warehouse.storage.publish import dependents, job_lock, manifests_lock, publish, synapses_lock
from warehouse.versions.store_difference import bucket_of

log = logging.getLogger(__name__)


def promote(folder: Folder, version: int, memory: int | None = None) -> Manifest:
    """Make a version that is stored against another one a full copy; does nothing if it is one.

    Args:
        folder: of the datastack.
        version: the materialization version.
        memory: how many bytes it may take.

    Raises:
        SnapshotNotFound: the version is not here.
        SnapshotDamaged: the rows are not those that were fetched.
        FolderBusy: a snapshot works on the version.
        WarehouseError: the disk is full.
    """
    folder.require_version(version)
    with job_lock(folder.staging(version)), synapses_lock(folder, [version]):
        manifest = read_manifest(folder.manifest(version))
        entry = manifest.tables.get(SYNAPSE)
        draft = folder.path / f".promote-v{version}"
        shutil.rmtree(draft, ignore_errors=True)  # of a job that was killed
        if entry is not None and entry.base is not None:
            require_files(folder, manifest)
            with disk_errors(folder.path):
                full = _full_copy(folder, version, entry, entry.base, draft, memory)
                publish(folder, draft, replace(manifest, tables=manifest.tables | {SYNAPSE: full}))
        elif is_current(folder):
            log.info(f"version {version} is a full copy already")
            return manifest
    build(folder)
    return read_manifest(folder.manifest(version))


def _full_copy(
    folder: Folder, version: int, entry: TableEntry, base: Base, draft: Path, memory: int | None
) -> TableEntry:
    """Both versions have the same buckets, so one is put together at a time."""
    table = TABLES[SYNAPSE]
    own, other = folder.version(version), folder.version(base.version)
    kept = {bucket_of(file): other / file.path for file in base.files}
    delta = {bucket_of(file): own / file.path for file in entry.files}
    target = draft / model_path("synapses")

    def write(number: int, low: int, high: int) -> tuple[DataFile, Sums] | None:
        pieces = []
        if number in kept:
            before = pq.ParquetFile(kept[number]).read()
            pieces.append(before.filter(pc.invert(removed_rows(own, base, before))))
        if (more := delta.get(delta_bucket(number))) is not None:
            key = table.sort_by[0]
            pieces.append(pq.read_table(more, filters=[(key, ">=", low), (key, "<", high)], partitioning=None))
        if not sum(map(len, pieces)):
            return None
        rows = pa.concat_tables(pieces, promote_options="permissive")
        rows = rows.sort_by([(name, "ascending") for name in table.sort_by])
        return file_of(draft, table, write_bucket(target, number, rows)), sums_of(rows)

    with ThreadPoolExecutor(workers(memory)) as pool:
        buckets = pool.map(lambda each: write(each[0], *each[1]), enumerate(ranges(entry.bounds)))
        written = [bucket for bucket in buckets if bucket]
    if text_of(sums for _, sums in written) != base.checksum:
        raise SnapshotDamaged(
            f"the synapses of version {version} are not those that were fetched; find out more with: "
            f"microns check {version}"
        )
    kind: dict[str, Any] = {"encoding": entry.encoding, "bounds": entry.bounds}
    copy = entry_of(draft, table, [file for file, _ in written], **kind)
    return replace(entry, files=copy.files, rows=copy.rows, base=None)


def drop(folder: Folder, version: int) -> int:
    """Remove a version, and what an unfinished snapshot of it has fetched.

    Its files stay for sessions that are open, until they are collected: by a later job, or `microns clean`.

    Returns:
        How many bytes wait to be freed.

    Raises:
        SnapshotNotFound: nothing of the version is here.
        UsageError: another version needs its files, or plain names answer from it.
        FolderBusy: a snapshot or a build reads it, or another program holds a file of it (Windows).
    """
    parts = folder.staging(version)
    was_begun = folder.dropped(version).exists()
    if not (parts.exists() or was_begun):
        folder.require_version(version)
    with job_lock(parts), synapses_lock(folder, [version], timeout=0):
        size = _drop_published(folder, version) if version in folder.versions() or was_begun else 0
        size += sum(path.stat().st_size for path in parts.rglob("*") if path.is_file())
        shutil.rmtree(parts, ignore_errors=True)
        return size


def _drop_published(folder: Folder, version: int) -> int:
    if needed := dependents(folder, version):
        first = needed[0]
        raise UsageError(
            f"version {version} holds synapses that {_versions(needed)} need{'s' if len(needed) == 1 else ''}; "
            f"make a full copy first, with: microns promote {first}, or remove it, with: microns drop {first}"
        )
    others = [each for each in folder.versions() if each != version]
    if others and current_default(folder) == version:
        raise UsageError(
            f"plain names answer from version {version}; choose another one first, with: "
            f"microns build --default {others[-1]}"
        )
    if folder.manifest(version).exists():
        with manifests_lock(folder):  # from here on any build leaves it out; until then it is wholly there
            folder.manifest(version).replace(folder.dropped(version))
            make_durable([folder.version(version)])
    if others:
        build(folder)
    else:
        for remains in (folder.database, folder.init_sql):
            remains.unlink(missing_ok=True)
        make_durable([folder.path])
        with build_lock(folder):
            collect(folder)
    return sum(each.bytes for each in waiting(folder) if each.path == f"v{version}")


def _versions(numbers: list[int]) -> str:
    return ("version " if len(numbers) == 1 else "versions ") + ", ".join(map(str, numbers))
