"""What is wrong with the files of a version: each problem names the file, what it holds, and so what heals it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.catalog.build import file_problem
from warehouse.catalog.collect import waiting
from warehouse.catalog.committed import committed_names, read_committed
from warehouse.catalog.settings import init_sql
from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.storage.attach import attach
from warehouse.storage.manifest import DataFile, Manifest, is_as_written, read_manifest, sha256_of
from warehouse.storage.paths import Folder

_HEADERS = 3 * 4096
"""Bytes of a DuckDB file before its first block."""
_INIT = re.compile(
    r"(?<=started outside of )[^\n]*(?=; `microns path)|(?<=file_search_path = )'(?:[^'\n]|'')*'(?=;\n)"
)
"""What names the folder in init.sql: another one after a move, which `microns path --shell` mends."""
Kind = Literal["table", "derived", "manifest", "database", "stranger"]


@dataclass(frozen=True)
class Problem:
    """One file that is not what it should be.

    Attributes:
        path: relative to the datastack's folder.
        what: what is wrong with it, as the end of a sentence.
        kind: "table" (fetched), "derived" (made from tables), "manifest", "database", or "stranger" (nothing names
            it, but a reader of its folder would read it too).
        version: the version whose file it is; None for the database.
        table: CAVE's name of the table, for "table".
    """

    path: str
    what: str
    kind: Kind
    version: int | None = None
    table: str = ""


def verify(folder: Folder, version: int, *, quick: bool = False) -> list[Problem]:
    """Everything that is wrong with the files of a version, those of its base that it needs among them.

    Args:
        folder: of the datastack.
        version: the version; its folder is there.
        quick: compare sizes only, not the SHA-256 of every file.
    """
    manifests, problems = _manifests(folder, version)
    named: dict[str, tuple[DataFile, Kind, str]] = {}
    for manifest in manifests:
        named |= _named(manifest)
    for path, (file, kind, table) in named.items():
        what = file_problem(folder.path / path, file) if quick else damage_of(folder.path / path, file)
        if what is not None:
            problems.append(Problem(path, what, kind, int(path.partition("/")[0][1:]), table))
    if manifests:
        problems += _strangers(folder, version, set(named))
    return problems


def verify_database(folder: Folder) -> list[Problem]:
    """What is wrong with the database and with init.sql beside it."""
    if not folder.database.is_file():
        return [Problem(folder.database.name, "is missing", "database")]
    with duckdb.connect() as con:
        try:
            attach(con, folder.database, "present")
            con.execute("SELECT count(*), count(comment) FROM duckdb_columns()")
            found = con.execute("SELECT version FROM present.main.versions WHERE is_default").fetchone()
            blocks = con.execute(
                "SELECT block_size, total_blocks FROM pragma_database_size() WHERE database_name = 'present'"
            ).fetchone()
        except (duckdb.Error, SnapshotDamaged) as error:
            return [Problem(folder.database.name, f"cannot be read ({str(error).splitlines()[0]})", "database")]
    problems = []
    if blocks and folder.database.stat().st_size != _HEADERS + blocks[0] * blocks[1]:
        problems.append(Problem(folder.database.name, "has bytes that are no part of it", "database"))
    text = folder.init_sql.read_text("utf-8", "replace") if folder.init_sql.is_file() else None
    if text is None or _INIT.sub("", text) != _INIT.sub("", init_sql(folder.path, int(found[0]) if found else 0)):
        what = "is missing" if text is None else "was changed"
        problems.append(Problem(folder.init_sql.name, what, "database"))
    return problems


def _manifests(folder: Folder, version: int) -> tuple[list[Manifest], list[Problem]]:
    """The manifests of a version that can be read: that of jobs and that of the database."""
    found, problems = [], []
    head = folder.manifest(version)
    name = committed_names(folder).get(version)
    try:
        manifest = read_manifest(head)
        if is_as_written(head):
            found.append(manifest)
        else:
            problems.append(Problem(head.relative_to(folder.path).as_posix(), "was changed", "manifest", version))
    except WarehouseError:
        if not folder.dropped(version).exists():
            what = "cannot be read" if head.exists() else "is missing"
            problems.append(Problem(head.relative_to(folder.path).as_posix(), what, "manifest", version))
    if name is not None:
        try:
            found.append(read_committed(folder, version, name))
        except WarehouseError:
            what = "was changed" if (folder.path / name).exists() else "is missing"
            problems.append(Problem(name, what, "manifest", version))
    return found, problems


def _named(manifest: Manifest) -> dict[str, tuple[DataFile, Kind, str]]:
    """Every file that a version is read from, by its path in the datastack's folder."""
    named: dict[str, tuple[DataFile, Kind, str]] = {}
    for name, entry in manifest.tables.items():
        lists = (*entry.base.retired, *entry.base.dead) if entry.base else ()
        own = (*entry.files, *entry.chosen, *lists)
        named |= {f"v{manifest.version}/{file.path}": (file, "table", name) for file in own}
        for lineage in entry.lineages:
            named[f"v{manifest.version}/{lineage.file.path}"] = (lineage.file, "derived", name)
        if entry.base is not None:
            named |= {f"v{entry.base.version}/{file.path}": (file, "table", name) for file in entry.base.files}
    for view, entry in manifest.stored_views.items():
        named |= {f"v{manifest.version}/{file.path}": (file, "derived", view) for file in entry.files}
    return named


def damage_of(path: Path, file: DataFile) -> str | None:
    """What is wrong with a file, all of which is read; None if nothing is."""
    if (what := file_problem(path, file)) is not None:
        return what
    if sha256_of(path) != file.sha256:
        return "has another SHA-256"
    try:
        rows = pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException):
        return "is no Parquet file"
    return None if rows == file.rows else f"has {rows} rows, not {file.rows}"


def _strangers(folder: Folder, version: int, named: set[str]) -> Iterator[Problem]:
    """Files beside those of a generation, which a reader of its folder would read too."""
    old = tuple(f"{each.path}/" for each in waiting(folder))
    for kind in ("cave", "model"):
        for path in sorted((folder.version(version) / kind).rglob("*.parquet")):
            name = path.relative_to(folder.path).as_posix()
            if name not in named and not name.startswith(old):
                yield Problem(name, "is not in the manifest", "stranger", version)
