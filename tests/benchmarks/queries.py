"""How long queries take, cold and warm, in the warehouse and in its peers.

python -m tests.benchmarks.queries ROOT [ROOT ...] [--peers DIR] [--engines NAME,NAME] [--rounds N] [--cold N]
                                   [--questions NAME,NAME] [--drop-caches] [--json FILE]

With several warehouses the last table says how times grow with the number of synapses. With --peers, the folder
that `peers.py` filled from the only ROOT, the engines are asked in turns, and all answers must be equal.

Warm: in a process that was asked the same before, and all else since. Again: right after the same. Cold: from
opening (connecting, or reading a file into memory) to the answer, in a process that has its libraries loaded and
nothing else, a server started anew; the pages of the files were dropped from the page cache (posix_fadvise), or
with --drop-caches everything that the kernel holds of any file (/proc/sys/vm/drop_caches, as root).
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path

import warehouse
from tests.benchmarks.limits import Limit, limits
from tests.benchmarks.measure import Timings, disk_rate, load_average, machine
from tests.benchmarks.peers import folder_of
from tests.benchmarks.postgres import Server
from tests.benchmarks.questions import QUESTIONS, choose
from tests.benchmarks.report import OURS, report, scaling
from tests.benchmarks.worker import Worker, ask_cold, record
from warehouse.registry.tables import SYNAPSE

OTHER_WAYS = (
    "inputs: inner query",
    "inputs: fetched from a cursor",
    "inputs: plain view",
    "inputs: one file",
    "inputs: polars",
    "inputs: polars on one file",
    "outputs: fetched from a cursor",
    "outputs: scan",
    "connections_among_100: from synapses",
    "box: scan",
)
"""Questions asked of the warehouse in another way too: what the usual way is measured against."""
_FEW = {"scan of the CSV": ("inputs", "outputs", "set"), "pandas CSV": ("inputs",)}
"""Engines that are asked a few questions only: a CSV file once read is as fast as one of Feather."""
_SCANS = ("connections_of_cells", "box", "type_matrix", "degrees")
"""What peers read their whole table for: cold is little slower than warm, and is not asked."""
_LONG = 5.0
"""Seconds from which once is enough, of a peer."""
_SHORT = 0.5
"""Seconds up to which it matters what was asked just before."""


class Run:
    """One warehouse and its peers, asked the same.

    Attributes:
        rows: number of synapses.
        engines: engine -> where it lies.
        asked: what the questions are about.
        limits: question -> what it cannot do without.
        results: (question or other way, engine) -> what was measured so far.
        opening: engine -> seconds until it can be asked.
    """

    def __init__(self, root: Path, peers: Path | None, engines: Sequence[str], chosen: Sequence[str]) -> None:
        with warehouse.connect(root=root) as wh:
            self.asked = choose(wh)
            self.rows = wh.manifest.tables[SYNAPSE].rows
            self.limits: dict[str, Limit] = limits(wh, self.asked)
        self.engines = {name: root if name == OURS or not peers else folder_of(name, peers) for name in engines}
        self.results: dict[tuple[str, str], Timings] = defaultdict(Timings)
        self.opening: dict[str, float] = {}
        self._chosen = chosen

    def questions(self, engine: str) -> Iterator[str]:
        """What an engine is asked."""
        for question in (*QUESTIONS, *(OTHER_WAYS if engine == OURS else ())):
            if question in _FEW.get(engine, (question,)) and question in self._chosen:
                yield question

    def cold(self, rounds: int, everything: bool) -> None:
        """Every question in a fresh process that finds nothing in the page cache."""
        for _ in range(rounds):
            for engine, folder in self.engines.items():
                for question in self.questions(engine):
                    timings = self.results[question, engine]
                    if engine != OURS and (max(timings.cold, default=0) > _LONG or question in _SCANS):
                        continue
                    if engine.startswith("pandas") and question != "inputs":
                        continue  # reading the file takes all the time
                    with Server(folder) if engine == "PostgreSQL" else nullcontext():
                        ask_cold(engine, folder, self.asked, question, timings, everything=everything)
                    _say("cold", engine, question, timings.cold[-1])

    def warm(self, rounds: int) -> None:
        """All engines in turns, question by question; the first turn does not count."""
        with ExitStack() as stack:
            workers = {}
            for engine, folder in self.engines.items():
                if engine == "PostgreSQL":
                    stack.enter_context(Server(folder))
                workers[engine] = stack.enter_context(Worker(engine, folder, self.asked))
                self.opening[engine] = workers[engine].open()["seconds"]
            for turn in range(rounds + 1):
                for engine, worker in workers.items():
                    for question in self.questions(engine):
                        timings = self.results[question, engine]
                        if engine != OURS and max(timings.warm, default=0) > _LONG:
                            continue
                        answer = worker.ask(question)
                        record(timings, answer)
                        if turn or (engine != OURS and answer["seconds"] > _LONG):
                            timings.warm.append(answer["seconds"])
                            _say("warm", engine, question, answer["seconds"])
            for engine, worker in workers.items():
                self._again(engine, worker, rounds)

    def _again(self, engine: str, worker: Worker, rounds: int) -> None:
        """One engine, every short question several times in a row; the first time does not count."""
        for question in self.questions(engine):
            timings = self.results[question, engine]
            if max(timings.warm, default=0) < _SHORT:
                seconds = [worker.ask(question)["seconds"] for _ in range(rounds + 1)]
                timings.again += seconds[1:]
                _say("again", engine, question, seconds[-1])

    def same(self) -> None:
        """All engines and ways agree on every answer.

        Raises:
            AssertionError: two answers differ.
        """
        answers: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for (question, engine), timings in self.results.items():
            if timings.gave_up:
                continue
            answers[question.split(":")[0]][timings.digest].append(f"{question} in {engine}: {timings.rows} rows")
        if wrong := {question: found for question, found in answers.items() if len(found) > 1}:
            raise AssertionError(f"answers differ: {json.dumps(wrong, indent=1)}")


def _say(how: str, engine: str, question: str, seconds: float) -> None:
    print(f"  {how} {engine:16} {question:28} {seconds * 1000:12,.1f} ms", flush=True)


def main() -> None:
    """Ask, compare, print; and keep every single number as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", nargs="+", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--engines", default=OURS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", type=int, default=2)
    parser.add_argument("--questions", default=",".join([*QUESTIONS, *OTHER_WAYS]))
    parser.add_argument("--drop-caches", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"{machine()}\nload average before: {load_average():.2f}", flush=True)
    engines, questions = options.engines.split(","), options.questions.split(",")
    runs = [Run(root, options.peers, engines, questions) for root in options.roots]
    for run in runs:
        print(f"files read in sequence, uncached: {disk_rate(run.engines[OURS]) / 1e6:,.0f} MB/s", flush=True)
        run.cold(options.cold, options.drop_caches)
        run.warm(options.rounds)
        print(f"\n{report(run)}\n\nload average after: {load_average():.2f}\n", flush=True)
    if len(runs) > 1:
        print(scaling(runs))
    if options.json:
        kept = [[run.rows, *key, asdict(timings)] for run in runs for key, timings in run.results.items()]
        options.json.write_text(json.dumps(kept))
    for run in runs:
        run.same()


if __name__ == "__main__":
    main()
