"""Making microns.duckdb: views, macros and comments over what is in a datastack's folder. It holds no rows.

The file is made beside the old one and takes its place in one step. That is the switch from one state of the
folder to the next: the database names exactly the files that it was made from, and readers go by it. Nothing is
scanned but what is to be stored and is not yet (see `warehouse.catalog.stored_views`); a build costs a second or
so, so there is no partial rebuild.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from msgspec.structs import replace

from warehouse.catalog.collect import collect
from warehouse.catalog.committed import (
    committed_manifests,
    create_generations,
    same_tables,
    write_committed,
)
from warehouse.catalog.local_tables import create_local_views
from warehouse.catalog.names import Names
from warehouse.catalog.root_lineage import store_lineages
from warehouse.catalog.settings import init_sql
from warehouse.catalog.stored_views import store_views, without_stale
from warehouse.catalog.views import load_views
from warehouse.errors import SnapshotDamaged, SnapshotNotFound, UsageError
from warehouse.registry.datastacks import datastack_of
from warehouse.storage.attach import attach
from warehouse.storage.disk import disk_errors
from warehouse.storage.durable import replace_database, replace_file
from warehouse.storage.encoding import is_bucket
from warehouse.storage.locks import exclusive_lock
from warehouse.storage.manifest import DataFile, Manifest, TableEntry, read_manifest
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import FILE, Folder
from warehouse.storage.publish import complete_old_swap, manifests_lock
from warehouse.storage.quoting import quoted, text_literal
from warehouse.storage.trust import note_as_built

log = logging.getLogger(__name__)

STORAGE = "v1.2.0"
"""Read by every DuckDB from 1.2 on; files in 2.0's own format do not open in 1.x."""
_TIMEOUT = 600
"""Seconds that a build waits for another one of the same database."""


def build(folder: Folder, default: int | None = None, memory: int | None = None) -> Path:
    """(Re)create the database of a datastack; returns its path.

    Args:
        folder: of the datastack.
        default: the version that plain names answer from. Without it the present default stays; in a new
            database it is the version that was published first.
        memory: how many bytes the making of stored views may take; half of the machine's if not given.

    Raises:
        SnapshotNotFound: there is no version, or not the one asked for.
        SnapshotDamaged: a file that a manifest names is missing.
        UsageError: the present default cannot be read.
        WarehouseError: the disk is full, or the folder cannot be written.
        FolderBusy: another program holds the database (Windows), or builds it.
    """
    if not folder.versions():
        raise SnapshotNotFound(f"there is no version in {folder.path}; fetch one with: microns snapshot 1718")
    with build_lock(folder):
        return _build_alone(folder, default, memory or byte_count(None))


def build_lock(folder: Folder) -> AbstractContextManager[None]:
    """Let nobody else build the database, or read a version to do so.

    Raises:
        FolderBusy: another program does so for longer than is reasonable.
    """
    busy = f"another microns build works on {folder.path}; wait for it, or stop it"
    return exclusive_lock(folder.path / ".build.lock", busy, _TIMEOUT)


def _build_alone(folder: Folder, default: int | None, memory: int) -> Path:
    for version in folder.versions():
        complete_old_swap(folder, version)
    manifests = {version: _with_what_readers_have(folder, version) for version in folder.versions()}
    for manifest in manifests.values():
        require_files(folder, manifest)
    if default is not None:
        folder.require_version(default)
    chosen = default if default is not None else current_default(folder, manifests)
    _remove_abandoned(folder)
    if sentence := datastack_of(folder.datastack).undeclared:
        log.warning("%s", sentence)
    # In a folder of its own, which also takes what does not fit into memory.
    with disk_errors(folder.path), TemporaryDirectory(dir=folder.path, prefix=".build-") as temporary_folder:
        temporary = Path(temporary_folder) / folder.database.name
        with database(temporary, folder.path, memory) as con:
            built = _fill(con, folder, Path(temporary_folder), manifests, chosen)
        note_as_built(temporary)
        # The switch: from here on new sessions see the new state.
        replace_database(folder.database, temporary, "again: microns build")
    _note_in_manifests(folder, built)
    replace_file(folder.init_sql, init_sql(folder.path, chosen).encode())
    collect(folder)
    return folder.database


