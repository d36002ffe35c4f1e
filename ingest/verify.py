"""What must hold of a table that was fetched from CAVE before it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.parts import Stored
from warehouse.errors import SourceUnavailable

if TYPE_CHECKING:
    from ingest.target import CaveTarget


def require_complete(target: CaveTarget) -> list[Stored]:
    """The parts of a table: they leave nothing out, and their rows are as many as the service counts.

    That ids are distinct follows: each part's are, and parts share none (different ranges, different roots); the
    writer looks at all of them once more.

    Raises:
        SourceUnavailable: a part is missing, or the numbers differ; the parts that are wrong are forgotten.
    """
    stored = target.store.load()
    if target.missing():
        raise SourceUnavailable(f"parts of {target.name} are missing on disk; run the same command again")
    seen = sum(part.seen for part in stored)
    expected = _expected(target, stored)
    if seen == expected:
        return stored
    wrong = _suspects(target, stored)
    for part in wrong:
        target.store.remove(part)
    if wrong:
        raise SourceUnavailable(
            f"CAVE sent {seen:,} rows of {target.name} and counts {expected:,}: it cut {len(wrong)} answers short "
            "without saying so; run the same command again, it fetches only those"
        )
    raise SourceUnavailable(
        f"CAVE says that {target.name} has {expected:,} rows, but serves and counts {seen:,}; nothing of it is "
        "published: ask again later, or report it to CAVE, or name the other tables"
    )


def _expected(target: CaveTarget, stored: list[Stored]) -> int:
    """The service's own count of what was asked for."""
    if not target.by:
        return target.count
    return target.counted(stored) if stored else 0


def _suspects(target: CaveTarget, run: list[Stored]) -> list[Stored]:
    """The parts whose rows are not as many as the service counts for them, found by halving."""
    if not run or sum(part.seen for part in run) == target.counted(run):
        return []
    if len(run) == 1:
        return run
    middle = len(run) // 2
    return _suspects(target, run[:middle]) + _suspects(target, run[middle:])
