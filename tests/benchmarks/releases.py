"""Two releases side by side: the same questions, in turns, so that whatever else runs slows both.

python -m tests.benchmarks.releases CHECKOUT ITS_ROOT ROOT [--rounds N]

CHECKOUT is another release's working tree, ITS_ROOT a warehouse that it made (with its `tests.benchmarks.volume`),
ROOT one of the same size that this release made. Times are the least and the median of all rounds, ratios those of
the medians.
"""

from __future__ import annotations

import argparse
import statistics
from contextlib import ExitStack
from pathlib import Path

import warehouse
from tests.benchmarks.measure import load_average, machine, markdown
from tests.benchmarks.queries import OTHER_WAYS
from tests.benchmarks.questions import QUESTIONS, choose
from tests.benchmarks.worker import Worker


def main() -> None:
    """Ask both, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("its_root", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    print(f"{machine()}\nload average before: {load_average()}")
    with warehouse.connect(root=given.root) as wh:
        asked = choose(wh)
    with ExitStack() as stack:
        other = stack.enter_context(Worker("warehouse", given.its_root, asked, given.checkout))
        own = stack.enter_context(Worker("warehouse", given.root, asked))
        opening = [other.open()["seconds"], own.open()["seconds"]]
        times: dict[str, list[list[float]]] = {name: [[], []] for name in (*QUESTIONS, *OTHER_WAYS)}
        rows_of: dict[str, list[int]] = {}
        for number in range(given.rounds + 1):
            for name, seconds in times.items():
                answers = [worker.ask(name) for worker in (other, own)]
                rows_of[name] = [answer["rows"] for answer in answers]
                if number:  # the first warms up
                    for kept, answer in zip(seconds, answers, strict=True):
                        kept.append(1000 * answer["seconds"])
    rows = []
    for name, (there, here) in times.items():
        medians = statistics.median(there), statistics.median(here)
        least = min(there), min(here)
        there_rows, here_rows = rows_of[name]
        mind = "" if there_rows == here_rows else f" ({there_rows:,} rows there, {here_rows:,} here)"
        figures = (f"{ms:.1f}" for ms in (*least, *medians))
        rows.append([name + mind, *figures, f"{medians[1] / medians[0]:.2f}"])
    print(f"all times in ms; opening: {1000 * opening[0]:.0f} there, {1000 * opening[1]:.0f} here")
    print(
        markdown(["question", "least there", "least here", "median there, ms", "median here, ms", "ratio"], rows)
    )
    print(f"load average after: {load_average()}")


if __name__ == "__main__":
    main()
