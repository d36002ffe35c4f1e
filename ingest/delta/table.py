"""One Delta table: files that are fetched one by one, each as a part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.files.remote import RemoteFiles
from ingest.parts.plan import Part
from ingest.parts.saved import PartsFolder, SavedPart
from ingest.parts.source import Cost, Scope
from warehouse.errors import SchemaDrift, SourceRefused, SourceUnavailable
from warehouse.registry.schema import Table
from warehouse.storage.logical import unordered_rows
from warehouse.storage.wkb import point_columns

_ROWS_AT_ONCE = 200_000
_ROWS_PER_PIECE = 1_000_000
"""A file of ten million rows would take 1.6 GB as a whole."""
_LARGE = 1_000_000_000


@dataclass(frozen=True)
class File:
    """One file of a Delta table, as its log tells.

    Attributes:
        name: below the folder of the lake.
        bytes, rows: what it holds.
    """

    name: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Log:
    """What the log of a Delta table says.

    Attributes:
        url: of the table.
        schema: its columns, points taken apart.
        files: that it consists of, in a fixed order.
    """

    url: str
    schema: pa.Schema
    files: tuple[File, ...]


@dataclass
class DeltaExport:
    """One table to read; see `ingest.parts.source.SourceTable`.

    A file is kept in pieces, of which the last one, saved last, says that all are here.

    Attributes:
        bucket: where the files are.
        log: which files there are.
        table: the declaration, of the columns that the files have.
        scope: which rows are kept.
        parts_folder: where the parts wait.
        keep: per column, the values that are kept.
    """

    bucket: RemoteFiles
    log: Log
    table: Table
    scope: Scope
    parts_folder: PartsFolder
    keep: dict[str, pa.Array] = field(default_factory=dict)

    @property
    def rows_to_come(self) -> int:
        """What the log counts."""
        return sum(file.rows for file in self.log.files)

    def keep_only(self, wanted: Mapping[str, pa.Array]) -> None:
        """Keep only rows with these values."""
        self.keep = dict(wanted)

    def missing(self) -> list[Part]:
        """The files that are not here; a part's number is the place of its file in the log."""
        here = {stored.part for stored in self.parts_folder.load()}
        return [part for part in self._parts() if part not in here]

    def fetch(self, part: Part) -> list[Part]:
        """Fetch a file and keep its rows.

        Raises:
            SourceRefused: it is not the file of the log.
            SourceUnavailable: the server does not answer, or what it sent is damaged.
        """
        file = self.log.files[part.low]
        found = self.bucket.find(file.name)
        if found is None or found.bytes != file.bytes:
            raise SourceRefused(
                f"{self.bucket.url}/{file.name} is not there as the table's log says; take --source archive"
            )
        kept = self.parts_folder.directory / f"{part.low}.download"
        with self.bucket.open(found, kept) as stream:
            stream.finish()
            seen, done, waiting = 0, 0, [self.table.arrow_schema.empty_table()]
            for rows in self._rows(stream.path, file.name):
                seen += rows.num_rows
                waiting.append(self._wanted(rows))
                if seen - done >= _ROWS_PER_PIECE:
                    piece = replace(part, among=(*part.among, seen))
                    self.parts_folder.save(piece, pa.concat_tables(waiting), seen=seen - done)
                    done, waiting = seen, waiting[:1]
            if seen != file.rows:
                raise SourceRefused(f"{found.url} holds {seen:,} rows and the table's log says {file.rows:,}")
            self.parts_folder.save(part, pa.concat_tables(waiting), seen=seen - done)
            stream.forget()
        return []

    def smaller(self, part: Part) -> list[Part]:
        """A file is fetched whole."""
        return []

    def complete(self) -> list[SavedPart]:
        """The parts, which hold the rows that the log counts."""
        parts = set(self._parts())
        stored = [
            each for each in self.parts_folder.load() if replace(each.part, among=each.part.among[:1]) in parts
        ]
        if self.missing() or sum(part.seen for part in stored) != self.rows_to_come:
            raise SourceUnavailable(f"parts of {self.table.name} are missing on disk; run the same command again")
        return stored

    def cost(self, rows: Mapping[str, int]) -> Cost:
        """The files that are left."""
        files = [self.log.files[part.low] for part in self.missing()]
        return Cost(len(files), sum(file.rows for file in files), sum(file.bytes for file in files))

    def size_notice(self) -> str:
        """The size of a large table."""
        size = self.cost({}).bytes
        if size < _LARGE:
            return ""
        return f"{self.log.url}: {size / 1e9:,.1f} GB to come; stop and continue whenever you like"

    def entry(self) -> dict[str, Any]:
        """The table, and the rows that its log counts."""
        return {
            "source": "delta",
            "url": self.log.url,
            "source_rows": self.rows_to_come,
            "source_bytes": sum(file.bytes for file in self.log.files),
            "scope": self.scope,
            "description": self.table.description,
            "reference_table": self.table.reference,
        }

    def _parts(self) -> list[Part]:
        """One for each file; parts of another list of files than this one are not among them."""
        names = "\n".join(file.name for file in self.log.files).encode()
        which = int.from_bytes(hashlib.sha256(names).digest()[:4], "big")
        return [Part(place, place + 1, (which,)) for place in range(len(self.log.files))]

    def _rows(self, path: Any, name: str) -> Iterator[pa.Table]:
        wanted = {*self.table.arrow_schema.names, "valid"}
        try:
            # Buffered beforehand, what was read of the file would stay in memory until its end.
            with pq.ParquetFile(path, pre_buffer=False) as file:
                points = {each.name for each in file.schema_arrow if pa.types.is_binary(each.type)}
                points = {each for each in points if f"{each}_x" in wanted}
                columns = [each for each in file.schema_arrow.names if each in wanted | points]
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
                    rows = pa.Table.from_batches([batch])
                    for point in points:
                        taken = point_columns(point, rows[point])
                        rows = rows.drop_columns([point])
                        for axis, values in taken.items():
                            rows = rows.append_column(axis, values)
                    yield rows
        except (pa.ArrowException, OSError) as error:
            raise SchemaDrift(
                f"{name} cannot be read ({str(error).splitlines()[0][:200]}); update microns-warehouse"
            ) from error

    def _wanted(self, rows: pa.Table) -> pa.Table:
        for column, values in self.keep.items():
            rows = rows.filter(pc.is_in(rows[column], value_set=values))
        return unordered_rows(self.table, rows)
