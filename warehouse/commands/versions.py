"""`microns list`, `microns promote` and `microns drop`: the versions that are here."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from warehouse.catalog.build import build_lock
from warehouse.catalog.collect import collect, waiting
from warehouse.catalog.committed import local_manifests
from warehouse.commands.options import TABLE, Datastack, Memory, Output, Root, versions_here
from warehouse.commands.render import print_rows
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.manifest import DataFile
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder
from warehouse.versions.promote_and_drop import drop as drop_version
from warehouse.versions.promote_and_drop import promote as promote_version

_HEADER = ("version", "time_stamp", "table", "source", "scope", "base", "rows", "bytes")


def list_versions(*, output: Output = TABLE, root: Root = None, datastack: Datastack = DEFAULT_DATASTACK) -> None:
    """Show the versions that are here: their tables, which synapses they hold (scope), rows and bytes."""
    form = output.form
    folder = Folder.of(root, datastack)
    rows: list[tuple[object, ...]] = []
    versions_here(folder)
    for version, manifest in local_manifests(folder).items():
        for name, entry in sorted(manifest.tables.items()):
            base = f"v{entry.base.version}" if entry.base else None
            what = (name, entry.source, entry.scope, base, entry.rows, _bytes(entry.own_files))
            rows.append((version, manifest.time_stamp, *what))
        views = [file for entry in manifest.stored_views.values() for file in entry.own_files]
        rows.append((version, manifest.time_stamp, "(stored views)", *(None,) * 4, _bytes(views)))
        rows.append((version, manifest.time_stamp, "(all of it)", *(None,) * 4, _bytes(manifest.files)))
    print_rows(_HEADER, rows, form)
    if old := waiting(folder):
        size = sum(each.bytes for each in old)
        print(
            f"microns: {size / 1e6:,.1f} MB of older files wait for sessions that may read them; a later command "
            "removes them after a day, microns clean at once",
            file=sys.stderr,
        )


def _bytes(files: Iterable[DataFile]) -> int:
    return sum(file.bytes for file in files)


def promote(
    version: Annotated[int, Parameter(help="A version that was fetched with --base.")],
    /,
    *,
    memory: Memory = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Make a version a full copy, which needs no other version. Questions about all its synapses become faster."""
    folder = Folder.of(root, datastack)
    promote_version(folder, version, byte_count(memory) if memory else None)
    print(folder.version(version))


def drop(
    version: Annotated[int, Parameter(help="A version that is here.")],
    /,
    *,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Delete a version, unless another version needs it or it is the default version."""
    waits = drop_version(Folder.of(root, datastack), version)
    print(
        f"microns: version {version} is gone; its {waits / 1e6:,.1f} MB stay for a day, for sessions that read "
        "them; free them at once with: microns clean",
        file=sys.stderr,
    )


def clean(*, root: Root = None, datastack: Datastack = DEFAULT_DATASTACK) -> None:
    """Remove at once the older files that later commands would remove after a day.

    They are what a newer snapshot or build has replaced, and versions that were dropped. A session that was opened
    before that may still read them: close such sessions first.
    """
    folder = Folder.of(root, datastack)
    with build_lock(folder):
        freed = collect(folder, timedelta(0))
    print(f"microns: {freed / 1e6:,.1f} MB are free again", file=sys.stderr)
