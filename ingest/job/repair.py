"""Healing what `microns check` finds: only what is damaged is fetched again, and what is derived is made anew."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.cave.service import CaveService
from ingest.job.chosen_cells import Which
from ingest.job.order import Order
from ingest.job.skeletons import SkeletonJob
from ingest.job.snapshot import Snapshot
from ingest.parts.progress import Progress, Silent
from ingest.parts.source import SCOPES, SOURCE_NAMES, Source, SourceName
from warehouse.catalog.build import build
from warehouse.catalog.committed import committed_manifests
from warehouse.catalog.verify import Problem, damage_of, verify, verify_database
from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.registry.tables import SKELETON, SYNAPSE
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import complete_old_swap, manifests_lock
from warehouse.versions.store_difference import rebase

log = logging.getLogger(__name__)

_PER_CELL = "cable_length"
"""The stored view that is derived from skeletons, and so knows whose they are."""
Connect = Callable[[Order, SourceName], Callable[[], Source]]
"""Given an order and the source that a table came from, how to connect to it when something is to be asked."""


@dataclass(frozen=True)
class _Sources:
    """Where rows are fetched from again."""

    connect: Connect
    service: Callable[[], CaveService]
    progress: Progress


def repair(
    folder: Folder,
    version: int | None,
    connect: Connect,
    *,
    service: Callable[[], CaveService],
    progress: Progress | None = None,
) -> list[str]:
    """Verify versions and heal them; returns what was done, a sentence each.

    Args:
        folder: of the datastack.
        version: the version; all that are here if None.
        connect: connects to where a table came from.
        service: connects to CAVE, for skeletons.
        progress: shows how far fetching is.

    Raises:
        SnapshotNotFound: there is no such version.
        SnapshotDamaged: something cannot be healed; the sentence says what to do.
    """
    versions = folder.version_folders() if version is None else [version]
    if not versions or (version is not None and version not in folder.version_folders()):
        folder.require_version(version or 0)
    done: list[str] = []
    for number in versions:
        complete_old_swap(folder, number)
        done += _heal_manifests(folder, number)
    for number in sorted(versions, key=lambda each: _rank(folder, each)):
        done += _heal_version(folder, number, _Sources(connect, service, progress or Silent()))
    problems = verify_database(folder)
    build(folder, default=_default(folder) if problems else None)
    done += [f"{each.path} {each.what}: made anew" for each in problems]
    left = [each for number in versions for each in verify(folder, number, quick=True)]
    if left:
        raise SnapshotDamaged(
            f"{left[0].path} in {folder.path} {left[0].what} still, after a repair; fetch the version into a new "
            f"folder with: microns snapshot {left[0].version} --root NEW_FOLDER"
        )
    return list(dict.fromkeys(done))  # a file of a base is seen in each version that needs it


def _rank(folder: Folder, version: int) -> int:
    """Bases come before the versions that are stored against them."""
    return len(read_manifest(folder.manifest(version)).bases) if folder.manifest(version).is_file() else 0


def _heal_manifests(folder: Folder, version: int) -> list[str]:
    """Write `manifest.json` again from that of the database, or from the newest other one that can be read."""
    done = []
    for problem in verify(folder, version, quick=True):
        if problem.kind != "manifest":
            continue
        if (folder.path / problem.path) != folder.manifest(version):
            (folder.path / problem.path).unlink(missing_ok=True)
            done.append(f"{problem.path} {problem.what}: it is made anew with the database")
            continue
        manifest = committed_manifests(folder).get(version) or _newest(folder, version)
        if manifest is None:
            raise SnapshotDamaged(
                f"{problem.path} in {folder.path} {problem.what}, and no copy of it is left; fetch the version "
                f"again with: microns snapshot {version}"
            )
        with manifests_lock(folder):
            manifest.write(folder.manifest(version))
        done.append(f"{problem.path} {problem.what}: written again from its copy")
    return done


def _newest(folder: Folder, version: int) -> Manifest | None:
    found = []
    for path in folder.version(version).glob("manifest-*.json"):
        try:
            found.append(read_manifest(path))
        except WarehouseError:
            continue
    return max(found, key=lambda each: each.published, default=None)


def _heal_version(folder: Folder, version: int, sources: _Sources) -> list[str]:
    done = []
    fetched: dict[tuple[int, str], list[Problem]] = defaultdict(list)
    for problem in verify(folder, version):
        if problem.kind in ("derived", "stranger"):
            (folder.path / problem.path).unlink(missing_ok=True)
            way = "removed" if problem.kind == "stranger" else "made anew from the tables"
            done.append(f"{problem.path} {problem.what}: {way}")
        elif problem.kind == "table" and problem.version is not None:
            fetched[problem.version, problem.table].append(problem)
    # The base, which may hold the rows, comes before what is stored against it.
    for (owner, name), problems in sorted(fetched.items(), key=lambda item: item[0][0] == version):
        _fetch_again(folder, read_manifest(folder.manifest(owner)), name, sources)
        done += [f"{each.path} {each.what}: {name} was fetched again" for each in problems]
    return done


def _fetch_again(folder: Folder, manifest: Manifest, name: str, sources: _Sources) -> None:
    version, entry = manifest.version, manifest.tables[name]
    source = next((each for each in SOURCE_NAMES if each == entry.source), None)
    if name == SYNAPSE and "cells" in manifest.tables[name].scope:
        raise SnapshotDamaged(
            f"{name} of version {version} in {folder.path} is damaged, and holds synapses of chosen cells; make "
            f"it anew with: microns snapshot {version} --synapses all, or drop the version and fetch it again"
        )
    if source is None:
        raise SnapshotDamaged(
            f"{name} of version {version} in {folder.path} is damaged, and it was fetched from nowhere "
            f"(its source is {entry.source}); make the data anew, in another folder: microns demo NEW_FOLDER"
        )
    if name == SKELETON:
        roots = _roots_with_skeleton(folder, manifest)
        SkeletonJob(folder, version, roots, sources.progress, again=True).run(sources.service)
        return
    scope = next((each for each in SCOPES if each == entry.scope), None) if name == SYNAPSE else None
    base = entry.base.version if entry.base else None
    order = Order(version, (name,), scope, base, source=source)
    new = Snapshot(folder, order, sources.progress, again={name}).run(sources.connect(order, source)).tables[name]
    if name == SYNAPSE and base is None and new.files != entry.files:
        rebase(folder, version, new)


def _roots_with_skeleton(folder: Folder, manifest: Manifest) -> Which:
    """Whose skeletons were here: by what was derived from them, else by the damaged file, else by their scope.

    Raises:
        SnapshotDamaged: nothing says so any longer.
    """
    version, entry = manifest.version, manifest.tables[SKELETON]
    where = folder.version(version)
    derived = manifest.stored_views.get(_PER_CELL)
    files = [file for file in (derived.files if derived else ()) if not damage_of(where / file.path, file)]
    for file in (*files, *entry.files):
        try:
            column = pq.ParquetFile(where / file.path).read(columns=["pt_root_id"])["pt_root_id"]
        except (OSError, pa.ArrowException):
            continue
        if column and not column.null_count:
            return tuple(sorted(set(column.to_pylist())))
    if entry.scope == "proofread":
        return "proofread"
    if entry.scope == "neurons":
        return "neurons"
    raise SnapshotDamaged(
        f"the skeletons of version {version} in {folder.path} are damaged, and nothing says any longer whose they "
        f"were; fetch them again by their ids: microns snapshot {version} --skeletons ID,ID,..."
    )


def _default(folder: Folder) -> int | None:
    """The version that plain names answered from, as init.sql remembers it where the database cannot be read."""
    try:
        found = re.search(r"search_path = 'v(\d+)", folder.init_sql.read_text("utf-8", errors="replace"))
    except OSError:
        found = None
    return int(found[1]) if found and int(found[1]) in folder.versions() else min(folder.versions(), default=None)
