"""The manifest: what a version's folder holds and what its files must contain.

A manifest is the contract between whoever wrote a folder and whoever reads it, and a document: it may come from
anybody, and its names, types and paths end up in SQL and in the names of files. So it is read as the types of this
module and nothing else. `manifest.schema.json` beside it is made from the same types, for other readers.

Rules of compatibility: a reader ignores keys that it does not know. It refuses a `format_version` above its own,
and any word in `needs` that it does not know, with a sentence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from warehouse.errors import SnapshotDamaged, SnapshotNotFound, without_secrets
from warehouse.storage.durable import replace_file
from warehouse.storage.paths import DATASTACK, version_of

FORMAT_VERSION = 1
BASE = "base"
SYNTHETIC = "synthetic"
"""The source of tables that were made up; in words, `NOT_BIOLOGY`."""
NOT_BIOLOGY = "synthetic, not biology"
"""What is said of everything that is made from a synthetic volume."""
KNOWN_NEEDS: frozenset[str] = frozenset({BASE})
"""Features that change how files must be read. `base`: a table is what differs from another version's."""


_CHECKSUM = ',\n "checksum": '
_END = "\n}"


def _whole(pattern: str) -> str:
    """A pattern for a whole text. Without the last part, Python's `$` also lets a line end follow."""
    return rf"^(?:{pattern})$(?!\n)"


