"""Publishing: files are written once, under names of their own, and a manifest names them when they are durable.

What is written never takes the place of anything. A table lies in a folder whose name ends in a hash of its
content, as `cave/nucleus_detection_v0-3f9a1c0b7d22`: a *generation*, which no job changes later. The newest one of
each table stands in `vN/manifest.json`; jobs read it. Readers go by the database, which names exactly the
generations that it was made from, so the rename of that one file is the switch (see `warehouse.catalog.build`).
Generations that nothing names any longer stay for a while, for sessions that are open, and are then collected
(see `warehouse.catalog.collect`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from msgspec.structs import replace

from warehouse.errors import FolderBusy
from warehouse.storage.durable import make_durable
from warehouse.storage.files import now
from warehouse.storage.locks import exclusive_lock
from warehouse.storage.manifest import DataFile, Manifest, TableEntry, read_manifest, sha256_of
from warehouse.storage.paths import Folder

_HASHED = 12
"""Hexadecimal digits of the hash in the name of a generation."""
_OLD_SWAP = ".swap"
"""Where the first format of this folder put tables that were to take the place of others."""
_LOCK_TIMEOUT = 600


def publish(folder: Folder, draft: Path, manifest: Manifest) -> Manifest:
    """Make tables the newest of a version, durably; returns the manifest as it is on disk.

    Readers see them once the database is built. Killed at any moment, the job leaves the old manifest or the new.

    Args:
        folder: the datastack's folder.
        draft: a folder with `cave/`, `model/`: the tables of `manifest` that are new. It is moved away.
        manifest: of the version as it will be, new tables and old.

    Raises:
        FolderBusy: another program holds a file (Windows).
    """
    with manifests_lock(folder):
        placed = replace(move_to_generations(folder, draft, manifest), published=now())
        placed.write(folder.manifest(manifest.version))
        folder.dropped(manifest.version).unlink(missing_ok=True)
    shutil.rmtree(draft, ignore_errors=True)
    return placed


def move_to_generations(folder: Folder, draft: Path, manifest: Manifest) -> Manifest:
    """Move new tables into the version's folder, each under the name of its generation; nothing names them yet.

    Args:
        folder: the datastack's folder.
        draft: a folder with `cave/`, `model/`: the tables of `manifest` that are new.
        manifest: names their files as they lie in `draft`.

    Returns:
        The manifest with the files where they are now, all of them durable.

    Raises:
        FolderBusy: another program holds a file (Windows).
    """
    version = folder.version(manifest.version)
    by_table: dict[str, list[DataFile]] = {}
    for file in manifest.files:
        by_table.setdefault(_folder_of(file), []).append(file)
    names = {table: f"{table}-{_content_hash(table, files)}" for table, files in by_table.items()}
    new = {table: files for table, files in by_table.items() if (draft / table).is_dir()}
    # A job that was killed here has moved some of them already.
    moved = [table for table in by_table if not (version / table).exists() and (version / names[table]).is_dir()]
    names = {table: names[table] for table in (*new, *moved)}
    try:
        for table, files in new.items():
            _move(draft / table, version / names[table], table, files)
    except PermissionError as error:
        raise FolderBusy(
            f"{version} is in use by another program ({error.filename}); close it and run the same command again"
        ) from error
    if names:  # also after a job that was killed between moving them and this
        make_durable([version, *(version / kind for kind in ("cave", "model")), folder.path])
    return _with_files(manifest, names)


def manifests_lock(folder: Folder) -> AbstractContextManager[None]:
    """Let one job at a time change what the manifests of versions say.

    Raises:
        FolderBusy: another job does so for longer than is reasonable.
    """
    busy = f"another microns command publishes in {folder.path}; wait for it and run the same command again"
    return exclusive_lock(folder.path / ".publish.lock", busy, _LOCK_TIMEOUT)


def _folder_of(file: DataFile) -> str:
    """The folder of a file's table, relative to the version's: `model/synapses` of `model/synapses/b=3/...`."""
    return PurePosixPath(*PurePosixPath(file.path).parts[:2]).as_posix()


def _content_hash(table: str, files: Sequence[DataFile]) -> str:
    lines = sorted(f"{file.path.removeprefix(table)} {file.sha256}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_HASHED]


def _move(source: Path, target: Path, table: str, files: Sequence[DataFile]) -> None:
    """Move a table's folder to its place; where the same content lies there already, heal what is damaged."""
    make_durable([source, *source.rglob("*")])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)
        return
    for file in files:
        inner = file.path.removeprefix(f"{table}/")
        there = target / inner
        if not (there.is_file() and there.stat().st_size == file.bytes and sha256_of(there) == file.sha256):
            there.parent.mkdir(parents=True, exist_ok=True)
            (source / inner).replace(there)
            make_durable([there.parent])


def _with_files(manifest: Manifest, names: Mapping[str, str]) -> Manifest:
    """The manifest with files in folders of other names."""

    def moved(file: DataFile) -> DataFile:
        table = _folder_of(file)
        return replace(file, path=names[table] + file.path.removeprefix(table)) if table in names else file

    def entry(old: TableEntry) -> TableEntry:
        base = old.base and replace(
            old.base,
            retired=[moved(file) for file in old.base.retired],
            dead=[moved(file) for file in old.base.dead],
        )
        lineages = [replace(each, file=moved(each.file)) for each in old.lineages]
        files, chosen = ([moved(file) for file in each] for each in (old.files, old.chosen))
        return replace(old, files=files, base=base, lineages=lineages, chosen=chosen)

    return replace(
        manifest,
        tables={name: entry(each) for name, each in manifest.tables.items()},
        stored_views={name: entry(each) for name, each in manifest.stored_views.items()},
    )


def complete_old_swap(folder: Folder, version: int) -> None:
    """Complete what a job of the first format began: it put new tables into `.swap`, and was killed then."""
    swap = folder.version(version) / _OLD_SWAP
    if not swap.exists():
        return
    if (swap / "manifest.json").exists():
        publish(folder, swap, read_manifest(swap / "manifest.json"))
    shutil.rmtree(swap, ignore_errors=True)


def job_lock(staging: Path) -> AbstractContextManager[None]:
    """Let one job at a time work on a version, given where its parts wait.

    Raises:
        FolderBusy: another job works on it.
    """
    return exclusive_lock(
        staging.with_name(staging.name + ".lock"),
        f"another microns snapshot works on {staging.parent} for the same version; wait for it, or stop it",
    )


@contextmanager
def synapses_lock(folder: Folder, versions: Iterable[int], timeout: float = 600) -> Iterator[None]:
    """Let one at a time replace or remove the synapses of versions, or store another version against them.

    Args:
        folder: of the datastack.
        versions: the versions.
        timeout: how many seconds to wait.

    Raises:
        FolderBusy: another process does so.
    """
    with ExitStack() as held:
        for version in sorted(versions):
            busy = (
                f"another microns command stores synapses of version {version} in {folder.path}, or of a version "
                "that is stored against it; wait for it and run the same command again"
            )
            held.enter_context(exclusive_lock(folder.path / f".change-v{version}.lock", busy, timeout))
        yield


def dependents(folder: Folder, version: int) -> list[int]:
    """The local versions that cannot be read without the files of this one."""
    return [each for each in folder.versions() if version in read_manifest(folder.manifest(each)).bases]
