"""Every kind of file, damaged in every way: what queries did meanwhile, whether `check` names it, what heals it.

python -m tests.reliability.damage [SEED [KIND ...]]

prints the table of docs/promises.md. A warehouse of two versions, the second stored against the first, is fetched
over loopback from a service that answers as CAVE does; each case damages one file of a copy of it.
"""

from __future__ import annotations

import logging
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from ingest.cave.service import CaveService
from ingest.cave.source import CaveSource
from ingest.job.order import Order
from ingest.job.repair import repair
from ingest.job.skeletons import SkeletonJob
from ingest.job.snapshot import Snapshot
from ingest.parts.source import Source, SourceName
from warehouse.catalog.build import build
from warehouse.catalog.committed import committed_names
from warehouse.catalog.verify import verify, verify_database
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.errors import WarehouseError
from warehouse.query.session import Warehouse, connect
from warehouse.registry.tables import NUCLEUS, SKELETON, SYNAPSE
from warehouse.serve import serve
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted, text_literal

BASE, VERSION = 1507, 1718
_SUM = "SELECT count(*), sum(hash(r)::HUGEINT)::VARCHAR FROM (FROM {}) AS r"
VIEWS = ("cells", "connections", "connections_proofread", "in_out_degree", "synapse_targets")
_SUM = "SELECT count(*), sum(hash(r)::HUGEINT)::VARCHAR FROM (FROM {}) AS r"
Connect = Callable[[Order, SourceName], Callable[[], Source]]
Find = Callable[[Folder], Path]
"""Finds the file of a kind."""


def volume_to_damage() -> Volume:
    """Small, but with every kind of file, except lists of dead ids: no synapse changes its segment by itself."""
    return synthesize(200, 1, synapses=3_000)