_TYPES = "|".join(
    (
        "BOOLEAN",
        "U?(?:TINY|SMALL|BIG|HUGE)INT",
        "U?INTEGER",
        "FLOAT",
        "DOUBLE",
        r"DECIMAL\([0-9]{1,2},[0-9]{1,2}\)",
        "VARCHAR",
        "BLOB",
        "UUID",
        "DATE",
        "TIME",
        "TIMESTAMP(?:_S|_MS|_NS| WITH TIME ZONE)?",
        "INTERVAL",
    )
)
Layout: TypeAlias = Literal["default", "full"]
Encoding: TypeAlias = Literal["plain-1", "offset-1"]
Text: TypeAlias = Annotated[str, Meta(pattern=_whole(r"[^\u0000]*"))]
Name: TypeAlias = Annotated[str, Meta(pattern=_whole(r"[^\u0000]+"))]
FileName: TypeAlias = Annotated[str, Meta(pattern=_whole(r"[^\u0000-\u001f/\\:]+"))]
"""The name of a table, which is also that of a file where tables are written out."""
FilePath: TypeAlias = Annotated[str, Meta(pattern=_whole(r"(?:cave|model)(?:/(?!\.\.?(?:/|$))[A-Za-z0-9_.=-]+)+"))]
ColumnType: TypeAlias = Annotated[str, Meta(pattern=_whole(rf"(?:{_TYPES})(?:\[[0-9]{{0,6}}\])*"))]
Sha256: TypeAlias = Annotated[str, Meta(pattern=_whole("[0-9a-f]{64}"))]
SomeSha256: TypeAlias = Annotated[str, Meta(pattern=_whole("(?:[0-9a-f]{64})?"))]
Moment: TypeAlias = Annotated[str, Meta(pattern=_whole(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{5,15})?)?"))]
"""UTC, ISO 8601 without a zone; empty where it is not known."""
Version: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Key: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class DataFile(Struct, frozen=True):
    """One Parquet file.

    Attributes:
        path: relative to the version's folder, with forward slashes.
        bytes: its size.
        sha256: of its bytes.
        rows: its number of rows.
        min, max: smallest and largest value of the table's first sort column; None when there are no rows.
    """

    path: FilePath
    bytes: Count
    sha256: Sha256
    rows: Count
    min: Key | Text | None = None
    max: Key | Text | None = None


class Base(Struct, frozen=True):
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

    version: Version
    files: Annotated[list[DataFile], Meta(min_length=1)]
    retired: list[DataFile]
    dead: list[DataFile]
    changed: Count
    added: Count
    removed: Count
    checksum: Text


class Lineage(Struct, frozen=True):
    """Which root of another version became which root of this one.

    Attributes:
        version: the other version.
        file: its rows are other_root, root, n_sides: how many sides of synapses went from the one to the other.
        made_from: the fingerprint of the other version's synapses.
    """

    version: Version
    file: DataFile
    made_from: Text = ""


class TableEntry(Struct, frozen=True):
    """One table of a version.

    Attributes:
        source: "cave", "archive", "delta" or "synthetic".
        url: where it was fetched from.
        scope: which rows: "all", or "proofread" (outputs of proofread axons) or "neurons" (both ends on a
            root with a nucleus) for synapses; also "cells" (all synapses of chosen cells) and
            "proofread+cells" (both).
        columns: logical column name to DuckDB type.
        rows: number of rows over all files.
        files: where the rows are.
        encoding: how physical columns map to logical ones, see `warehouse.storage.encoding`.
        bounds: for bucketed tables, the lower bounds of buckets 1, 2, ... of the sort key.
        schema_type, description, notice_text, reference_table, voxel_resolution: CAVE's metadata.
        fetched: when, UTC.
        source_rows: the source's own count of the table's rows, where it gives one.
        note: what was odd about the fetching, and is no fault.
        source_bytes, source_sha256: of the file that it was read from, where it was one.
        citations: keys of the papers to cite, see `warehouse.registry.citations`.
        made_from: for what is built from the snapshot, a hash of all it was built from.
        base: for a table that is stored as what differs from another version's, how to read it.
        lineages: for synapses that were compared with other versions', what became of the roots.
        table: in a bundle, the table of the database that holds the rows, in place of files.
        chosen: for synapses of chosen cells, lists the roots (`pt_root_id`) all of whose synapses are here.
    """

    source: Text
    url: Text
    scope: Text
    columns: Annotated[dict[Name, ColumnType], Meta(min_length=1)]
    rows: Count
    files: list[DataFile]
    encoding: Encoding = "plain-1"
    bounds: list[Key] = []
    schema_type: Text = ""
    description: Text = ""
    notice_text: Text = ""
    reference_table: Text = ""
    voxel_resolution: list[float] = []
    fetched: Moment = ""
    source_rows: Count | None = None
    note: Text = ""
    source_bytes: Count | None = None
    source_sha256: SomeSha256 = ""
    citations: list[Text] = []
    made_from: Text = ""
    base: Base | None = None
    lineages: list[Lineage] = []
    table: Text = ""
    chosen: list[DataFile] = []

    def __post_init__(self) -> None:
        """Keep no password: manifests are handed on."""
        force_setattr(self, "url", without_secrets(self.url))

    @property
    def own_files(self) -> list[DataFile]:
        """All files of the table in its version's folder."""
        lists = [*self.base.retired, *self.base.dead] if self.base else []
        return [*self.files, *lists, *self.chosen, *(lineage.file for lineage in self.lineages)]

    @property
    def content(self) -> list[str]:
        """Hashes of all that the rows are read from."""
        base = [*self.base.files, *self.base.retired, *self.base.dead] if self.base else []
        return [file.sha256 for file in (*self.files, *base)]

    @property
    def fingerprint(self) -> str:
        """A hash of all that the rows are read from."""
        return hashlib.sha256("\n".join(self.content).encode()).hexdigest()


class Manifest(Struct, frozen=True):
    """What a version's folder holds.

    Attributes:
        datastack: CAVE's name of the datastack.
        version: the materialization version.
        time_stamp: the moment the version describes, UTC, ISO 8601 without a zone.
        tables: by CAVE name.
        absent: declared tables that this version does not have, and why.
        tools: versions of what wrote the folder, and of the server.
        published: when the folder was last published, UTC.
        stored_views: views whose rows are stored, built from the tables, by the view's name; in JSON `models`.
        layout: "default", or "full" where more orders of the synapses are stored.
        format_version: of the manifest.
        needs: features that a reader must know to read the files rightly; follows from the tables.
        synthetic: whether the rows were made up, and are not biology.
    """

    datastack: Annotated[str, Meta(pattern=_whole(DATASTACK))]
    version: Version
    time_stamp: Moment
    tables: dict[FileName, TableEntry]
    absent: dict[FileName, Text] = {}
    tools: dict[Text, Text] = {}
    published: Moment = ""
    stored_views: dict[FileName, TableEntry] = msgspec.field(name="models", default_factory=dict)
    layout: Layout = "default"
    format_version: Annotated[int, Meta(ge=0)] = FORMAT_VERSION
    needs: list[Text] = []
    synthetic: bool = False

    def __post_init__(self) -> None:
        force_setattr(self, "needs", [BASE] if self.bases else [])
        made_up = self.synthetic or any(entry.source == SYNTHETIC for entry in self.tables.values())
        force_setattr(self, "synthetic", made_up)

    @property
    def files(self) -> list[DataFile]:
        """Every file in the version's folder."""
        return [file for entry in (*self.tables.values(), *self.stored_views.values()) for file in entry.own_files]

    @property
    def title(self) -> str:
        """The datastack and the version in words, and whether they are synthetic."""
        return f"{self.datastack}, version {self.version}{f', {NOT_BIOLOGY}' if self.synthetic else ''}"

    @property
    def bases(self) -> set[int]:
        """The versions without whose files this one cannot be read."""
        return {entry.base.version for entry in self.tables.values() if entry.base}

    def to_json(self) -> str:
        """The manifest as JSON text with a stable order; its last key is a checksum of all before it."""
        ordered = replace(
            self,
            tables=dict(sorted(self.tables.items())),
            stored_views=dict(sorted(self.stored_views.items())),
            absent=dict(sorted(self.absent.items())),
        )
        # Columns keep their order, which is that of the table.
        text = msgspec.json.format(msgspec.json.encode(ordered), indent=1).decode()
        checksum = hashlib.sha256(text.encode()).hexdigest()
        return f'{text.removesuffix(_END)}{_CHECKSUM}"{checksum}"{_END}\n'

    def write(self, path: Path) -> None:
        """Replace the file at `path` in one step."""
        replace_file(path, self.to_json().encode())


def is_as_written(path: Path) -> bool:
    """Whether a manifest has the checksum of what was written; one of an older release has none, and passes."""
    text = path.read_bytes().decode("utf-8", "replace")
    before, found, after = text.rpartition(_CHECKSUM)
    if not found:
        return not re.search(r"[0-9a-f]{60}\S*\s*}\s*$", text)  # else the key is what was changed
    checksum = hashlib.sha256((before + _END).encode()).hexdigest()
    return after == f'"{checksum}"{_END}\n'


class _Format(Struct):
    """What every format says of itself, in whatever shape the rest is."""

    format_version: int = 0
    needs: list[str] = []


def read_manifest(path: Path) -> Manifest:
    """Read a manifest of this or an older format.

    Raises:
        SnapshotNotFound: there is none.
        SnapshotDamaged: it is not a manifest, or one that this release is too old to read.
    """
    try:
        manifest = manifest_from(path.read_bytes(), path)
    except FileNotFoundError:
        raise SnapshotNotFound(f"there is no manifest at {path}; fetch a version with: microns snapshot") from None
    if version_of(path.parent) not in (None, manifest.version):
        raise _damaged(path, f"it is about version {manifest.version}, in the folder {path.parent.name}")
    return manifest


def manifest_from(text: str | bytes, path: Path) -> Manifest:
    """A manifest out of its JSON text, which was found at `path`.

    Raises:
        SnapshotDamaged: it is not a manifest, or one that this release is too old to read.
    """
    try:
        _refuse_newer(path, msgspec.json.decode(text, type=_Format))
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _damaged(path, _in_words(error)) from error
    for what in _contradictions(manifest):
        raise _damaged(path, what)
    return manifest


def _damaged(path: Path, what: str) -> SnapshotDamaged:
    """Sentence and way out for a manifest in the folder of a version, or in a bundle."""
    if (version := version_of(path.parent)) is None:
        way_out = "get the file again with: microns get"
    else:
        way_out = f"remove the folder v{version} and fetch it again with: microns snapshot {version}"
    return SnapshotDamaged(f"{path} is not a manifest that can be read: {what}; {way_out}")


def _in_words(error: Exception) -> str:
    """What is wrong, and where; a pattern tells a reader nothing."""
    return re.sub(r"Expected `str` matching regex .*?( - at|$)", r"a text that cannot be there\1", str(error))


def _refuse_newer(path: Path, written: _Format) -> None:
    upgrade = "upgrade with: pip install --upgrade microns-warehouse"
    if written.format_version > FORMAT_VERSION:
        number = written.format_version
        raise SnapshotDamaged(f"{path} has format {number}, this release reads up to {FORMAT_VERSION}; {upgrade}")
    if unknown := sorted(set(written.needs) - KNOWN_NEEDS):
        raise SnapshotDamaged(f"{path} needs {', '.join(unknown)}, which this release cannot read; {upgrade}")


def _contradictions(manifest: Manifest) -> Iterator[str]:
    """What no single value shows."""
    for name, moment in (("time_stamp", manifest.time_stamp), ("published", manifest.published)):
        if not _is_moment(moment):
            yield f"{name} is no date"
    for kind, entries in (("tables", manifest.tables), ("models", manifest.stored_views)):
        if twice := _twice(entries):
            yield f"{kind} has {twice} twice, which differ in small and capital letters"
        for name, entry in entries.items():
            yield from (f"{kind} {name}: {what}" for what in _contradictions_of(entry))


def _contradictions_of(entry: TableEntry) -> Iterator[str]:
    if twice := _twice(entry.columns):
        yield f"the column {twice} is there twice"
    if not entry.files and not entry.table:
        yield "it has neither files nor a table with its rows"
    if any(low >= high for low, high in pairwise(entry.bounds)):
        yield "its bounds do not ascend"
    files = [*entry.files, *(entry.base.files if entry.base else ())]
    kinds = {(type(file.min), type(file.max)) for file in files}
    if len(files) > 1 and not kinds <= {(int, int), (type(None), type(None))}:
        yield "its files are not cut by whole numbers"
    if kinds & {(int, str), (str, int)}:
        yield "a file has a smallest value of another kind than its largest"
    if len(entry.voxel_resolution) not in (0, 3):
        yield "its voxel resolution has not three numbers"
    if not _is_moment(entry.fetched):
        yield "fetched is no date"


def _twice(names: Iterable[str]) -> str:
    """A name that is there before, but for small and capital letters, which DuckDB does not tell apart."""
    seen = set[str]()
    for name in names:
        if name.lower() in seen:
            return name
        seen.add(name.lower())
    return ""


def _is_moment(text: str) -> bool:
    try:
        return not text or datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


def schema_text() -> str:
    """The JSON Schema of a manifest, as `manifest.schema.json` has it."""
    schema = msgspec.json.schema(Manifest)
    for definition in schema["$defs"].values():
        definition["description"] = cleandoc(definition["description"])  # older releases keep the indentation
    return json.dumps(schema, indent=1) + "\n"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
