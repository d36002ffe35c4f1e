"""A process that holds one engine, and the handle on it.

Each engine has a process of its own, so that none warms the other up or takes its memory; questions go to them in
turns. The process says how long a question took inside of it, and how much memory it came to hold.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.benchmarks.measure import Timings, drop_caches, forget, peak_bytes, reset_peak
from tests.benchmarks.questions import Asked, digest

ENGINES = {
    "warehouse": "ours:Ours",
    "PostgreSQL": "databases:Postgres",
    "SQLite": "databases:Sqlite",
    "pandas Feather": "frames:Pandas",
    "pandas CSV": "frames:PandasCsv",
    "scan of the CSV": "frames:CsvScan",
    "polars Parquet": "frames:Polars",
    "Delta Lake": "frames:Delta",
}
"""What the results call an engine -> module and class."""


class Worker:
    """The handle: opens an engine on a folder in a process of its own, and asks it."""

    def __init__(self, engine: str, folder: Path, asked: Asked, checkout: Path | None = None) -> None:
        self.engine = engine
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", engine, str(folder)],
            cwd=checkout,
            env=os.environ | ({"PYTHONPATH": str(checkout)} if checkout else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._call(asked.as_dict())

    def open(self) -> dict[str, Any]:
        """Open the engine: {"seconds", "peak"}."""
        return self._call("open")

    def ask(self, question: str) -> dict[str, Any]:
        """Ask: {"seconds", "rows", "digest", "peak"}."""
        return self._call(question)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, message: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(message), file=self._process.stdin, flush=True)
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(f"{self.engine} ended at {str(message)[:100]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def ask_cold(
    engine: str, folder: Path, asked: Asked, question: str, timings: Timings, *, everything: bool
) -> None:
    """Open and ask in a fresh process; the page cache holds nothing of its files, or (`everything`) of any."""
    with Worker(engine, folder, asked) as worker:
        if everything:
            drop_caches()
        else:
            forget(folder)
        opened = worker.open()
        answer = worker.ask(question)
    timings.cold.append(opened["seconds"] + answer["seconds"])
    record(timings, answer)
    timings.peak = max(timings.peak, answer["peak"], opened["peak"])


def record(timings: Timings, answer: dict[str, Any]) -> None:
    """Keep what an answer was; it may not change from one time to the next."""
    if "digest" not in answer:
        timings.gave_up = True
        return
    assert timings.digest in ("", answer["digest"]), "an engine answered differently the second time"
    timings.digest, timings.rows = answer["digest"], answer["rows"]


def main(engine: str, folder: Path) -> None:
    """Serve: the first line says what is asked about, each further one is "open" or a question."""
    module, name = ENGINES[engine].split(":")
    make = getattr(importlib.import_module(f"tests.benchmarks.{module}"), name)
    asked = Asked(**json.loads(sys.stdin.readline()))
    print("{}", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        reset_peak()
        begin = time.perf_counter()
        answer = None
        try:
            if question == "open":
                opened = make(folder)
            else:
                answer = opened.ask(question, asked)
        except TimeoutError:
            pass  # an answer without rows: how long it took at least
        said: dict[str, Any] = {"seconds": time.perf_counter() - begin, "peak": peak_bytes()}
        if answer is not None:
            said |= {"rows": len(answer), "digest": digest(answer)}
            del answer
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
