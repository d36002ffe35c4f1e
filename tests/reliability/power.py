"""Loss of power at every moment of a job: whatever reached the disk, readers see the old state or the new.

    python -m tests.reliability.power

The system calls of a job that publishes and builds are recorded (with strace). Every prefix of them is replayed on
the files that were there before. What nobody has asked the disk to keep (fsync) may be lost: data of files are as
at their last fsync, torn in the middle, or whole; of the names made, changed and removed since the last fsync of
their folder, all are lost, or none, or each one alone, or all but each one. Each different result is opened with
`connect()`. The method is ALICE's (Pillai et al., OSDI 2014).
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tests.reliability.kills import Place, difference, filled, import_all
from tests.reliability.processes import child, seen

CALLS = "openat,creat,write,pwrite64,writev,pwritev,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,"
CALLS += "fsync,fdatasync,sync_file_range,ftruncate,truncate,link,linkat,symlink,copy_file_range,sendfile"
_LINE = re.compile(r"(?P<time>\d+\.\d+) (?P<call>\w+)\((?P<given>.*)\)\s+= (?P<result>-?\d+)", re.DOTALL)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLACE = re.compile(r"(?:AT_FDCWD|\d+)<([^>]*)>")


@dataclass
class Data:
    """A file's bytes: as they are, and as they were at the last fsync."""

    now: bytes = b""
    kept: bytes = b""


@dataclass(frozen=True)
class Change:
    """A change of names: a folder loses one, another (or the same) gets one, in one step.

    Attributes:
        lost: the folder's number and the name.
        got: the same of the new name, and the number of what it names.
    """

    lost: tuple[int, str] | None = None
    got: tuple[int, str, int] | None = None

    @property
    def folders(self) -> set[int]:
        """The folders whose entries change."""
        return {each[0] for each in (self.lost, self.got) if each}


@dataclass
class Disk:
    """What a job has done to the files of a root so far. Files and folders have numbers; the root's is 0.

    Attributes:
        nodes: the data of all files there ever were; None of folders.
        folders: the entries of each folder.
        start: the same before the job.
        changes: all changes of names.
        kept: which of them are on the disk for good.
    """

    nodes: list[Data | None] = field(default_factory=list)
    folders: dict[int, dict[str, int]] = field(default_factory=dict)
    start: dict[int, dict[str, int]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, root: Path) -> Disk:
        """The files that are there, all of them durable."""
        disk = cls()
        disk.new_folder()
        for path in sorted(root.rglob("*")):
            folder, name = disk.place(path.relative_to(root).as_posix())
            content = path.read_bytes() if path.is_file() else None
            disk.folders[folder][name] = disk.new_folder() if content is None else disk.new_file(content)
        disk.start = {number: dict(entries) for number, entries in disk.folders.items()}
        return disk

    def new_file(self, content: bytes = b"") -> int:
        """The number of a new file."""
        self.nodes.append(Data(content, content))
        return len(self.nodes) - 1

    def new_folder(self) -> int:
        """The number of a new folder."""
        self.nodes.append(None)
        self.folders[len(self.nodes) - 1] = {}
        return len(self.nodes) - 1

    def find(self, path: str) -> int | None:
        """The number of a file or folder, by its path relative to the root."""
        number: int | None = 0
        for name in PurePosixPath(path).parts:
            number = None if number is None else self.folders.get(number, {}).get(name)
        return number

    def place(self, path: str) -> tuple[int, str]:
        """The number of the folder that a path is in, and its name there."""
        number = self.find(str(PurePosixPath(path).parent))
        assert number is not None, path
        return number, PurePosixPath(path).name

    def data(self, path: str) -> Data | None:
        """The data of a file, if it has a name."""
        number = self.find(path)
        return None if number is None else self.nodes[number]

    def change(self, change: Change) -> None:
        """Change a name."""
        self.changes.append(change)
        apply(self.folders, change)

    def sync(self, path: str) -> None:
        """Keep a file's bytes, or the names in a folder."""
        number = self.find(path)
        if number is None:
            return
        if (data := self.nodes[number]) is not None:
            data.kept = data.now
        else:
            self.kept |= {i for i, change in enumerate(self.changes) if number in change.folders}

    def survivors(self) -> Iterator[dict[str, bytes | None]]:
        """What may be on the disk after a loss of power now; the bytes of each path, None for folders."""
        everything = set(range(len(self.changes)))
        lost = everything - self.kept
        chosen = [everything, self.kept]
        chosen += [everything - {one} for one in lost] + [self.kept | {one} for one in lost]
        contents = {
            how: [_survives(data, how) if data else None for data in self.nodes]
            for how in ("whole", "lost", "torn")
        }
        for which in {frozenset(each) for each in chosen}:
            folders = {number: dict(entries) for number, entries in self.start.items()}
            for i in sorted(which):
                apply(folders, self.changes[i])
            paths = list(_paths(folders))
            for kind in contents.values():
                yield {path: kind[number] for path, number in paths}

    def tree(self) -> dict[str, bytes]:
        """The files as the job sees them."""
        found = ((path, self.nodes[number]) for path, number in _paths(self.folders))
        return {path: data.now for path, data in found if data is not None}


