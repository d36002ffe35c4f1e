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

_MOST_NOTES = 10_000


def _built() -> Path:
    return platformdirs.user_state_path("microns", appauthor=False) / "built"


def note_as_built(database: Path) -> None:
    """Note that a file was made here; of many notes the oldest are forgotten.

    Where the state folder cannot be written, nothing is noted, and the database is opened as a foreign one.
    """
    with suppress(OSError):
        folder = _built()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _hash(database)).touch()
        if len(notes := [*folder.iterdir()]) > _MOST_NOTES:
            for note in sorted(notes, key=lambda note: note.stat().st_mtime)[:-_MOST_NOTES]:
                note.unlink(missing_ok=True)


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
