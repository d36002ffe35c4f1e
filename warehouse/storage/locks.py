"""One process at a time, where two would spoil each other's work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import FolderBusy
from warehouse.storage.disk import disk_errors


@contextmanager
def exclusive_lock(path: Path, busy: str, timeout: float = 0) -> Iterator[None]:
    """Hold a lock file; nothing of it is left afterwards.

    The operating system lets go of the lock when its process ends, however it ends.

    Args:
        path: of the lock file.
        busy: what to say when another process holds it.
        timeout: how many seconds to wait for it.

    Raises:
        FolderBusy: another process holds it.
        WarehouseError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(path, timeout=timeout)
        try:
            held.acquire()
        except Timeout:
            raise FolderBusy(busy) from None
    try:
        yield
    finally:
        if os.name != "nt":  # there the file goes with the lock
            path.unlink(missing_ok=True)  # who waits for this very file sees that it is gone, and makes another
        held.release()
