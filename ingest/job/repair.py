"""Healing what `microns check` finds: only what is damaged is fetched again, and what is derived is made anew."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable

from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from ingest.parts.progress import Progress, Silent
from ingest.parts.source import SCOPES, SOURCE_NAMES, Source, SourceName
from warehouse.catalog.build import build
from warehouse.catalog.committed import committed_manifests
from warehouse.catalog.verify import Problem, verify, verify_database
from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.registry.tables import SKELETON, SYNAPSE
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import manifests_lock
from warehouse.versions.store_difference import rebase

log = logging.getLogger(__name__)

Connect = Callable[[Order, SourceName], Callable[[], Source]]
"""Given an order and the source that a table came from, how to connect to it when something is to be asked."""


def repair(folder: Folder, version: int | None, connect: Connect, progress: Progress | None = None) -> list[str]:
    """Verify versions and heal them; returns what was done, a sentence each.

    Args:
        folder: of the datastack.
        version: the version; all that are here if None.
        connect: connects to where a table came from.
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
        done += _heal_manifests(folder, number)
    for number in sorted(versions, key=lambda each: _rank(folder, each)):
        done += _heal_version(folder, number, connect, progress or Silent())
    problems = verify_database(folder)
    build(folder, default=_default(folder) if problems else None)
    done += [f"{each.path} {each.what}: made anew" for each in problems]
    left = [each for number in versions for each in verify(folder, number, quick=True)]
    if left:
        raise SnapshotDamaged(
            f"{left[0].path} in {folder.path} {left[0].what} still, after a repair; fetch the version into a new "
            f"folder with: microns snapshot {left[0].version} --root NEW_FOLDER"
        )
    return done


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


def _heal_version(folder: Folder, version: int, connect: Connect, progress: Progress) -> list[str]:
    done = []
    fetched: dict[tuple[int, str], list[Problem]] = defaultdict(list)
    for problem in verify(folder, version):
        if problem.kind in ("derived", "stranger"):
            (folder.path / problem.path).unlink(missing_ok=True)
            way = "removed" if problem.kind == "stranger" else "made anew from the tables"
            done.append(f"{problem.path} {problem.what}: {way}")
        elif problem.kind == "table" and problem.version is not None:
            fetched[problem.version, problem.table].append(problem)
    for (owner, name), problems in fetched.items():  # the owner is the base, if it holds the rows
        _fetch_again(folder, read_manifest(folder.manifest(owner)), name, connect, progress)
        done += [f"{each.path} {each.what}: {name} was fetched again" for each in problems]
    return done


def _fetch_again(folder: Folder, manifest: Manifest, name: str, connect: Connect, progress: Progress) -> None:
    version, entry = manifest.version, manifest.tables[name]
    source = next((each for each in SOURCE_NAMES if each == entry.source), None)
    if source is None or name == SKELETON:
        how = f"microns drop {version}, then microns snapshot {version}" if source else "microns demo NEW_FOLDER"
        raise SnapshotDamaged(
            f"{name} of version {version} in {folder.path} is damaged and cannot be fetched by itself; "
            f"make the version anew with: {how}"
        )
    scope = next((each for each in SCOPES if each == entry.scope), None) if name == SYNAPSE else None
    base = entry.base.version if entry.base else None
    order = Order(version, (name,), scope, base, source=source)
    new = Snapshot(folder, order, progress, again={name}).run(connect(order, source)).tables[name]
    if name == SYNAPSE and base is None and new.content != entry.content:
        rebase(folder, version, new)


def _default(folder: Folder) -> int | None:
    """The version that plain names answered from, as init.sql remembers it where the database cannot be read."""
    try:
        found = re.search(r"search_path = 'v(\d+)", folder.init_sql.read_text("utf-8"))
    except OSError:
        found = None
    return int(found[1]) if found and int(found[1]) in folder.versions() else min(folder.versions(), default=None)
