"""A pool does every task, and those that tasks leave behind."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parts.workers import WorkerPool


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(1, 4))
def test_every_task_is_done_once_and_so_are_those_it_leaves_behind(sizes: list[int], workers: int) -> None:
    done: list[tuple[int, int, int]] = []

    def halve(task: tuple[int, int, int]) -> list[tuple[int, int, int]]:
        number, low, high = task
        if high - low > 3:
            middle = (low + high) // 2
            return [(number, low, middle), (number, middle, high)]
        done.append(task)
        return []

    WorkerPool(halve, workers).run((number, 0, size) for number, size in enumerate(sizes))
    covered = sorted((number, at) for number, low, high in done for at in range(low, high))
    assert covered == [(number, at) for number, size in enumerate(sizes) for at in range(size)]


def test_the_first_error_ends_it_after_the_tasks_under_way() -> None:
    started: list[int] = []
    failed = threading.Event()

    def work(task: int) -> list[int]:
        started.append(task)
        if task == 0:
            raise ValueError("first")
        failed.wait(5)
        return [task + 100]

    with pytest.raises(ValueError, match="first"):
        WorkerPool(work, 2).run(range(10), on_error=failed.set)
    assert started[:2] == [0, 1] or started[:2] == [1, 0]
    assert len(started) <= 3
    assert not any(task >= 100 for task in started)
