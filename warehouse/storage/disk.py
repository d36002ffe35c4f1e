"""What can go wrong with a disk, as sentences."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.errors import WarehouseError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_SAYS = (*map(os.strerror, _FULL), "max_temp_directory_size")
"""What DuckDB says of these, and of a disk that cannot take what does not fit into memory."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong while writing at `path` into a sentence.

    Raises:
        WarehouseError: the disk is full, or the path cannot be written.
    """
    try:
        yield
    except (OSError, duckdb.Error) as error:
        # Of two files, the second is the one that is written.
        place = getattr(error, "filename2", None) or getattr(error, "filename", None) or path
        if getattr(error, "errno", None) in _FULL or any(words in str(error) for words in _FULL_SAYS):
            raise WarehouseError(
                f"the disk of {place} is full; free some space and run the same command again, nothing is lost"
            ) from error
        if isinstance(error, duckdb.Error):
            raise
        raise WarehouseError(
            f"{place} cannot be written ({error.strerror or error}); choose another place, or another --root"
        ) from error
