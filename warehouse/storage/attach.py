"""Opening a DuckDB file beside what is open, only to read it."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from warehouse.errors import FolderBusy, SnapshotDamaged
from warehouse.storage.quoting import quoted, text_literal

_HOLDER = re.compile(r"(?:held|open) in\s+(?P<program>\S.*?) \(PID (?P<process>\d+)\)")
_HELD = ("Could not set lock", "being used by another process", "File is already open")
"""What DuckDB says, here and on Windows, of a file that another process has open to write."""
_HELD_HERE = "Unique file handle conflict"
"""What it says of a file that this process has open."""
MADE_ANEW = "make it anew with: microns repair"


def attach(con: duckdb.DuckDBPyConnection, database: Path, name: str, way_out: str = MADE_ANEW) -> None:
    """Attach a database read-only.

    Args:
        con: where.
        database: the file.
        name: what it is called there.
        way_out: what to do if it cannot be read: the next command.

    Raises:
        FolderBusy: another program has it open to write; the sentence says which, where the system tells.
        SnapshotDamaged: it is no DuckDB file, or not of a release that can be read here.
    """
    try:
        con.execute(f"ATTACH {text_literal(str(database))} AS {quoted(name)} (READ_ONLY)")
    except duckdb.Error as error:
        if any(words in str(error) for words in (*_HELD, _HELD_HERE)):
            held = _HOLDER.search(str(error))
            by = f" ({held['program']}, process {held['process']})" if held else ""
            where = "in this very process" if _HELD_HERE in str(error) else f"in another program{by}"
            raise FolderBusy(
                f"{database} is open for writing {where}, which lets nobody else read it; "
                f'close it there, or open it there with: duckdb -readonly "{database.name}"'
            ) from error
        reason = str(error).splitlines()[0]
        raise SnapshotDamaged(f"{database} is no DuckDB file that can be read ({reason}); {way_out}") from error