@dataclass(frozen=True)
class Case:
    """One damage.

    Attributes:
        kind: what the file is.
        way: what happens to it.
        seed: where in the file.
    """

    kind: str
    way: str
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What happened before anybody repaired it.

    Attributes:
        quick, full: whether `check --quick` and `check` name the file.
        asked: by who asks (connect, shell, scan), "right", "WRONG", "error", or "refused" (names microns repair).
    """

    quick: bool
    full: bool
    asked: dict[str, str]


# The files ----------------------------------------------------------------------------------------


def _entry(folder: Folder, version: int, table: str) -> Any:
    manifest = read_manifest(folder.manifest(version))
    return (manifest.tables | manifest.stored_views)[table]


def _file(version: int, table: str, number: int = 0) -> Find:
    def find(folder: Folder) -> Path:
        return folder.version(version) / str(_entry(folder, version, table).files[number].path)

    return find


def _listed(which: str) -> Find:
    def find(folder: Folder) -> Path:
        entry = _entry(folder, VERSION, SYNAPSE)
        files = [each.file for each in entry.lineages] if which == "lineages" else getattr(entry.base, which)
        return folder.version(VERSION) / str(files[0].path)

    return find


FILES: dict[str, Find] = {
    "table": _file(VERSION, NUCLEUS),
    "table of the base": _file(BASE, "proofreading_status_and_strategy"),
    "skeletons": _file(VERSION, SKELETON),
    "synapse bucket of the base": _file(BASE, SYNAPSE, 1),
    "bucket of the difference": _file(VERSION, SYNAPSE),
    "retired roots": _listed("retired"),
    "lineage": _listed("lineages"),
    "stored view": _file(VERSION, "cells"),
    "stored view in buckets": _file(VERSION, "_axon_synapses"),
    "manifest.json": lambda folder: folder.manifest(VERSION),
    "manifest-<hash>.json": lambda folder: folder.path / committed_names(folder)[VERSION],
    "microns.duckdb": lambda folder: folder.database,
    "init.sql": lambda folder: folder.init_sql,
}
WAYS = ("flip", "truncate", "delete", "swap", "append")
STRANGERS: dict[str, Find] = {
    "stray bucket": lambda folder: (
        FILES["synapse bucket of the base"](folder).parents[1] / "b=99" / "part-0.parquet"
    ),
    "stray part": lambda folder: FILES["table"](folder).with_name("part-1.parquet"),
    "stray generation": lambda folder: folder.version(VERSION) / "cave" / f"{NUCLEUS}-000000000000/part-0.parquet",
}
CASES = [Case(kind, way) for kind in FILES for way in WAYS]
CASES += [Case(kind, "added") for kind in STRANGERS]
CASES += [Case("both manifests", "delete"), Case("manifest.json of the base", "delete")]


def damage(folder: Folder, case: Case) -> list[Path]:
    """Damage a file; returns the one, or those, that `check` must name."""
    if case.kind in STRANGERS:
        path = STRANGERS[case.kind](folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        source = FILES["synapse bucket of the base" if "bucket" in case.kind else "table"](folder)
        shutil.copyfile(source, path)
        return [path]
    if case.kind == "both manifests":
        paths = [FILES["manifest.json"](folder), FILES["manifest-<hash>.json"](folder)]
    elif case.kind == "manifest.json of the base":
        paths = [folder.manifest(BASE)]
    else:
        paths = [FILES[case.kind](folder)]
    if case.way == "swap":
        other = _another(folder, case.kind, paths[0])
        aside = paths[0].with_name("aside")
        paths[0].replace(aside)
        other.replace(paths[0])
        aside.replace(other)
        return [paths[0]]
    for path in paths:
        _harm(path, case.way, random.Random(f"{case}"))
    return paths


def _another(folder: Folder, kind: str, path: Path) -> Path:
    """A file to exchange it with, of the same kind where there is one."""
    if kind == "manifest.json":
        return folder.manifest(BASE)
    if kind == "manifest-<hash>.json":
        return folder.path / committed_names(folder)[BASE]
    if kind in ("microns.duckdb", "init.sql"):
        return ({folder.database, folder.init_sql} - {path}).pop()
    if path.parent.name.startswith("b="):
        siblings = sorted(each for each in path.parent.parent.glob("b=*/part-0.parquet") if each != path)
        if siblings:
            return siblings[0]
    return FILES["table of the base"](folder) if kind != "table of the base" else FILES["table"](folder)


def _harm(path: Path, way: str, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if way == "flip":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif way == "truncate":
        del content[chance.randrange(len(content)) :]
    elif way == "append":
        content += b"\0" * 7
    if way == "delete":
        path.unlink()
    else:
        path.write_bytes(content)


# What is asked ------------------------------------------------------------------------------------


def rows_of(ask: Callable[[str], Any], manifests: dict[int, Manifest]) -> dict[str, Any]:
    """Number and hash of the rows of every table, and of views that read what is stored."""
    found = {}
    for version, manifest in manifests.items():
        names = [f"v{version}_cave.{quoted(name)}" for name in manifest.tables]
        names += [f"v{version}.{view}" for view in VIEWS]
        for name in names:
            found[name] = ask(_SUM.format(name))
    found["main.root_id_changes"] = ask(_SUM.format("root_id_changes"))
    return found


def _fetched(wh: Warehouse, query: str) -> Any:
    return wh.sql(query).fetchall()


def _by_connect(folder: Folder, manifests: dict[int, Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for version in manifests:
        with connect(version, folder.path.parent, threads=1) as wh:
            found |= rows_of(partial(_fetched, wh), {version: manifests[version]})
    return found


def _by_shell(folder: Folder, manifests: dict[int, Manifest]) -> dict[str, Any]:
    """As in the stock shell, in the folder: nothing looks at sizes before."""
    with duckdb.connect(config={"file_search_path": str(folder.path), "threads": 1}) as con:
        con.execute(f"ATTACH {text_literal(str(folder.database))} AS microns (READ_ONLY); USE microns")
        return rows_of(lambda query: con.execute(query).fetchall(), manifests)


def _by_scan(folder: Folder, manifests: dict[int, Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for version, manifest in manifests.items():
        with connect(version, folder.path.parent, threads=1) as wh:
            for name in manifest.tables:
                frame = wh.scan(name).collect()
                assert isinstance(frame, pl.DataFrame)
                found[f"v{version} {name}"] = frame.hash_rows().sort().to_list()
    return found


DOORS = {"connect": _by_connect, "shell": _by_shell, "scan": _by_scan}


def asked(
    folder: Folder,
    manifests: dict[int, Manifest],
    right: dict[str, dict[str, Any]],
    doors: Sequence[str] = ("connect", "shell", "scan"),
) -> dict[str, str]:
    """What each way of asking does."""
    found = {}
    for door in doors:
        try:
            found[door] = "right" if DOORS[door](folder, manifests) == right[door] else "WRONG"
        except WarehouseError as error:
            found[door] = "refused" if "microns repair" in str(error) else f"error: {error}"
        except Exception:
            found[door] = "error"
    return found


# One case -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A sound warehouse, what its rows are, and where they came from.

    Attributes:
        folder: of the datastack.
        connect: connects to the source, for a repair.
        service: connects to CAVE.
        manifests: of its versions.
        right: what each way of asking answers.
    """

    folder: Folder
    connect: Connect
    service: Callable[[], CaveService]
    manifests: dict[int, Manifest]
    right: dict[str, dict[str, Any]]

    @contextmanager
    def copied(self, root: Path) -> Iterator[Folder]:
        """A copy to damage; it is removed afterwards."""
        folder = Folder.of(root, self.folder.datastack)
        shutil.copytree(self.folder.path, folder.path)
        # init.sql names the folder.
        folder.init_sql.write_text(folder.init_sql.read_text().replace(str(self.folder.path), str(folder.path)))
        yield folder
        shutil.rmtree(root, ignore_errors=True)

    def meanwhile(self, case: Case, root: Path) -> Outcome:
        """Damage a copy of the warehouse, check, and ask."""
        with self.copied(root) as folder:
            names = {path.relative_to(folder.path).as_posix() for path in damage(folder, case)}
            quick, full = (names <= self._found(folder, quick) for quick in (True, False))
            return Outcome(quick, full, asked(folder, self.manifests, self.right))

    def healed(self, cases: Sequence[Case], root: Path, version: int | None = None) -> str:
        """Damage several files of a copy and repair it; "" if all is as before, else what is not."""
        with self.copied(root) as folder:
            for case in cases:
                damage(folder, case)
            try:
                repair(folder, version, self.connect, service=self.service)
            except WarehouseError as error:
                return str(error)
            if left := self._found(folder, quick=False):
                return f"check still finds {sorted(left)}"
            wrong = {
                door: what for door, what in asked(folder, self.manifests, self.right).items() if what != "right"
            }
            return str(wrong or "")

    def _found(self, folder: Folder, quick: bool) -> set[str]:
        problems = verify_database(folder)
        for version in folder.version_folders():
            problems += verify(folder, version, quick=quick)
        return {problem.path for problem in problems}


