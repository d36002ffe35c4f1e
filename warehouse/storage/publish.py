"""Publishing a version: a reader sees all of it or none, and a crash in the middle is completed later."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from warehouse.errors import FolderBusy
from warehouse.storage.files import now
from warehouse.storage.locks import exclusive_lock
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder

_SWAP = ".swap"


def publish(folder: Folder, assembled: Path, manifest: Manifest) -> Path:
    """Make a version visible, or replace tables of a visible one; returns its folder.

    The first time this is one rename. Later, the new tables and the new manifest first move into the version's
    folder as a whole; from that moment `finish_publishing` can always complete the swap, also after a crash.

    Args:
        folder: the datastack's folder.
        assembled: a folder with `cave/`, `model/`: the tables of `manifest` that are new. It is moved away.
        manifest: of the version as it will be, new tables and old.

    Raises:
        FolderBusy: another program holds a file that must be replaced (Windows).
    """
    published = folder.version(manifest.version)
    replace(manifest, published=now()).write(assembled / "manifest.json")
    try:
        if not folder.manifest(manifest.version).exists():
            assembled.rename(published)
        else:
            finish_publishing(folder, manifest.version)
            assembled.rename(published / _SWAP)
            finish_publishing(folder, manifest.version)
    except PermissionError as error:
        raise FolderBusy(
            f"{published} is in use by another program ({error.filename}); close it and run the same command again"
        ) from error
    return published


def only_job(staging: Path) -> AbstractContextManager[None]:
    """Let one job at a time work on a version, given where its parts wait.

    Raises:
        FolderBusy: another job works on it.
    """
    return exclusive_lock(
        staging.with_name(staging.name + ".lock"),
        f"another microns snapshot works on {staging.parent} for the same version; wait for it, or stop it",
    )


@contextmanager
def changing(folder: Folder, versions: Iterable[int], timeout: float = 600) -> Iterator[None]:
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


def require_unchanged(folder: Folder, manifest: Manifest) -> None:
    """See that a version still has the tables that something was made from.

    Raises:
        FolderBusy: a snapshot has published others meanwhile.
    """
    if read_manifest(folder.manifest(manifest.version)).tables != manifest.tables:
        raise FolderBusy(
            f"a microns snapshot changed version {manifest.version} in {folder.path} while its views were stored; "
            "run again: microns build"
        )


def finish_publishing(folder: Folder, version: int) -> None:
    """Complete a swap of tables that was interrupted; does nothing when there is none."""
    published, swap = folder.version(version), folder.version(version) / _SWAP
    if not swap.exists():
        return
    if (swap / "manifest.json").exists():
        for new in sorted(path for kind in ("cave", "model") for path in (swap / kind).glob("*")):
            old = published / new.relative_to(swap)
            old.parent.mkdir(exist_ok=True)
            if old.exists():
                _set_aside(old, swap)
            new.rename(old)
        (swap / "manifest.json").replace(folder.manifest(version))
    _remove_unlisted(published, read_manifest(folder.manifest(version)))
    shutil.rmtree(swap)


def _set_aside(old: Path, swap: Path) -> None:
    """Move a table out of the way: a removal takes time, in which readers find half of it."""
    aside = swap / "old" / old.parent.name / old.name
    aside.parent.mkdir(parents=True, exist_ok=True)
    old.rename(aside)


def _remove_unlisted(published: Path, manifest: Manifest) -> None:
    """Remove files that the version no longer has, and the folders that they were alone in."""
    listed = {published / file.path for file in manifest.files}
    for path in list(published.glob("*/**/*.parquet")):
        if path not in listed:
            path.unlink()
            for folder in path.relative_to(published).parents[:-2]:
                with suppress(OSError):  # it has others
                    (published / folder).rmdir()


def dependents(folder: Folder, version: int) -> list[int]:
    """The local versions that cannot be read without the files of this one."""
    return [each for each in folder.versions() if version in read_manifest(folder.manifest(each)).bases]
