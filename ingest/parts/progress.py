"""How far a snapshot is: a bar per table on a terminal, a log line per part elsewhere. Always on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import TaskID

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Whatever shows how far a snapshot is."""

    def begin(self, table: str, requests: int, rows: int | None) -> None:
        """A table with so many requests to make is begun; `rows` is what they bring, where that is known."""

    def part(self, table: str, left: int) -> None:
        """A part is here; so many parts of the table are left."""


class Silent:
    """Shows nothing."""

    def begin(self, table: str, requests: int, rows: int | None) -> None:
        """Show nothing."""

    def part(self, table: str, left: int) -> None:
        """Show nothing."""


class Lines:
    """A log line per part."""

    def begin(self, table: str, requests: int, rows: int | None) -> None:
        """Say what comes."""
        known = "" if rows is None else f"{rows:,} rows, "
        log.info("%s: %srequests to make: %d", table, known, requests)

    def part(self, table: str, left: int) -> None:
        """Say what came."""
        log.info("%s: a part is here, %d left", table, left)


class Bars:
    """A bar per table."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.display = RichProgress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}
        self._done: dict[str, int] = {}

    def begin(self, table: str, requests: int, rows: int | None) -> None:
        """Show a bar."""
        self._done[table] = 0
        self._tasks[table] = self.display.add_task(table, total=requests)

    def part(self, table: str, left: int) -> None:
        """Move the bar; a part that was cut makes it longer."""
        self._done[table] += 1
        done = self._done[table]
        self.display.update(self._tasks[table], completed=done, total=done + left)


@contextmanager
def shown(quiet: bool) -> Iterator[Progress]:
    """The progress display that suits where stderr leads."""
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        bars = Bars()
        with bars.display, _log_above_the_bars():
            yield bars
    else:
        yield Lines()


@contextmanager
def _log_above_the_bars() -> Iterator[None]:
    """Send log lines through the display, which has taken the place of stderr; else they tear the bars."""
    kept = [
        (handler, handler.setStream(sys.stderr))
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.__stderr__
    ]
    try:
        yield
    finally:
        for handler, stream in kept:
            handler.setStream(stream)