@contextmanager
def world(root: Path, volume: Volume) -> Iterator[World]:
    """Fetch and build the warehouse, and keep its source running."""
    with serve(from_volume(volume), faithful=True) as running:

        def service() -> CaveService:
            return CaveService(volume.datastack, server=running.url, token=running.token)

        def source() -> Source:
            return CaveSource(service())

        folder = Folder.of(root, volume.datastack)
        for version, base in ((BASE, None), (VERSION, BASE)):
            Snapshot(folder, Order(version, synapses="all", base=base)).run(source)
            SkeletonJob(folder, version, "proofread").run(service)
        build(folder)
        manifests = {version: read_manifest(folder.manifest(version)) for version in folder.versions()}
        right = {door: ask(folder, manifests) for door, ask in DOORS.items()}
        yield World(folder, lambda order, name: source, service, manifests, right)


def main(kinds: list[str], seed: int) -> None:
    """Print a line for each case, and the figures last."""
    logging.disable(logging.WARNING)
    bad = wrong = 0
    chosen = [Case(each.kind, each.way, seed) for each in CASES if not kinds or each.kind in kinds]
    with TemporaryDirectory() as place, world(Path(place) / "sound", volume_to_damage()) as sound:
        print("| file | damage | `check --quick` | `check` | `connect()` | shell | `wh.scan` | `repair` |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for number, case in enumerate(chosen):
            outcome = sound.meanwhile(case, Path(place) / f"case{number}")
            healed = sound.healed([case], Path(place) / f"healed{number}")
            named = ["names it" if each else "-" for each in (outcome.quick, outcome.full)]
            cells = [case.kind, case.way, *named, *outcome.asked.values(), healed or "healed"]
            print(f"| {' | '.join(cells)} |", flush=True)
            bad += bool(healed) or not outcome.full
            wrong += "WRONG" in outcome.asked.values()
    print(f"\n{len(chosen)} cases: {wrong} gave wrong rows meanwhile, {bad} were not named by check or not healed")


if __name__ == "__main__":
    main(sys.argv[2:], int((*sys.argv[1:], "0")[0]))
