"""The manifest: what a version's folder holds and what its files must contain.

A manifest is the contract between whoever wrote a folder and whoever reads it. Its JSON Schema is
`manifest.schema.json` beside this module. Rules of compatibility: a reader ignores keys it does not know; it
refuses a `format_version` above its own, and any word in `needs` that it does not know, with a sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from warehouse.errors import SnapshotDamaged, SnapshotNotFound

FORMAT_VERSION = 1
Layout: TypeAlias = Literal["default", "full"]
_T = TypeVar("_T")
BASE = "base"
KNOWN_NEEDS: frozenset[str] = frozenset({BASE})
"""Features that change how files must be read. `base`: a table is what differs from another version's."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file.

    Attributes:
        path: relative to the version's folder, with forward slashes.
        bytes: its size.
        sha256: of its bytes.
        rows: its number of rows.
        min, max: smallest and largest value of the table's first sort column; None when there are no rows.
    """

    path: str
    bytes: int
    sha256: str
    rows: int
    min: int | str | None = None
    max: int | str | None = None


@dataclass(frozen=True)
class Base:
    """What a table of another version lacks to be this version's, beside the rows in the entry's own files.

    The table is: the rows of the base, without those that have a retired root on either side and without those in
    `dead`, and the rows in the entry's own files.

    Attributes:
        version: the other version.
        files: its files, relative to its folder. That they are these very files makes the rest true.
        retired: lists the roots that the base has and this version has not; never 0 or 1.
        dead: lists the ids of the other rows of the base that are not in this version as they are.
        changed, added, removed: rows that differ, that only this version has, that only the base has.
        checksum: of id and both roots of every row, see `warehouse.versions.store_difference`.
    """

    version: int
    files: list[DataFile]
    retired: list[DataFile]
    dead: list[DataFile]
    changed: int
    added: int
    removed: int
    checksum: str


@dataclass(frozen=True)
class Lineage:
    """Which root of another version became which root of this one.

    Attributes:
        version: the other version.
        file: its rows are other_root, root, n_sides: how many sides of synapses went from the one to the other.
        made_from: the fingerprint of the other version's synapses.
    """

    version: int
    file: DataFile
    made_from: str = ""


@dataclass(frozen=True)
class TableEntry:
    """One table of a version.

    Attributes:
        source: "cave", "archive", "delta" or "synthetic".
        url: where it was fetched from.
        scope: which rows: "all", or "proofread" (outputs of proofread axons) or "neurons" (both ends on a
            root with a nucleus) for synapses; in a bundle also "cells" (all synapses of chosen cells) and
            "proofread+cells" (both).
        columns: logical column name to DuckDB type.
        rows: number of rows over all files.
        files: where the rows are.
        encoding: how physical columns map to logical ones, see `warehouse.storage.encoding`.
        bounds: for bucketed tables, the lower bounds of buckets 1, 2, ... of the sort key.
        schema_type, description, notice_text, reference_table, voxel_resolution: CAVE's metadata.
        fetched: when, UTC.
        source_rows: the source's own count of the table's rows, where it gives one.
        source_bytes, source_sha256: of the file that it was read from, where it was one.
        citations: keys of the papers to cite, see `warehouse.registry.citations`.
        made_from: for what is built from the snapshot, a hash of all it was built from.
        base: for a table that is stored as what differs from another version's, how to read it.
        lineages: for synapses that were compared with other versions', what became of the roots.
        table: in a bundle, the table of the database that holds the rows, in place of files.
    """

    source: str
    url: str
    scope: str
    columns: dict[str, str]
    rows: int
    files: list[DataFile]
    encoding: str = "plain-1"
    bounds: list[int] = field(default_factory=list)
    schema_type: str = ""
    description: str = ""
    notice_text: str = ""
    reference_table: str = ""
    voxel_resolution: list[float] = field(default_factory=list)
    fetched: str = ""
    source_rows: int | None = None
    source_bytes: int | None = None
    source_sha256: str = ""
    citations: list[str] = field(default_factory=list)
    made_from: str = ""
    base: Base | None = None
    lineages: list[Lineage] = field(default_factory=list)
    table: str = ""

    @property
    def own_files(self) -> list[DataFile]:
        """All files of the table in its version's folder."""
        lists = [*self.base.retired, *self.base.dead] if self.base else []
        return [*self.files, *lists, *(lineage.file for lineage in self.lineages)]

    @property
    def content(self) -> list[str]:
        """Hashes of all that the rows are read from."""
        base = [*self.base.files, *self.base.retired, *self.base.dead] if self.base else []
        return [file.sha256 for file in (*self.files, *base)]

    @property
    def fingerprint(self) -> str:
        """A hash of all that the rows are read from."""
        return hashlib.sha256("\n".join(self.content).encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """What a version's folder holds.

    Attributes:
        datastack: CAVE's name of the datastack.
        version: the materialization version.
        time_stamp: the moment the version describes, UTC, ISO 8601 without a zone.
        tables: by CAVE name.
        absent: declared tables that this version does not have, and why.
        tools: versions of what wrote the folder, and of the server.
        published: when the folder was last published, UTC.
        models: views whose rows are stored, built from the tables, by the view's name.
        layout: "default", or "full" where more orders of the synapses are stored.
        format_version: of the manifest.
    """

    datastack: str
    version: int
    time_stamp: str
    tables: dict[str, TableEntry]
    absent: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    published: str = ""
    models: dict[str, TableEntry] = field(default_factory=dict)
    layout: Layout = "default"
    format_version: int = FORMAT_VERSION

    @property
    def files(self) -> list[DataFile]:
        """Every file in the version's folder."""
        return [file for entry in (*self.tables.values(), *self.models.values()) for file in entry.own_files]

    @property
    def bases(self) -> set[int]:
        """The versions without whose files this one cannot be read."""
        return {entry.base.version for entry in self.tables.values() if entry.base}

    @property
    def needs(self) -> list[str]:
        """Features that a reader must know to read the files rightly."""
        return [BASE] if self.bases else []

    def to_json(self) -> str:
        """The manifest as JSON text with a stable order."""
        ordered = replace(
            self,
            tables=dict(sorted(self.tables.items())),
            models=dict(sorted(self.models.items())),
            absent=dict(sorted(self.absent.items())),
        )
        # Columns keep their order, which is that of the table.
        return json.dumps({**asdict(ordered), "needs": self.needs}, indent=1) + "\n"

    def write(self, path: Path) -> None:
        """Replace the file at `path` in one step."""
        replace_file(path, self.to_json().encode())


def read_manifest(path: Path) -> Manifest:
    """Read a manifest of this or an older format.

    Raises:
        SnapshotNotFound: there is none.
        SnapshotDamaged: it is not a manifest, or one that this release is too old to read.
    """
    try:
        return manifest_from(path.read_text("utf-8"), path)
    except FileNotFoundError:
        raise SnapshotNotFound(f"there is no manifest at {path}; fetch a version with: microns snapshot") from None
    except UnicodeDecodeError as error:
        raise SnapshotDamaged(_not_a_manifest(path, error)) from error


def _not_a_manifest(path: Path, error: Exception) -> str:
    folder = path.parent
    return (
        f"{path} is not a manifest ({error}); remove the folder {folder.name} and fetch it again with: "
        f"microns snapshot {folder.name.removeprefix('v')}"
    )


def manifest_from(text: str, path: Path) -> Manifest:
    """A manifest out of its JSON text, which was found at `path`.

    Raises:
        SnapshotDamaged: it is not a manifest, or one that this release is too old to read.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise SnapshotDamaged(_not_a_manifest(path, error)) from error
    _refuse_newer(path, content)
    try:
        tables, models = _entries(content["tables"]), _entries(content.get("models", {}))
        return _known(Manifest, {**content, "tables": tables, "models": models})
    except (KeyError, TypeError, AttributeError) as error:
        raise SnapshotDamaged(
            f"{path} lacks what a manifest must say ({error}); fetch the version again"
        ) from error


def _entries(content: Mapping[str, Any]) -> dict[str, TableEntry]:
    return {name: _known(TableEntry, _parsed(entry)) for name, entry in content.items()}


def _parsed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of an entry, or of its base, with what it is made of."""
    lists = {name: content[name] for name in ("files", "retired", "dead") if name in content}
    parts: dict[str, Any] = {name: [_known(DataFile, file) for file in files] for name, files in lists.items()}
    if (base := content.get("base")) is not None:
        parts["base"] = _known(Base, _parsed(base))
    lineages = content.get("lineages", ())
    parts["lineages"] = [_known(Lineage, {**each, "file": _known(DataFile, each["file"])}) for each in lineages]
    return {**content, **parts}


def _refuse_newer(path: Path, content: Mapping[str, Any]) -> None:
    upgrade = "upgrade with: pip install --upgrade microns-warehouse"
    if (written := content.get("format_version", 0)) > FORMAT_VERSION:
        raise SnapshotDamaged(f"{path} has format {written}, this release reads up to {FORMAT_VERSION}; {upgrade}")
    if unknown := sorted(set(content.get("needs", ())) - KNOWN_NEEDS):
        raise SnapshotDamaged(f"{path} needs {', '.join(unknown)}, which this release cannot read; {upgrade}")


def _known(cls: type[_T], content: Mapping[str, Any]) -> _T:
    names = {each.name for each in fields(cls)}  # type: ignore[arg-type]
    return cls(**{key: value for key, value in content.items() if key in names})


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    if os.name != "nt":  # there, a folder cannot be opened, and its entries are journalled
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
