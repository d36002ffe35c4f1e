"""Reads beside publications: every read is of one generation, and sessions opened before go on reading theirs.

    python -m tests.reliability.reads --publications 100 --reads 10000

Publication number i has i nuclei and 10 i synapses less than the first, so a mixture shows in any single read.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.reliability.kills import Place, filled, import_all
from tests.reliability.power import must
from tests.reliability.processes import child, shell_program

SHARES = {"held": 0.4, "session": 0.37, "scan": 0.1, "connect": 0.1, "shell": 0.03}
"""Which part of the reads is of which kind."""
READ = (
    "SELECT (SELECT count(*) FROM nucleus_detection_v0), (SELECT count(*) FROM synapses_pni_2), "
    "(SELECT count(*) FROM cells), (SELECT count(DISTINCT id) FROM synapses)"
)
SEARCH = "SET search_path = 'v1507,v1507_cave,main'; "
"""What the stock shell needs to know CAVE's tables by their bare names."""
_PER_SESSION = 25


class Progress:
    """How many publications there were; shared by processes."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8)

    @property
    def done(self) -> int:
        """The number."""
        return int(struct.unpack("q", self._shared[:8])[0])

    def set(self, number: int) -> None:
        """Say it to the others."""
        self._shared[:8] = struct.pack("q", number)


def publications(place: Place, number: int, progress: Progress) -> None:
    """Publish so many generations, each with its build."""
    from msgspec.structs import replace

    from warehouse.catalog.build import build
    from warehouse.query.scan import scan
    from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
    from warehouse.storage.clustering import cluster_synapses
    from warehouse.storage.files import write_table
    from warehouse.storage.manifest import read_manifest
    from warehouse.storage.paths import Folder
    from warehouse.storage.publish import publish

    folder = Folder.of(place.root)
    path = folder.manifest(1507)
    first = read_manifest(path)
    rows = {
        name: scan(folder.version(1507), first.tables[name]).collect().to_arrow().cast(TABLES[name].arrow_schema)
        for name in (NUCLEUS, SYNAPSE)
    }
    for i in range(1, number + 1):
        assembled = folder.staging(1507) / "assembled"
        nuclei, synapses = rows[NUCLEUS][: len(rows[NUCLEUS]) - i], rows[SYNAPSE][: len(rows[SYNAPSE]) - 10 * i]
        new = {
            NUCLEUS: write_table(assembled, TABLES[NUCLEUS], nuclei, source="cave"),
            SYNAPSE: cluster_synapses(assembled, TABLES[SYNAPSE], synapses, source="cave"),
        }
        manifest = read_manifest(path)
        publish(folder, assembled, replace(manifest, tables=manifest.tables | new))
        build(folder)
        progress.set(i)


def reads_of(kind: str, root: Path) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Reads of a kind, for ever; whether each is the first of its session."""
    from warehouse.query.session import connect
    from warehouse.storage.paths import Folder

    while kind == "shell":
        done = subprocess.run(
            [shell_program(), "-readonly", "-csv", "-noheader", "microns.duckdb", SEARCH + READ],
            cwd=Folder.of(root).path,
            capture_output=True,
            text=True,
            check=True,
        )
        yield tuple(map(int, done.stdout.split(","))), True
    per_session = {"held": sys.maxsize, "session": _PER_SESSION, "scan": _PER_SESSION, "connect": 1}[kind]
    while True:
        with connect(root=root, threads=1) as warehouse:
            for number in range(per_session):
                if kind == "scan":
                    tables = ("nucleus_detection_v0", "synapses")
                    n, s = (len(warehouse.scan(table).select("id").collect()) for table in tables)
                    yield (n, s, n, s), number == 0
                else:
                    (row,) = warehouse.sql(READ).fetchall()
                    yield row, number == 0


def reader(kind: str, root: Path, first: list[int], total: int, publications: int, progress: Progress) -> Any:
    """Read so often, spread over all publications; returns figures."""
    figures, generations = Counter[str](), set()
    session: tuple[int, ...] = ()
    messages: list[str] = []
    reads = reads_of(kind, root)
    while figures["reads"] < total:
        while figures["reads"] > total * progress.done / publications and progress.done < publications:
            time.sleep(0.002)
        figures["reads"] += 1
        try:
            row, is_first = next(reads)
        except Exception:
            figures["errors"] += 1
            messages.append(traceback.format_exc()[-600:])
            reads = reads_of(kind, root)
            continue
        behind = first[0] - row[0]
        expected = (first[0] - behind, first[1] - 10 * behind, first[2] - behind, first[3] - 10 * behind)
        session = row if is_first else session
        figures["mixtures"] += tuple(row) != expected
        figures["not the old"] += tuple(row) != tuple(session)
        generations.add(row[0])
    return [figures, len(generations), messages[:3]]


def campaign(publications_: int, reads: int, work: Path) -> tuple[dict[str, Any], list[str]]:
    """Figures of each kind of read, and what went wrong."""
    import_all()
    place, log, progress = Place(work / "at" / "root", work / "at" / "beside", ""), work / "log", Progress()
    must(child(lambda: filled(place), log / "filled.log"))
    first = must(child(lambda: list(next(reads_of("connect", place.root))[0]), log / "first.log"))
    totals = {kind: round(reads * share) for kind, share in SHARES.items()}

    def read(kind: str) -> Callable[[], Any]:
        return lambda: reader(kind, place.root, first, totals[kind], publications_, progress)

    running = {kind: _start(read(kind), log / f"{kind}.log") for kind in totals}
    must(child(lambda: publications(place, publications_, progress), log / "publications.log"))
    found = {kind: running[kind]() for kind in totals}
    faults = [f"{kind}: {message}" for kind, (_, _, messages) in found.items() for message in messages]
    wrong = sum(figures.get(what, 0) for figures, _, _ in found.values() for what in ("mixtures", "not the old"))
    return found, faults + ([f"{wrong} reads of a mixture"] if wrong else [])


def _start(do: Callable[[], Any], log: Path) -> Callable[[], Any]:
    """Start a child, and give what waits for its answer."""
    pid = os.fork()
    if pid == 0:
        ended = child(do, log)
        log.with_suffix(".ended").write_text(json.dumps([ended.code, ended.messages, ended.answer]))
        os._exit(0)

    def answer() -> Any:
        os.waitpid(pid, 0)
        code, messages, said = json.loads(log.with_suffix(".ended").read_text())
        assert code == 0, messages
        return said

    return answer


def main() -> None:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--publications", type=int, default=100)
    parser.add_argument("--reads", type=int, default=10_000)
    given = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="microns-reads-") as work:
        found, faults = campaign(given.publications, given.reads, Path(work))
    print("\n".join(faults))
    for kind, (figures, generations, _) in found.items():
        print(f"{kind}: {figures['reads']} reads of {generations} generations, errors {figures.get('errors', 0)}")
    total = sum(figures["reads"] for figures, _, _ in found.values())
    print(
        f"{total} reads beside {given.publications} publications: faults {len(faults)}; "
        f"{time.monotonic() - begin:.0f} s"
    )
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
