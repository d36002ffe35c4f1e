"""Kill a command anywhere: readers see the old state or the new, and the same command completes it.

    python -m tests.reliability.kills FAMILY --kills N --seed S

FAMILY is one of FAMILIES below, or `all`. Each kill starts from a copy of the same state. Then readers look
(Python, polars, the stock shell), the same command runs again, readers look again, and `microns clean` leaves the
same files as after a run that nothing disturbed. Figures come last; the exit code says whether all held.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.reliability.processes import child, command, seen

Prepare = Callable[["Place"], None]


@dataclass(frozen=True)
class Place:
    """Where one run takes place: a root, a folder beside it, and the address of the service."""

    root: Path
    beside: Path
    server: str

    def words(self, template: str) -> list[str]:
        """The words of a command."""
        return template.format(root=self.root, beside=self.beside, server=self.server).split()

    def run(self, *templates: str) -> None:
        """Run commands one after the other, in this process."""
        for template in templates:
            command(*self.words(template))()


@dataclass(frozen=True)
class Family:
    """A command to be killed.

    Attributes:
        before: makes the state that it starts from.
        template: the command.
        state: what is compared: what readers of the root see, or something else.
    """

    before: Prepare
    template: str
    state: Callable[[Place], Any] = lambda place: seen(place.root)


@dataclass
class Figures:
    """What a campaign found."""

    family: str
    kills: int = 0
    too_late: int = 0
    old: int = 0
    new: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0

    def __str__(self) -> str:
        return (
            f"{self.family}: {self.kills} kills ({len(self.steps)} different steps, {self.too_late} after its "
            f"end); readers saw the old state {self.old} times, the new {self.new}; faults {len(self.faults)}; "
            f"{self.seconds:.0f} s"
        )


class Campaign:
    """Kills of one family."""

    def __init__(self, name: str, work: Path, server: str) -> None:
        self.name = name
        self.family = FAMILIES[name]
        self.work = work
        self.server = server
        self.figures = Figures(name)

    def run(self, kills: int, seed: int, minutes: float) -> Figures:
        """Kill the command so many times, every second time at a step else at a moment, or until time is up."""
        begin = time.monotonic()
        chance = random.Random(f"{seed} {self.name}")
        start = self._place("start")
        self._must(lambda: self.family.before(start), "prepare")
        before = self._must(lambda: self.family.state(start), "before")
        undisturbed = self._copy("undisturbed")
        done = child(self._command(undisturbed), self.work / "log" / "undisturbed.log")
        if done.code:
            raise SystemExit(f"{self.name}: the command itself fails:\n{done.messages}")
        after = self._must(lambda: self.family.state(undisturbed), "after")
        self._clean(undisturbed)
        files = listing(undisturbed)
        steps = list(range(done.steps))
        chance.shuffle(steps)
        for number in range(kills):
            if time.monotonic() - begin > 60 * minutes:
                break
            place = self._copy("killed")
            by_step = number % 2 == 0
            step = steps[(number // 2) % len(steps)] if by_step else None
            moment = None if by_step else chance.uniform(0, done.seconds)
            try:
                self._kill(place, before, after, files, step, moment)
            except Fault as fault:
                where = f"step {step}" if by_step else f"{moment:.3f} s"
                self.figures.faults.append(f"{self.name}, kill {number} ({where}): {fault}")
                print(self.figures.faults[-1], flush=True)
        self.figures.seconds = time.monotonic() - begin
        return self.figures

    def _kill(
        self, place: Place, before: Any, after: Any, files: list[str], step: int | None, moment: float | None
    ) -> None:
        ended = child(self._command(place), self.work / "log" / "killed.log", step=step, moment=moment)
        self.figures.kills += 1
        self.figures.too_late += ended.code == 0
        if ended.step:
            self.figures.steps[ended.step] += 1
        if ended.code not in (0, -9):
            raise Fault(f"it ended with {ended.code}: {ended.messages[-600:]}")
        now = self._readers(place, f"after the kill before {ended.step!r}")
        if now not in (before, after):
            raise Fault(f"a mixture, killed before {ended.step!r}: {difference(before, after, now)}")
        self.figures.old += now == before
        self.figures.new += now == after and before != after
        again = child(self._command(place), self.work / "log" / "again.log")
        if again.code:
            raise Fault(f"killed before {ended.step!r}, it did not heal ({again.code}): {again.messages[-600:]}")
        healed = self._readers(place, "after the rerun")
        if healed != after:
            raise Fault(f"killed before {ended.step!r}, other rows: {difference(after, after, healed)}")
        self._clean(place)
        if (left := listing(place)) != files:
            more, less = sorted(set(left) - set(files)), sorted(set(files) - set(left))
            raise Fault(f"killed before {ended.step!r}, it leaves {more} and lacks {less}")

    def _readers(self, place: Place, when: str) -> Any:
        looked = child(lambda: self.family.state(place), self.work / "log" / "readers.log")
        if looked.code:
            raise Fault(f"readers fail {when}: {looked.messages[-600:]}")
        return looked.answer

    def _clean(self, place: Place) -> None:
        if place.root.exists():
            self._must(command("clean", "--root", str(place.root)), "clean")

    def _must(self, do: Callable[[], Any], what: str) -> Any:
        ended = child(do, self.work / "log" / f"{what}.log")
        if ended.code:
            raise SystemExit(f"{self.name}: {what} fails:\n{ended.messages}")
        return ended.answer

    def _command(self, place: Place) -> Callable[[], None]:
        return command(*place.words(self.family.template))

    def _place(self, name: str) -> Place:
        place = Place(self.work / name / "root", self.work / name / "beside", self.server)
        place.beside.mkdir(parents=True)
        return place

    def _copy(self, name: str) -> Place:
        shutil.rmtree(self.work / name, ignore_errors=True)
        shutil.copytree(self.work / "start", self.work / name)
        return Place(self.work / name / "root", self.work / name / "beside", self.server)


class Fault(Exception):
    """What must not be after a kill."""


def difference(before: Any, after: Any, now: Any, path: str = "") -> str:
    """The first few places where a state is neither the one nor the other."""
    if isinstance(now, dict) and isinstance(before, dict) and isinstance(after, dict) and now:
        found = [
            difference(before.get(key), after.get(key), now[key], f"{path}.{key}")
            for key in now
            if now[key] != before.get(key) or now[key] != after.get(key)
        ]
        return "; ".join(found[:6])
    side = "old" if now == before else "new" if now == after else f"neither ({str(now)[:300]})"
    return f"{path[1:]} is {side}"


def listing(place: Place) -> list[str]:
    """All files of a run, without what is different each time: when things were fetched."""
    files = [path for path in place.root.parent.rglob("*") if path.is_file()]
    names = (path.relative_to(place.root.parent).as_posix() for path in files)
    return sorted(re.sub(r"manifest-[0-9a-f]{12}", "manifest-*", name) for name in names)


# --- what the commands start from


def nothing(place: Place) -> None:
    """An empty place."""


TABLES = ("nucleus_detection_v0", "nucleus_ref_neuron_svm", "proofreading_status_and_strategy", "synapses_pni_2")


def filled(place: Place, versions: Sequence[int] = (1507,), scope: str = "all", build: bool = True) -> None:
    """Versions of the synthetic volume, written straight to Parquet."""
    from warehouse.catalog.build import build as make
    from warehouse.demo.synthetic import synthesize
    from warehouse.registry.tables import SYNAPSE
    from warehouse.registry.tables import TABLES as DECLARED
    from warehouse.storage.clustering import cluster_synapses
    from warehouse.storage.files import write_table
    from warehouse.storage.logical import logical_rows
    from warehouse.storage.manifest import Manifest
    from warehouse.storage.paths import Folder
    from warehouse.storage.publish import publish

    folder = Folder.of(place.root)
    volume = synthesize(**VOLUME)
    for version in versions:
        assembled = folder.staging(version)
        entries = {}
        for name in TABLES:
            write: Callable[..., Any] = cluster_synapses if name == SYNAPSE else write_table
            rows = logical_rows(DECLARED[name], volume.table(version, name))
            entries[name] = write(assembled, DECLARED[name], rows, source="cave", url=place.server)
        moment = f"2026-01-01T00:00:0{version % 9}"
        publish(folder, assembled, Manifest(folder.datastack, version, moment, entries, synthetic=True))
    if build:
        make(folder)


def with_base(place: Place) -> None:
    """Two versions, of which the second is stored against the first."""
    filled(place)
    place.run(f"{SNAPSHOT} --synapses all --base 1507")


def superseded(place: Place) -> None:
    """Two versions of which one is dropped, and a table that another one has replaced."""
    filled(place, (1507, 1718))
    place.run("drop 1718 --root {root}")


def with_bundle(place: Place) -> None:
    """A file to be received."""
    filled(place)
    place.run("bundle {beside}/class.duckdb --everything --root {root}")


def bundle_state(place: Place) -> Any:
    """What the file for a class answers, or that there is none."""
    return of_file(place.beside / "class.duckdb")


def received_state(place: Place) -> Any:
    """The same of the file that was received."""
    return of_file(place.beside / "home" / "class.duckdb")


def of_file(path: Path) -> Any:
    """What a bundle answers; `{}` if it is not there."""
    from warehouse.query.session import connect

    if not path.exists():
        return {}
    with connect(path) as warehouse:
        rows = warehouse.sql("SELECT count(*), bit_xor(hash(s)) FROM synapses AS s").fetchall()
        cells = warehouse.sql("SELECT count(*), bit_xor(hash(c)) FROM cells AS c").fetchall()
        return json.loads(json.dumps({"synapses": rows, "cells": cells}))


VOLUME: dict[str, Any] = {"cells": 200, "seed": 1, "synapses": 3_000}
SNAPSHOT = f"snapshot 1718 {' '.join(TABLES)} --server {{server}} --root {{root}} --quiet"
PROOFREAD = SNAPSHOT.replace("1718", "1507") + " --synapses proofread"

FAMILIES = {
    "snapshot": Family(nothing, PROOFREAD),
    "scope": Family(
        lambda place: place.run(PROOFREAD), PROOFREAD.replace("--synapses proofread", "--synapses neurons")
    ),
    "table": Family(filled, "snapshot 1507 aibs_metamodel_celltypes_v661 --server {server} --root {root} --quiet"),
    "build": Family(partial(filled, build=False), "build --root {root}"),
    "default": Family(partial(filled, versions=(1507, 1718)), "build --default 1718 --root {root}"),
    "base": Family(filled, f"{SNAPSHOT} --synapses all --base 1507"),
    "promote": Family(with_base, "promote 1718 --root {root}"),
    "drop": Family(partial(filled, versions=(1507, 1718)), "drop 1718 --root {root}"),
    "drop-last": Family(filled, "drop 1507 --root {root}"),
    "clean": Family(superseded, "clean --root {root}"),
    "bundle": Family(filled, "bundle {beside}/class.duckdb --everything --root {root}", bundle_state),
    "get": Family(with_bundle, "get {beside}/class.duckdb --to {beside}/home", received_state),
    "demo": Family(nothing, "demo {root} --cells 200"),
}


@contextmanager
def service(work: Path) -> Iterator[str]:
    """A process that serves the synthetic volume as CAVE would, and the token where caveclient looks for it."""
    work.mkdir(parents=True, exist_ok=True)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _serve(write)
    os.close(write)
    with os.fdopen(read) as told:
        url, token = json.loads(told.readline())
        secrets = work / "home" / ".cloudvolume" / "secrets"
        secrets.mkdir(parents=True, exist_ok=True)
        (secrets / "cave-secret.json").write_text(json.dumps({"token": token}))
        os.environ["HOME"] = str(work / "home")
        try:
            yield url
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def _serve(write: int) -> None:
    from warehouse.demo.served_volume import from_volume
    from warehouse.demo.synthetic import synthesize
    from warehouse.serve import serve

    with serve(from_volume(synthesize(**VOLUME)), faithful=True) as running:
        os.write(write, json.dumps([running.url, running.token]).encode() + b"\n")
        while os.getppid() != 1:
            time.sleep(1)
    os._exit(0)


def import_all() -> None:
    """Import what commands need, so that a child does not: that starts no thread."""
    for name in (
        *("caveclient", "duckdb", "polars", "pyarrow.parquet", "scipy.sparse"),
        *("ingest.cli", "ingest.demo", "ingest.job.skeletons", "ingest.job.snapshot"),
        *("warehouse.bundle.write", "warehouse.commands.cli", "warehouse.serve"),
    ):
        importlib.import_module(name)
    from warehouse.catalog.views import load_views
    from warehouse.registry.datastacks import MINNIE65

    load_views(MINNIE65)


def campaign(
    names: Sequence[str], kills: int, seed: int, work: Path, minutes: float = float("inf")
) -> list[Figures]:
    """Run the campaigns of families, one after the other."""
    import_all()
    with service(work / "service") as server:
        return [_reported(Campaign(name, work / name, server).run(kills, seed, minutes)) for name in names]


def _reported(figures: Figures) -> Figures:
    print(figures, flush=True)
    return figures


def main() -> None:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("family", choices=[*FAMILIES, "all"], nargs="+")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="for each family at most")
    given = parser.parse_args()
    names = list(FAMILIES) if "all" in given.family else given.family
    with tempfile.TemporaryDirectory(prefix="microns-kills-") as work:
        found = campaign(names, given.kills, given.seed, Path(work), given.minutes)
    faults = [fault for figures in found for fault in figures.faults]
    print(f"{sum(figures.kills for figures in found)} kills, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
