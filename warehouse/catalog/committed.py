"""What readers see: the manifests that the database was made from, which the database names.

`vN/manifest.json` says what jobs have written last; it may be ahead of the database for as long as a build takes.
Whoever reads goes by the manifests here, so that tables, stored views and the database are always of one moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import duckdb
from msgspec.structs import replace

from warehouse.errors import SnapshotDamaged, SnapshotNotFound
from warehouse.storage.attach import MADE_ANEW, attach
from warehouse.storage.durable import replace_file
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted, text_literal

GENERATIONS = "_generations"
"""The view in `main` that names the manifest of each version, relative to the datastack's folder."""
_HASHED = 12


def write_committed(folder: Folder, manifest: Manifest) -> str:
    """Write the manifest that a database is about to name, under a name of its own; returns its path."""
    content = manifest.to_json().encode()
    name = f"v{manifest.version}/manifest-{hashlib.sha256(content).hexdigest()[:_HASHED]}.json"
    path = folder.path / name
    if not path.is_file() or path.read_bytes() != content:
        replace_file(path, content)
    return name


def create_generations(con: duckdb.DuckDBPyConnection, names: Mapping[int, str]) -> None:
    """Create the view that names the manifests, in `main` of the current database."""
    rows = ", ".join(f"({version}, {text_literal(name)})" for version, name in names.items())
    con.execute(
        f"CREATE VIEW main.{GENERATIONS} AS "
        f"SELECT version::INTEGER AS version, manifest FROM (VALUES {rows}) AS g (version, manifest)"
    )


def manifest_names(con: duckdb.DuckDBPyConnection, catalog: str) -> dict[int, str]:
    """The manifests that an attached database names, by version; none for one that an older release made."""
    try:
        rows = con.execute(f"SELECT version, manifest FROM {quoted(catalog)}.main.{GENERATIONS}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {int(version): str(name) for version, name in rows}


def read_committed(folder: Folder, version: int, name: str) -> Manifest:
    """The manifest of a version that a database names.

    Raises:
        SnapshotDamaged: it is gone, or not the one that was written.
    """
    path = folder.path / name
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest()[:_HASHED] != path.stem.rpartition("-")[2]:
        what = "is missing" if not content else "was changed"
        raise SnapshotDamaged(f"{path} {what}; run: microns repair {version}")
    return read_manifest(path)


def committed_names(folder: Folder) -> dict[int, str]:
    """The manifests that the database of a folder names; none where there is no database, or a damaged one.

    Raises:
        FolderBusy: another program has the database open to write, so nobody can tell.
    """
    try:
        return names_in_database(folder)
    except SnapshotDamaged:
        return {}


def names_in_database(folder: Folder) -> dict[int, str]:
    """The manifests that the database of a folder names; none where there is no database.

    Raises:
        FolderBusy: another program has the database open to write.
        SnapshotDamaged: it cannot be read.
    """
    if not folder.database.is_file():
        return {}
    with duckdb.connect() as con:
        attach(con, folder.database, "present")
        try:
            return manifest_names(con, "present")
        except duckdb.Error as error:
            raise SnapshotDamaged(f"{folder.database} cannot be read ({error}); {MADE_ANEW}") from error


def committed_manifests(folder: Folder) -> dict[int, Manifest]:
    """What readers of a folder see, by version; manifests that are damaged are left out."""
    found = {}
    for version, name in committed_names(folder).items():
        try:
            found[version] = read_committed(folder, version, name)
        except SnapshotDamaged:
            continue
    return found


def local_manifests(folder: Folder) -> dict[int, Manifest]:
    """The manifests of all local versions: as readers see them, else (not built yet) as they were written."""
    committed = committed_manifests(folder)
    heads = {version: folder.manifest(version) for version in folder.versions()}
    return {version: committed.get(version) or read_manifest(path) for version, path in heads.items()}


def is_current(folder: Folder) -> bool:
    """Whether the database was made from all that jobs have written, by a build that came to its end."""
    # A build that is killed after its switch has not written this file, or not noted in the heads what it stored.
    return folder.init_sql.is_file() and committed_manifests(folder) == {
        version: read_manifest(folder.manifest(version)) for version in folder.versions()
    }


def same_tables(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests of a version have the same tables, whatever was derived from them."""
    tables = [{name: replace(entry, lineages=[]) for name, entry in each.tables.items()} for each in (one, other)]
    return tables[0] == tables[1] and one.layout == other.layout and one.absent == other.absent


def require_local(folder: Folder, version: int) -> Manifest:
    """The manifest of a version as readers see it.

    Raises:
        SnapshotNotFound: the version is not here.
    """
    if (manifest := local_manifests(folder).get(version)) is None:
        folder.require_version(version)
        raise SnapshotNotFound(f"{folder.database} does not know version {version} yet; run: microns build")
    return manifest
