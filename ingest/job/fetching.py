"""Fetching the parts of tables: several at once, the failing ones cut smaller."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock

from ingest.parts.plan import Part
from ingest.parts.progress import Progress
from ingest.parts.source import Source, SourceTable
from ingest.parts.workers import WorkerPool
from warehouse.errors import SourceUnavailable

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3
"""So many parts failing one after the other mean that the service is down, not that a part is too large for it."""


class Fetching:
    """Fetches what is missing of tables."""

    def __init__(self, progress: Progress) -> None:
        """Prepare.

        Args:
            progress: shows how far it is.
        """
        self.progress = progress
        self._failures = 0
        self._lock = Lock()

    def run(self, source: Source, targets: Sequence[SourceTable]) -> None:
        """Fetch all missing parts of some tables.

        Raises:
            WarehouseError: the source fails; what was fetched is kept.
        """
        tasks = [(target, part) for target in targets for part in self._missing(target)]
        left = {id(target): sum(other is target for other, _ in tasks) for target in targets}

        def work(task: tuple[SourceTable, Part]) -> list[tuple[SourceTable, Part]]:
            target, part = task
            pieces = self._attempt(target, part)
            with self._lock:
                left[id(target)] += len(pieces) - 1
                if not pieces:
                    self.progress.part(target.table.name, left[id(target)])
            return [(target, piece) for piece in pieces]

        WorkerPool(work, source.workers).run(tasks, on_error=source.stop)

    def _missing(self, target: SourceTable) -> list[Part]:
        missing = target.missing()
        if missing:
            if words := target.size_notice():
                log.info("%s", words)
            self.progress.begin(target.table.name, len(missing), target.rows_to_come)
        return missing

    def _attempt(self, target: SourceTable, part: Part) -> list[Part]:
        """Fetch a part; one that the service keeps failing on may be too large for it, and is cut."""
        try:
            pieces = target.fetch(part)
        except SourceUnavailable:
            with self._lock:
                self._failures += 1
                is_down = self._failures >= _FAILURES_IN_A_ROW
            if is_down or not (smaller := target.smaller(part)):
                raise
            return smaller
        self._failures = 0
        return pieces