def _with_what_readers_have(folder: Folder, version: int) -> Manifest:
    """The newest manifest of a version, with all stored views and lineages that the present database has.

    A build that was killed after its switch has not noted them in `manifest.json`. What is derived and has lost a
    file is left out, so it is made anew.
    """
    head = read_manifest(folder.manifest(version))
    tables, stored = head.tables, head.stored_views
    if (seen := committed_manifests(folder).get(version)) is not None:
        tables = seen.tables if same_tables(seen, head) else tables
        stored = seen.stored_views | stored

    def is_whole(file: DataFile) -> bool:
        return file_problem(folder.version(version) / file.path, file) is None

    def kept(entry: TableEntry) -> TableEntry:
        return replace(entry, lineages=[each for each in entry.lineages if is_whole(each.file)])

    return replace(
        head,
        tables={name: kept(entry) for name, entry in tables.items()},
        stored_views={name: entry for name, entry in stored.items() if all(map(is_whole, entry.files))},
    )


def _note_in_manifests(folder: Folder, built: Mapping[int, Manifest]) -> None:
    """Note what was stored where jobs look it up, unless one of them has published other tables meanwhile."""
    with manifests_lock(folder):
        for version, manifest in built.items():
            path = folder.manifest(version)
            if path.is_file() and (head := read_manifest(path)) != manifest and same_tables(head, manifest):
                manifest.write(path)


def require_files(folder: Folder, manifest: Manifest) -> None:
    """See that all files of a version are there in their size, those of its base too, which costs next to nothing.

    Raises:
        SnapshotDamaged: one is not, or a bucket is there that nobody made.
    """
    require_bases(folder, manifest)
    own = [(manifest.version, file) for file in manifest.files]
    base = [(e.base.version, file) for e in manifest.tables.values() if e.base for file in e.base.files]
    for version, file in (*own, *base):
        if (problem := file_problem(folder.version(version) / file.path, file)) is not None:
            raise SnapshotDamaged(
                f"{file.path} of version {version} in {folder.path} {problem}; run: microns repair {version}"
            )
    buckets: dict[Path, set[str]] = {}
    for version, file in (*own, *base):
        bucket = (folder.version(version) / file.path).parent
        if is_bucket(bucket):
            buckets.setdefault(bucket.parent, set()).add(bucket.name)
    for above, known in buckets.items():
        # Views read all buckets of a table, whatever they are called.
        strange = ({entry.name for entry in os.scandir(above)} - known) if above.is_dir() else set()
        for bucket in sorted(above / name for name in strange):
            if (bucket / FILE).exists():
                raise SnapshotDamaged(
                    f"{bucket} is no bucket of that table, and its rows would be read; run: microns repair "
                    f"{above.relative_to(folder.path).parts[0][1:]}"
                )


def file_problem(path: Path, file: DataFile) -> str | None:
    """What is wrong with a file as far as its size tells; None if nothing is."""
    try:
        size = path.stat().st_size
    except OSError:
        return "is missing"
    return None if size == file.bytes else f"has {size:,} bytes, not {file.bytes:,}"


def require_bases(folder: Folder, manifest: Manifest) -> None:
    """See that the versions that a version is stored against are there, which costs next to nothing.

    Raises:
        SnapshotDamaged: one is not.
    """
    for base in manifest.bases:
        if not folder.version(base).is_dir():
            raise SnapshotDamaged(
                f"version {manifest.version} needs the synapses of version {base}, and those are gone from "
                f"{folder.path}; bring the folder v{base} back, or run: microns repair {base}"
            )


