"""Collecting what nothing names any longer: old generations of tables, and manifests of old databases.

A session that was opened before a change goes on reading the old files, so they stay for a grace.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from warehouse.catalog.committed import names_in_database, read_committed
from warehouse.errors import FolderBusy, WarehouseError
from warehouse.storage.durable import replace_file
from warehouse.storage.locks import exclusive_lock
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import manifests_lock

GRACE = timedelta(days=1)
"""How long files stay after nothing names them: sessions that are open may read them."""
_GONE = ".gone-"
"""What the name of a version begins with while it is being removed."""


@dataclass(frozen=True)
class Waiting:
    """Something that nothing names any longer.

    Attributes:
        path: relative to the datastack's folder: the folder of a generation, a manifest, or a dropped version.
        since: when that was first seen, UTC.
        bytes: its size.
    """

    path: str
    since: datetime
    bytes: int


def waiting(folder: Folder) -> list[Waiting]:
    """What waits to be collected, oldest first; looks only."""
    since, now = _noted(folder), _now()
    found = [Waiting(name, since.get(name, now), _size(folder.path / name)) for name in _unnamed(folder)]
    return sorted(found, key=lambda each: (each.since, each.path))


def collect(folder: Folder, grace: timedelta = GRACE) -> int:
    """Remove what nothing has named for so long; returns how many bytes that frees. Only a build may call it.

    Args:
        folder: of the datastack.
        grace: how long files stay.
    """
    with manifests_lock(folder):
        found, freed, left = waiting(folder), 0, {}
        for each in found:
            path = folder.path / each.path
            if _now() - each.since < grace:
                left[each.path] = each.since.isoformat()
                continue
            _remove(folder, path)
            if path.exists():  # a program on Windows has it open: the next job tries again
                left[each.path] = each.since.isoformat()
            else:
                freed += each.bytes
        for unfinished in folder.path.glob(f"{_GONE}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if left:
            replace_file(folder.superseded, json.dumps(left, indent=1).encode())
        else:
            folder.superseded.unlink(missing_ok=True)
        for unfinished in (*folder.path.glob(".*.[0-9]*"), *folder.path.glob("v*/.*.[0-9]*")):
            unfinished.unlink(missing_ok=True)  # a job was killed before it gave the file its name
        for lock in folder.path.glob(".*.lock") if not grace else ():
            with suppress(FolderBusy), exclusive_lock(lock, "a job that runs holds it"):
                pass  # the file of a job that was killed goes with the lock
        return freed


def _remove(folder: Folder, path: Path) -> None:
    """Remove a file or folder; a version, which is known by what is in it, leaves in one step."""
    if path.parent == folder.path:
        with suppress(PermissionError):  # Windows: a program has a file of it open
            path = path.rename(folder.path / f"{_GONE}{path.name}")
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def named(folder: Folder) -> set[str]:
    """All that a manifest or the database names: folders of generations, and manifests.

    Raises:
        WarehouseError: a manifest or the database cannot be read.
    """
    committed = names_in_database(folder)
    names = set(committed.values())
    manifests = [read_committed(folder, version, name) for version, name in committed.items()]
    manifests += [read_manifest(folder.manifest(version)) for version in folder.versions()]
    for manifest in manifests:
        names |= {_generation(manifest.version, file.path) for file in manifest.files}
        for entry in manifest.tables.values():
            if entry.base is not None:
                names |= {_generation(entry.base.version, file.path) for file in entry.base.files}
    return names


def _generation(version: int, path: str) -> str:
    return f"v{version}/{PurePosixPath(*PurePosixPath(path).parts[:2]).as_posix()}"


def _unnamed(folder: Folder) -> Iterator[str]:
    try:
        names = named(folder)
    except WarehouseError:  # damaged, or open for writing: nobody knows what is named
        return
    seen = {int(name.partition("/")[0][1:]) for name in names}
    for version in folder.version_folders():
        path = folder.version(version)
        if version not in seen and not folder.manifest(version).exists():
            if folder.dropped(version).exists():
                yield path.name
            continue
        entries = [*path.glob("manifest-*.json"), *path.glob("cave/*"), *path.glob("model/*")]
        for entry in sorted(entries):
            if (name := entry.relative_to(folder.path).as_posix()) not in names:
                yield name


def _noted(folder: Folder) -> dict[str, datetime]:
    try:
        noted = json.loads(folder.superseded.read_text("utf-8"))
        return {name: datetime.fromisoformat(since) for name, since in noted.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # then the grace begins anew


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files if each.is_file())
