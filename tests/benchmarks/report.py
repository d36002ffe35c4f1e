"""The tables of `queries.py`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Timings, markdown, milliseconds, times
from tests.benchmarks.questions import QUESTIONS

if TYPE_CHECKING:
    from tests.benchmarks.queries import Run

OURS = "warehouse"


def report(run: Run) -> str:
    """All tables of one warehouse, medians with extremes in brackets."""
    tables = [f"### {run.rows:,} synapses", _ours(run)]
    if len(run.engines) > 1:
        tables += [*(_engines(run, how) for how in ("warm", "again", "cold")), _ratios(run)]
    opened = ", ".join(f"{engine} {milliseconds([seconds])}" for engine, seconds in run.opening.items())
    return "\n\n".join([*tables, f"Opening, warm, ms: {opened}"])


def scaling(runs: Sequence[Run]) -> str:
    """The warehouse by size, warm."""
    return markdown(
        ["warm, ms", *(f"{run.rows / 1e6:.3g} million" for run in runs)],
        [
            [text, *(milliseconds(_of(run, name, OURS).warm) for run in runs)]
            for name, text in QUESTIONS.items()
            if _of(runs[0], name, OURS).warm
        ],
    )


def _ours(run: Run) -> str:
    """Times of the warehouse beside what its files allow."""
    header = [
        "the warehouse",
        "rows",
        "warm, ms",
        "again, ms",
        "cold, ms",
        "memory, MB",
        "needs, MB",
        "limit, ms",
        "warm / limit",
    ]
    lines = []
    for name, engine in run.results:
        timings, limit = _of(run, name, engine), run.limits.get(name)
        if engine == OURS:
            line = [_text(name), f"{timings.rows:,}"]
            line += map(milliseconds, (timings.warm, timings.again, timings.cold))
            line.append(f"{timings.peak / 1e6:,.0f}" if timings.peak else "")
            line += [f"{limit.size / 1e6:,.2f}", milliseconds([limit.seconds])] if limit else ["", ""]
            line.append(f"{statistics.median(timings.warm) / limit.seconds:.1f}" if limit and timings.warm else "")
            lines.append(line)
    return markdown(header, lines)


def _engines(run: Run, how: str) -> str:
    return _asked(
        [f"{how}, ms", *run.engines],
        [
            [text, *(_shown(_of(run, name, engine), how) for engine in run.engines)]
            for name, text in QUESTIONS.items()
        ],
    )


def _ratios(run: Run) -> str:
    peers = [engine for engine in run.engines if engine != OURS]
    return _asked(
        ["time / time of the warehouse, warm", *peers],
        [[text, *(_ratio(run, name, peer) for peer in peers)] for name, text in QUESTIONS.items()],
    )


def _asked(header: list[str], lines: list[list[str]]) -> str:
    """A table without the questions that nobody was asked."""
    return markdown(header, [line for line in lines if any(line[1:])])


def _shown(timings: Timings, how: str) -> str:
    shown = milliseconds(getattr(timings, how))
    return f"> {shown}" if shown and timings.gave_up else shown


def _ratio(run: Run, question: str, peer: str) -> str:
    theirs = _of(run, question, peer)
    shown = times(theirs.warm, _of(run, question, OURS).warm)
    return f"> {shown}" if shown and theirs.gave_up else shown


def _of(run: Run, question: str, engine: str) -> Timings:
    return run.results.get((question, engine), Timings())


def _text(name: str) -> str:
    question, _, way = name.partition(":")
    return f"- {QUESTIONS[question]}:{way}" if way else QUESTIONS[question]
