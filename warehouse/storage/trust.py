"""Which databases were built here: their SQL is this program's own, that of any other came from somebody else.

A database holds SQL. One that is opened may be of a colleague, or changed by whoever had the folder meanwhile. So
a build notes the hash of what it made in the user's own state folder, and whoever opens a database looks there.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import platformdirs

from warehouse.errors import SnapshotDamaged


def _built() -> Path:
    return platformdirs.user_state_path("microns", appauthor=False) / "built"


def note_as_built(database: Path, place: Path) -> None:
    """Note that a file was made here, before it gets its place; what stood at that place before is forgotten.

    Where the state folder cannot be written, nothing is noted, and the database is opened as a foreign one.
    """
    with suppress(OSError):
        folder, name = _built(), str(place)
        folder.mkdir(parents=True, exist_ok=True)
        for note in folder.iterdir():
            with suppress(OSError):  # another build removes it at the same time
                if note.read_bytes() == name.encode():
                    note.unlink()
        (folder / _hash(database)).write_text(name, "utf-8")


def was_built_here(database: Path) -> bool:
    """Whether a file is, to the byte, one that this user built on this machine, wherever it lies now."""
    try:
        return (_built() / _hash(database)).is_file()
    except OSError:
        return False


def require_no_way_out(folder: Path) -> None:
    """See that no link in a foreign folder leads out of it: DuckDB would follow it.

    Raises:
        SnapshotDamaged: one does.
    """
    inside = folder.resolve()
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above) / name
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise SnapshotDamaged(
                    f"{path} is a link that leads out of {folder}, which was not built on this machine; if you "
                    "know who made it, run: microns build"
                )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