def _remove_abandoned(folder: Folder) -> None:
    """Remove what killed jobs have left: builds, of which there is one at a time, and others, none a day old."""
    old = [path for kind in (".drop-*", ".promote-*") for path in folder.path.glob(kind)]
    old = [path for path in old if time.time() - path.stat().st_mtime > 86_400]
    for abandoned in (*folder.path.glob(".build-*"), *old):
        shutil.rmtree(abandoned, ignore_errors=True)


def default_version(con: duckdb.DuckDBPyConnection, catalog: str) -> int:
    """The default version that an attached database remembers."""
    row = con.execute(f"SELECT version FROM {quoted(catalog)}.main.versions WHERE is_default").fetchone()
    if row is None:
        raise SnapshotNotFound(f"the database {catalog} has no default version; make it anew with: microns build")
    return int(row[0])


def _fill(
    con: duckdb.DuckDBPyConnection,
    folder: Folder,
    temporary_folder: Path,
    manifests: dict[int, Manifest],
    default: int,
) -> dict[int, Manifest]:
    """The steps of a build, in their order: names are created by `Names`, rows are stored between."""
    views = load_views(datastack_of(folder.datastack))
    right = {version: without_stale(manifest, views, manifests) for version, manifest in manifests.items()}
    names = Names(con, folder.datastack, right, default)
    now = names.manifests
    drafts = {version: temporary_folder / f"v{version}" for version in manifests}
    con.execute("BEGIN")
    names.create_path_macro()
    for version in right:
        names.create_tables(version)
        names.create_views_to_store(version)
        now[version] = store_views(con, folder, now[version], views, drafts[version])
        names.create_other_views(version)
        now[version] = store_lineages(con, folder, now[version], right, views, drafts[version])
    names.create_default_names()
    names.create_histories()
    followed = dict(now)
    for version in right:
        names.create_cross_version_views_to_store(version)
        now[version] = store_views(con, folder, now[version], views, drafts[version], followed)
    names.create_spanning_views()
    names.create_cross_version_views()
    create_generations(con, {version: write_committed(folder, manifest) for version, manifest in now.items()})
    con.execute("COMMIT")
    create_local_views(con, folder.local)  # after all else: a file that cannot be read would abort a transaction
    return now


@contextmanager
def database(path: Path, folder: Path, memory: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current database is a file that every DuckDB from 1.2 on can open.

    Args:
        path: the file; made if it is not there. What does not fit into memory goes beside it.
        folder: where the paths of its views begin.
        memory: how many bytes it may take.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "file_search_path": str(folder),
        "memory_limit": f"{memory}B",
        "temp_directory": str(path.with_name("spill")),
    }
    with duckdb.connect(config=config) as con:
        con.execute(f"ATTACH {text_literal(str(path))} AS microns (STORAGE_VERSION '{STORAGE}'); USE microns")
        yield con
        con.execute("USE memory; DETACH microns")


def current_default(folder: Folder, manifests: Mapping[int, Manifest] | None = None) -> int:
    """The version that plain names answer from, or will in a database made now.

    Args:
        folder: of the datastack.
        manifests: of the versions that are here, where they have been read already.
    """
    if manifests is None:
        manifests = {version: read_manifest(folder.manifest(version)) for version in folder.versions()}
    if folder.database.is_file():
        with duckdb.connect() as con:
            try:
                attach(con, folder.database, "present")
                remembered = default_version(con, "present")
            except (duckdb.Error, SnapshotDamaged) as error:
                reason = str(error.__cause__ or error).splitlines()[0]
                raise UsageError(
                    f"{folder.database} cannot be read, so its default version is unknown ({reason}); "
                    "say which one you want: microns build --default VERSION"
                ) from error
        if remembered in manifests:
            return remembered
    return min(manifests.items(), key=lambda item: (item[1].published, item[0]))[0]


def write_init_sql(folder: Folder) -> None:
    """Write init.sql for where the folder is now."""
    with duckdb.connect() as con:
        attach(con, folder.database, "present")
        text = init_sql(folder.path, default_version(con, "present")).encode()
    if not folder.init_sql.is_file() or folder.init_sql.read_bytes() != text:
        replace_file(folder.init_sql, text)
