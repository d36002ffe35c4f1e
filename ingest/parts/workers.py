"""Several threads that work off a list of tasks, where a task may leave further tasks behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_T = TypeVar("_T")
_MOMENT = 0.5
"""Seconds between two looks at the keyboard: on Windows a waiting thread does not hear Ctrl-C."""


class WorkerPool(Generic[_T]):
    """Threads that end with the process: Ctrl-C does not wait for a request that hangs."""

    def __init__(self, work: Callable[[_T], Iterable[_T]], size: int) -> None:
        """Prepare the pool.

        Args:
            work: does one task and returns the tasks that it leaves behind.
            size: how many at once.
        """
        self._work = work
        self._size = size
        self._todo: queue.SimpleQueue[_T | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[list[_T] | BaseException] = queue.SimpleQueue()

    def run(self, tasks: Iterable[_T], on_error: Callable[[], None] = lambda: None) -> None:
        """Do all tasks. The first error ends it, after the tasks that are under way.

        Args:
            tasks: what to do.
            on_error: called once at the first error, before the tasks under way are waited for.
        """
        waiting = list(tasks)[::-1]
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self._size)]
        for thread in threads:
            thread.start()
        under_way, failure = 0, None
        try:
            while under_way or (waiting and failure is None):
                while waiting and failure is None and under_way < self._size:
                    self._todo.put(waiting.pop())
                    under_way += 1
                result = self._next()
                under_way -= 1
                if isinstance(result, BaseException):
                    failure = failure or result
                    on_error()
                else:
                    waiting.extend(reversed(result))
        finally:
            for _ in threads:
                self._todo.put(None)
        if failure is not None:
            raise failure

    def _next(self) -> list[_T] | BaseException:
        while True:
            try:
                return self._done.get(timeout=_MOMENT)
            except queue.Empty:
                continue

    def _serve(self) -> None:
        while (task := self._todo.get()) is not None:
            try:
                self._done.put(list(self._work(task)))
            except BaseException as error:
                self._done.put(error)