def apply(folders: dict[int, dict[str, int]], change: Change) -> None:
    """Change a name."""
    if change.lost is not None:
        folders.setdefault(change.lost[0], {}).pop(change.lost[1], None)
    if change.got is not None:
        folders.setdefault(change.got[0], {})[change.got[1]] = change.got[2]


def _paths(folders: dict[int, dict[str, int]], number: int = 0, path: str = "") -> Iterator[tuple[str, int]]:
    for name, below in folders.get(number, {}).items():
        yield path + name, below
        yield from _paths(folders, below, f"{path}{name}/")


def _survives(data: Data, how: str) -> bytes:
    if how == "whole" or data.now == data.kept:
        return data.now
    return data.kept if how == "lost" else data.now[: (len(data.now) + len(data.kept)) // 2]


@dataclass(frozen=True)
class Call:
    """A system call that succeeded, in the order of time."""

    name: str
    texts: list[bytes]
    places: list[str]
    numbers: list[int]
    given: str


def record(job: Sequence[str], log: Path) -> list[Call]:
    """The calls of a program and all its threads that change files."""
    log.mkdir()
    strace = ["strace", "-ff", "-ttt", "-y", "-s", "100000000", "-e", f"trace={CALLS}", "-o", str(log / "trace")]
    subprocess.run([*strace, *job], check=True, capture_output=True)
    found = []
    for path in log.iterdir():
        for line in path.read_text("ascii").splitlines():
            match = _LINE.match(line)
            if match and int(match["result"]) >= 0:
                found.append((float(match["time"]), match))
    return [_call(match) for _, match in sorted(found, key=lambda each: each[0])]


def _call(match: re.Match[str]) -> Call:
    given = match["given"]
    texts = [ast.literal_eval(f'b"{each}"') for each in _TEXT.findall(given)]
    bare = _TEXT.sub("", given)
    return Call(match["call"], texts, _PLACE.findall(bare), [int(n) for n in re.findall(r", (\d+)", bare)], bare)


class Replay:
    """Does to a `Disk` what was recorded."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root = root
        self._disk = disk

    def do(self, call: Call) -> bool:
        """Do one call; whether it changed something under the root, or kept it."""
        name = call.name
        if name in ("openat", "creat"):
            return self._open(call)
        if name in ("write", "pwrite64", "ftruncate"):
            return self._write(call)
        if name in ("fsync", "fdatasync"):
            if (path := self._inside(call.places[0])) is not None:
                self._disk.sync(path)
            return path is not None
        paths = [self._inside(each) for each in self._paths(call)]
        if not paths or paths[0] is None:
            return False
        place = self._disk.place(paths[0])
        if name.startswith("rename"):
            assert paths[1] is not None, "something left the root"
            number = self._disk.folders[place[0]][place[1]]
            self._disk.change(Change(place, (*self._disk.place(paths[1]), number)))
        elif name.startswith("mkdir"):
            self._disk.change(Change(got=(*place, self._disk.new_folder())))
        elif name in ("unlink", "unlinkat", "rmdir"):
            self._disk.change(Change(place))
        else:
            raise NotImplementedError(name)
        return True

    def _paths(self, call: Call) -> list[str]:
        names = [os.fsdecode(text) for text in call.texts]
        places = call.places if call.name.endswith(("at", "at2")) else []
        places = [*places, *([str(Path.cwd())] * (len(names) - len(places)))]
        return [os.path.normpath(Path(place) / name) for place, name in zip(places, names, strict=False)]

    def _inside(self, path: str) -> str | None:
        """The path relative to the root; None outside of it."""
        place = Path(path.removesuffix(" (deleted)"))
        return place.relative_to(self._root).as_posix() if place.is_relative_to(self._root) else None

    def _open(self, call: Call) -> bool:
        (path,) = (self._inside(each) for each in self._paths(call))
        if path is None or path == ".":
            return False
        if (data := self._disk.data(path)) is None and "O_DIRECTORY" not in call.given:
            if "O_CREAT" not in call.given and call.name != "creat":
                return False
            self._disk.change(Change(got=(*self._disk.place(path), self._disk.new_file())))
            return True
        if "O_TRUNC" in call.given and data is not None:
            data.now = b""
            return True
        return False

    def _write(self, call: Call) -> bool:
        path = self._inside(call.places[0])
        if path is None or (data := self._disk.data(path)) is None:
            return False  # a file without a name cannot be read after the loss
        if call.name == "ftruncate":
            data.now = data.now[: call.numbers[0]].ljust(call.numbers[0], b"\0")
        else:
            start = call.numbers[-1] if call.name == "pwrite64" else len(data.now)
            content = call.texts[0]
            data.now = data.now[:start].ljust(start, b"\0") + content + data.now[start + len(content) :]
        return True


def changed(place: Place) -> None:
    """The job: other rows of two tables are published, one table is left out, and the database is built."""
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
    manifest = read_manifest(folder.manifest(1507))
    assembled = folder.staging(1507) / "assembled"

    def some(name: str) -> Any:
        rows = scan(folder.version(1507), manifest.tables[name]).collect().to_arrow()
        return rows.cast(TABLES[name].arrow_schema).slice(0, len(rows) // 2)

    new = {
        NUCLEUS: write_table(assembled, TABLES[NUCLEUS], some(NUCLEUS), source="cave"),
        SYNAPSE: cluster_synapses(assembled, TABLES[SYNAPSE], some(SYNAPSE), source="cave"),
    }
    tables = {name: entry for name, entry in manifest.tables.items() if name != "nucleus_ref_neuron_svm"} | new
    publish(folder, assembled, replace(manifest, tables=tables))
    build(folder)


def states(work: Path) -> tuple[Counter[str], list[dict[str, bytes | None]], Place]:
    """Record the job and gather every different result of a loss of power; also how many there were in all."""
    place = Place(work / "start" / "root", work / "start" / "beside", "")
    must(child(lambda: filled(place), work / "log" / "filled.log"))
    running = Place(work / "running" / "root", work / "running" / "beside", "")
    shutil.copytree(place.root, running.root)
    disk = Disk.of(running.root)
    code = f"import sys; from tests.reliability.power import run_job; run_job({str(running.root)!r})"
    replay, counts, found = Replay(running.root, disk), Counter[str](), dict[int, dict[str, bytes | None]]()
    for call in record([sys.executable, "-c", code], work / "trace"):
        if not replay.do(call):
            continue
        counts["prefixes"] += 1
        if call.name in ("write", "pwrite64") and not call.places[0].endswith((".duckdb", ".json")):
            continue  # of one file only the last write matters to what is lost, torn or whole
        for tree in disk.survivors():
            counts["results"] += 1
            found.setdefault(_what_readers_read(tree), tree)
    assert disk.tree() == {
        path.relative_to(running.root).as_posix(): path.read_bytes()
        for path in running.root.rglob("*")
        if path.is_file()
    }, "the recording is not complete"
    return counts, list(found.values()), running


def run_job(root: str) -> None:
    """The job in a process of its own."""
    changed(Place(Path(root), Path(root), ""))


def _what_readers_read(tree: dict[str, bytes | None]) -> int:
    """A hash of all that is not in a working folder; Python keeps that of each `bytes`, so it costs little."""
    files = ((path, content) for path, content in tree.items() if content is not None)
    return hash(frozenset(each for each in files if not _is_hidden(each[0])))


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def must(ended: Any) -> Any:
    """What a child answered, which must not fail."""
    assert ended.code == 0, ended.messages
    return ended.answer


def campaign(work: Path, most: int = sys.maxsize) -> tuple[Counter[str], list[str]]:
    """Figures, and what went wrong; of the different results, so many are opened at most."""
    import_all()
    counts, trees, running = states(work)
    counts["different"] = len(trees)
    random.Random(0).shuffle(trees)
    start = work / "start" / "root"
    old = must(child(lambda: seen(start), work / "log" / "old.log"))
    new = must(child(lambda: seen(running.root), work / "log" / "new.log"))
    assert old != new
    faults = []
    for number, tree in enumerate(trees[:most]):
        root = work / "after" / "root"
        shutil.rmtree(root, ignore_errors=True)
        for path, content in tree.items():
            if content is None:
                (root / path).mkdir(parents=True, exist_ok=True)
            elif not _is_hidden(path):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(content)
        looked = child(lambda root=root: seen(root), work / "log" / "after.log")  # type: ignore[misc]
        counts["opened"] += 1
        if looked.code:
            faults.append(f"result {number}: {looked.messages[-400:]}")
        elif looked.answer not in (old, new):
            faults.append(f"result {number}: a mixture: {difference(old, new, looked.answer)}")
        else:
            counts["new" if looked.answer == new else "old"] += 1
    return counts, faults


def main() -> None:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--most", type=int, default=sys.maxsize, help="different results to open")
    with tempfile.TemporaryDirectory(prefix="microns-power-") as work:
        counts, faults = campaign(Path(work), parser.parse_args().most)
    print("\n".join(faults))
    print(
        "{prefixes} prefixes, {results} results of a loss of power, {different} different ones, {opened} opened: "
        "old {old}, new {new}".format_map(counts),
        f"faults {len(faults)}",
        sep=", ",
    )
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
