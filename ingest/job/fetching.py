"""Fetching the parts of tables: several at once, the failing ones cut smaller, a failing table left out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock

from ingest.parts.plan import Part
from ingest.parts.progress import Progress
from ingest.parts.source import Source, SourceTable
from ingest.parts.workers import WorkerPool
from warehouse.errors import NotThere, SchemaDrift, SourceUnavailable, WarehouseError

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3
"""So many parts failing one after the other mean that the service is down, not that a part is too large for it."""


class Fetching:
    """Fetches what is missing of tables.

    Attributes:
        failed: the tables that failed by themselves, by name, with why.
    """

    def __init__(self, progress: Progress) -> None:
        """Prepare.

        Args:
            progress: shows how far it is.
        """
        self.progress = progress
        self.failed: dict[str, WarehouseError] = {}
        self._failures = 0
        self._silence: SourceUnavailable | None = None
        self._came = 0
        self._lock = Lock()

    def run(self, source: Source, targets: Sequence[SourceTable]) -> None:
        """Fetch all missing parts of some tables; those that fail by themselves are noted in `failed`.

        Raises:
            WarehouseError: the source as a whole fails; what was fetched is kept.
        """
        tasks = [(target, part) for target in targets for part in self._missing(target)]
        left = {id(target): sum(other is target for other, _ in tasks) for target in targets}

        def work(task: tuple[SourceTable, Part]) -> list[tuple[SourceTable, Part]]:
            target, part = task
            if target.table.name in self.failed:
                return []
            before = self._came
            try:
                pieces = self._attempt(target, part)
            except (SchemaDrift, NotThere) as error:
                self.fail(target, error)
                return []
            except SourceUnavailable as error:
                self._fail_or_stop(target, error, since=before)
                return []
            with self._lock:
                left[id(target)] += len(pieces) - 1
                if not pieces:
                    self.progress.part(target.table.name, left[id(target)])
            return [(target, piece) for piece in pieces]

        WorkerPool(work, source.workers).run(tasks, on_error=source.stop)
        if self._silence is not None:
            raise self._silence

    def fail(self, target: SourceTable, error: WarehouseError) -> None:
        """Leave out a table."""
        if self.failed.setdefault(target.table.name, error) is error:
            log.warning("%s is left out: %s", target.table.name, error)

    def require_all(self) -> None:
        """Refuse to go on without a table.

        Raises:
            WarehouseError: why the first table failed.
        """
        for error in self.failed.values():
            raise error

    def _fail_or_stop(self, target: SourceTable, error: SourceUnavailable, since: int) -> None:
        """Go on with the other tables; if nothing comes and another one fails too, the service is down."""
        with self._lock:
            is_silent = self._came == since
            is_down = is_silent and self._silence is not None and target.table.name not in self.failed
            self._silence = error if is_silent else None
        if is_down:
            raise error
        self.fail(target, error)

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
        with self._lock:
            self._failures, self._silence, self._came = 0, None, self._came + 1
        return pieces
