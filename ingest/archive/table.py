"""One table of the archive: a file that is read once, as it arrives, into parts."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import pyarrow as pa

from ingest.archive.dump import Header, read_dump
from ingest.files.download import Download
from ingest.files.remote import Found, RemoteFiles
from ingest.parts.plan import Part
from ingest.parts.progress import Progress
from ingest.parts.saved import PartsFolder, SavedPart
from ingest.parts.source import Cost, Scope
from ingest.parts.wanted import kept
from warehouse.errors import SourceRefused, SourceUnavailable
from warehouse.registry.schema import Table
from warehouse.storage.durable import replace_file
from warehouse.storage.logical import unordered_rows

log = logging.getLogger(__name__)

_ROWS_PER_PART = 1_000_000
_LARGE = 1_000_000_000
_PIECE = 1 << 20


@dataclass(frozen=True)
class Receipt:
    """What was read, once all of it was.

    Attributes:
        url: of the file.
        bytes, sha256: of the file.
        seen: rows that it holds.
        kept: rows of them that were kept.
    """

    url: str
    bytes: int
    sha256: str
    seen: int
    kept: int


@dataclass
class ArchiveTable:
    """One table to read; see `ingest.parts.source.SourceTable`.

    A job that was killed reads its file anew, from what is on the disk of it and then from the network: parsing is
    cheap, the way is not.

    Attributes:
        bucket: where the file is.
        found: the file.
        header: its columns.
        table: the declaration, of the columns that the file has.
        scope: which rows are kept.
        parts_folder: where the parts wait.
        progress: is told after each part.
        published: the SHA-256 that the file must have, because others have published it; "" where any will do.
        keep: per column, the values that are kept.
    """

    bucket: RemoteFiles
    found: Found
    header: Header
    table: Table
    scope: Scope
    parts_folder: PartsFolder
    progress: Progress
    published: str = ""
    keep: dict[str, pa.Array] = field(default_factory=dict)

    rows_to_come = None

    def keep_only(self, wanted: Mapping[str, pa.Array]) -> None:
        """Keep only rows with these values."""
        self.keep = dict(wanted)

    def missing(self) -> list[Part]:
        """The whole file, or nothing."""
        return [] if self._receipt() and self._is_whole(self.parts_folder.load()) else [Part()]

    def fetch(self, part: Part) -> list[Part]:
        """Read the file from its beginning to its end.

        Raises:
            SourceUnavailable: the server does not answer, or what it sent is damaged.
            SchemaDrift: the rows are not what the header says.
        """
        if not self.found.bytes:  # not even an empty table: gzip begins with ten bytes of its own
            raise SourceUnavailable(
                f"{self.found.url} is empty, so it is damaged; get the file again, or report it"
            )
        self._receipt_at.unlink(missing_ok=True)
        for stored in self.parts_folder.load():
            self.parts_folder.remove(stored)
        seen = kept = 0
        waiting: list[pa.Table] = []
        columns = [*self.table.arrow_schema.names, "valid"]
        with self.bucket.open(self.found, self._kept_at) as stream:
            buffered = cast(BinaryIO, io.BufferedReader(stream, _PIECE))
            for rows in self._whole(stream, read_dump(buffered, self.header, columns, self.found.url)):
                seen += rows.num_rows
                waiting.append(self._wanted(rows))
                if sum(each.num_rows for each in waiting) >= _ROWS_PER_PART:
                    kept += self._save(kept, waiting)
                    waiting = []
                    share = stream.position / max(self.found.bytes, 1)
                    self.progress.part(self.table.name, round(kept / _ROWS_PER_PART * (1 - share) / share))
            sha256 = stream.finish()
            if self.published and sha256 != self.published:
                raise _replaced(self.found.url, sha256, self.published)
            kept += self._save(kept, waiting) if waiting else 0
            receipt = Receipt(self.found.url, self.found.bytes, sha256, seen, kept)
            self.parts_folder.directory.mkdir(parents=True, exist_ok=True)
            replace_file(self._receipt_at, msgspec.json.encode(receipt))
            stream.forget()
        if self.keep:
            log.info("%s: %s of %s rows are kept", self.table.name, f"{kept:,}", f"{seen:,}")
        return []

    def smaller(self, part: Part) -> list[Part]:
        """A file cannot be asked for in parts that can be read alone."""
        return []

    def complete(self) -> list[SavedPart]:
        """The parts, which hold as many rows as were kept of the file."""
        stored = self.parts_folder.load()
        if not self._is_whole(stored):
            self.parts_folder.clear()
            raise SourceUnavailable(f"parts of {self.table.name} are missing on disk; run the same command again")
        return stored

    def cost(self, rows: Mapping[str, int]) -> Cost:
        """One file; how many rows it holds is known when it was read."""
        if self._receipt():
            return Cost(0, None, 0)
        here = self._kept_at.stat().st_size if self._kept_at.exists() else 0
        return Cost(1, None, self.found.bytes - here)

    def size_notice(self) -> str:
        """The size of a large file."""
        if self.found.bytes < _LARGE:
            return ""
        return (
            f"{self.found.url} has {self.found.bytes / 1e9:,.1f} GB; it is kept on the disk until it was read; "
            "stop and continue whenever you like"
        )

    def entry(self) -> dict[str, Any]:
        """The file, and how it was."""
        receipt = self._receipt()
        return {
            "source": "archive",
            "url": self.found.url,
            "source_bytes": self.found.bytes,
            "source_sha256": receipt.sha256 if receipt else "",
            "source_rows": receipt.seen if receipt else None,
            "scope": self.scope,
            "description": self.table.description,
            "reference_table": self.table.reference,
        }

    def _whole(self, stream: Download, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The batches of a file, or a sentence if it cannot be unpacked to its end."""
        try:
            yield from batches
        except OSError as error:
            stream.forget()
            raise SourceUnavailable(
                f"{self.found.url} is damaged ({str(error).splitlines()[0]}): nothing of it is published; run the "
                "same command again, or, where that is your own copy, get the file again"
            ) from error

    def _wanted(self, rows: pa.Table) -> pa.Table:
        return unordered_rows(self.table, kept(rows, self.keep, self.scope))

    def _save(self, first: int, waiting: list[pa.Table]) -> int:
        rows = pa.concat_tables(waiting)
        return self.parts_folder.save(Part(first, first + rows.num_rows), rows, seen=rows.num_rows).rows

    def _is_whole(self, stored: list[SavedPart]) -> bool:
        receipt = self._receipt()
        return receipt is not None and sum(part.rows for part in stored) == receipt.kept

    def _receipt(self) -> Receipt | None:
        try:
            return msgspec.json.decode(self._receipt_at.read_bytes(), type=Receipt)
        except (OSError, msgspec.DecodeError, UnicodeError):
            return None

    @property
    def _receipt_at(self) -> Path:
        return self.parts_folder.directory / "receipt"

    @property
    def _kept_at(self) -> Path:
        return self.parts_folder.directory / "download"


def _replaced(url: str, sha256: str, published: str) -> SourceRefused:
    """What to say when a public file is not the one that papers were made with."""
    place = url.rpartition("/v")[0]
    return SourceRefused(
        f"{url} is not the file that was published: its SHA-256 is {sha256[:16]}..., not {published[:16]}...; "
        f"to take what is there now all the same, name the place: --source archive --from {place}"
    )
