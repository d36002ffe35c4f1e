"""Which requests fetch a table: pure functions from what is there to what is missing.

Rows are asked for by ranges of their id, or by a set of values of one column (presynaptic roots, say), never by
offset: the server's order is unstable, so that offset pages give the right number of rows and the wrong rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Part:
    """Some rows of a table: what one request asks for.

    Attributes:
        low: the smallest id.
        high: ids are below this; None for no bound.
        among: values of the column that the table is asked by; empty for all.
    """

    low: int = 0
    high: int | None = None
    among: tuple[int, ...] = ()

    def halves(self, bound: Callable[[], int]) -> tuple[Part, Part] | None:
        """Two parts that together are this one, or None if it is a single id.

        Args:
            bound: gives a number above all ids of the table; asked only when it is needed.
        """
        if len(self.among) > 1:
            middle = len(self.among) // 2
            return (
                Part(self.low, self.high, self.among[:middle]),
                Part(self.low, self.high, self.among[middle:]),
            )
        high = bound() if self.high is None else self.high
        cut = (self.low + high) // 2
        if cut <= self.low:
            return None
        return Part(self.low, cut, self.among), Part(cut, high, self.among)


def tiles(low: int, high: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut [low, high) into ranges of at most `width`."""
    for start in range(low, high, width):
        yield start, min(start + width, high)


def gaps(done: Iterable[tuple[int, int]], bound: int) -> Iterator[tuple[int, int]]:
    """The ranges of [0, bound) that none of `done` covers."""
    reached = 0
    for low, high in sorted(done):
        if low >= bound:
            break
        if low > reached:
            yield reached, low
        reached = max(reached, high)
    if reached < bound:
        yield reached, bound


def windows(done: Iterable[Part], bound: int, width: int, among: tuple[int, ...] = ()) -> list[Part]:
    """The id ranges that are still to be fetched.

    Args:
        done: what is already here, of any width.
        bound: a number above all ids of the table.
        width: ids per request.
        among: the values that all of this is about; empty for all.
    """
    covered = [(part.low, bound if part.high is None else part.high) for part in done]
    return [Part(low, high, among) for gap in gaps(covered, bound) for low, high in tiles(gap[0], gap[1], width)]


def chunks(done: Iterable[Part], values: Iterable[int], size: int, bound: Callable[[], int]) -> list[Part]:
    """The sets of values that are still to be fetched; a value that was begun in id ranges is completed in them.

    Args:
        done: what is already here.
        values: all values that are wanted.
        size: values per request.
        bound: gives a number above all ids; asked only if a value was begun in ranges.
    """
    begun: dict[int, list[Part]] = {}
    complete: set[int] = set()
    for part in done:
        if part.high is None:
            complete.update(part.among)
        else:
            begun.setdefault(part.among[0], []).append(part)
    wanted = set(values) - complete
    fresh = sorted(wanted - begun.keys())
    missing = [Part(among=tuple(fresh[start : start + size])) for start in range(0, len(fresh), size)]
    for value in sorted(wanted & begun.keys()):
        high = bound()
        missing += windows(begun[value], high, high, (value,))
    return missing


def window_width(rows: int, bound: int, rows_per_request: int) -> int:
    """How many ids to ask for at once, so that about `rows_per_request` rows come back.

    Args:
        rows: rows of the table.
        bound: a number above all its ids.
        rows_per_request: rows that one answer should hold.
    """
    return max(1, rows_per_request * bound // max(rows, 1))


def bound_above(exists: Callable[[int], bool], guess: int, width: int) -> int:
    """A number above all ids, and at most about `width` above the largest: found by doubling, then halving.

    Args:
        exists: whether the table has an id that is this or larger.
        guess: where to begin; the number of rows is a good guess.
        width: how exact the answer must be.
    """
    low, high = 0, max(guess, 1)
    while exists(high):
        low, high = high, 2 * high
    while high - low > max(width, 1):
        middle = (low + high) // 2
        if exists(middle):
            low = middle
        else:
            high = middle
    return high


def rows_per_answer(cap: int | None, most: int) -> int:
    """How many rows to ask for at once: below the cap with some room, since ids are not evenly spread."""
    return most if cap is None else max(1, min(most, cap * 3 // 4))
