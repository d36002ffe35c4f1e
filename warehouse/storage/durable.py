"""Files that survive a loss of power, and that take the place of others in one step."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import FolderBusy

if TYPE_CHECKING:
    import pyarrow as pa


def write_durably(path: Path, content: bytes | pa.Buffer) -> None:
    """Write a new file; when this returns, its bytes are on the disk."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_durably(temporary, content)
        temporary.replace(path)
    except BaseException:  # the disk is full, say
        temporary.unlink(missing_ok=True)
        raise
    make_durable([path.parent])


def replace_database(database: Path, temporary: Path, then_run: str) -> None:
    """Put a new database in the place of the old one, durably and in one step.

    Args:
        database: where it will be.
        temporary: where it is, on the same disk.
        then_run: the end of the error's sentence: what to run when the database is closed.

    Raises:
        FolderBusy: another program holds the old one (Windows).
    """
    make_durable([temporary, database.parent])
    try:
        temporary.replace(database)
    except PermissionError as error:
        raise FolderBusy(f"{database} is open in another program; close it there and run {then_run}") from error
    make_durable([database.parent])


def make_durable(paths: Iterable[Path]) -> None:
    """Have files and folders written to the disk, so that they survive a loss of power.

    Raises:
        OSError: the disk fails.
    """
    for path in paths:
        if os.name == "nt" and path.is_dir():  # there, a folder cannot be opened, and its entries are journalled
            continue
        if not path.exists():
            continue
        handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
