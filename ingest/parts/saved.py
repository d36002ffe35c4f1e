"""Parts of a table on disk, while a snapshot is not finished: what was fetched is never fetched again.

Each part is a Parquet file and, written after it, a note of what it holds. A part without its note, or whose bytes
are not those of the note, is as good as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.parts.plan import Part
from warehouse.storage.disk import disk_errors
from warehouse.storage.manifest import replace_file, sha256_of


@dataclass(frozen=True)
class SavedPart:
    """A part that is here.

    Attributes:
        part: what was asked for.
        path: the Parquet file.
        rows: how many rows it holds.
        seen: how many rows the service sent, of which these were kept.
        min_id, max_id: smallest and largest id; None without rows or ids.
        bytes, sha256: of the file.
    """

    part: Part
    path: Path
    rows: int
    seen: int
    min_id: int | None
    max_id: int | None
    bytes: int
    sha256: str


class PartsFolder:
    """The parts of one table in a folder of their own; each file's bytes are verified once.

    Threads may save different parts at once.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._sound: dict[Path, SavedPart] = {}

    def load(self) -> list[SavedPart]:
        """The parts that are here and whole, in order; remains of a killed job are removed."""
        found = []
        for path in sorted(self.directory.glob("*.parquet")):
            stored = self._sound.get(path) or _noted(path)
            if stored is None:
                path.unlink()
                path.with_suffix(".json").unlink(missing_ok=True)
            else:
                self._sound[path] = stored
                found.append(stored)
        for remains in self.directory.glob("*.tmp"):
            remains.unlink()
        return sorted(found, key=lambda stored: (stored.part.low, stored.part.among))

    def count(self) -> int:
        """How many parts seem to be here; unlike `load` it is safe while another job works on them."""
        return sum(1 for _ in self.directory.glob("*.json"))

    def save(self, part: Part, rows: pa.Table, seen: int) -> SavedPart:
        """Keep the rows of a part; when this returns they survive a crash.

        Raises:
            WarehouseError: the disk is full.
        """
        buffer = pa.BufferOutputStream()
        pq.write_table(rows, buffer, compression="zstd")
        content = buffer.getvalue()
        key = json.dumps([part.low, part.high, part.among]).encode()
        path = self.directory / f"{part.low:012d}-{hashlib.sha256(key).hexdigest()[:16]}.parquet"
        low, high = _id_range(rows)
        stored = SavedPart(
            part, path, rows.num_rows, seen, low, high, content.size, hashlib.sha256(content).hexdigest()
        )
        with disk_errors(path):
            _write(path, content)
            note = msgspec.json.encode(stored, enc_hook=lambda path: path.name)
            replace_file(path.with_suffix(".json"), note)
        self._sound[path] = stored
        return stored

    def remove(self, stored: SavedPart) -> None:
        """Forget a part, so that it is fetched again."""
        self._sound.pop(stored.path, None)
        stored.path.with_suffix(".json").unlink(missing_ok=True)
        stored.path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all parts."""
        self._sound.clear()
        shutil.rmtree(self.directory, ignore_errors=True)


def _noted(path: Path) -> SavedPart | None:
    try:
        note = path.with_suffix(".json").read_bytes()
        stored = msgspec.json.decode(note, type=SavedPart, dec_hook=lambda kind, name: path)
    except (OSError, msgspec.DecodeError, UnicodeError):
        return None
    if path.stat().st_size != stored.bytes or sha256_of(path) != stored.sha256:
        return None
    return stored


def _id_range(rows: pa.Table) -> tuple[int | None, int | None]:
    if "id" not in rows.column_names:
        return None, None
    span = pc.min_max(rows["id"]).as_py()
    return span["min"], span["max"]


def _write(path: Path, content: pa.Buffer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
