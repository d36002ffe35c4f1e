"""What can go wrong with a disk, as sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.errors import WarehouseError


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong while writing at `path` into a sentence.

    Raises:
        WarehouseError: the disk is full, or the path cannot be written.
    """
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        place = getattr(error, "filename", None) or path
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            raise WarehouseError(
                f"the disk of {place} is full; free some space and run the same command again, nothing is lost"
            ) from error
        if isinstance(error, duckdb.Error):
            raise
        raise WarehouseError(
            f"{place} cannot be written ({error.strerror or error}); choose another folder with --root"
        ) from error
