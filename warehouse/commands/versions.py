"""`microns list`, `microns promote` and `microns drop`: the versions that are here."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter

from warehouse.commands.options import TABLE, Datastack, Memory, Output, Root, versions_here
from warehouse.commands.render import print_rows
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.manifest import DataFile, read_manifest
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
    for version in versions_here(folder):
        manifest = read_manifest(folder.manifest(version))
        for name, entry in sorted(manifest.tables.items()):
            base = f"v{entry.base.version}" if entry.base else None
            what = (name, entry.source, entry.scope, base, entry.rows, _bytes(entry.own_files))
            rows.append((version, manifest.time_stamp, *what))
        views = [file for entry in manifest.stored_views.values() for file in entry.own_files]
        rows.append((version, manifest.time_stamp, "(stored views)", *(None,) * 4, _bytes(views)))
        rows.append((version, manifest.time_stamp, "(all of it)", *(None,) * 4, _bytes(manifest.files)))
    print_rows(_HEADER, rows, form)


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
    freed = drop_version(Folder.of(root, datastack), version)
    print(f"microns: version {version} is gone; {freed / 1e6:,.1f} MB are free again", file=sys.stderr)
