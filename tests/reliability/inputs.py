"""What people and servers hand in, damaged: each is read, or refused with one sentence, soon and in little memory.

    python -m tests.reliability.inputs FAMILY --tries N --seed S

FAMILY is one of FAMILIES below, or `all`. Each try changes a sound input a little (bits, bytes, pieces, words of
its kind) and hands it in at the door that users have. Faults are any other exception than the project's own, an
exit code that no page lists, a try of more than 20 s, and a file outside of the place.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from warehouse.catalog.sql_files import sql_files, sql_root
from warehouse.catalog.views import parse_view
from warehouse.commands.cli import main as microns
from warehouse.demo.local import write_volume
from warehouse.demo.synthetic import synthesize
from warehouse.demo.synthetic.exports import write_archive
from warehouse.errors import ExitCode, WarehouseError
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder

_PATIENCE_S = 20
WORDS = (
    *(b"", b"\0", b"\n", b"\r\n", b",", b"\t", b";", b'"', b"'", b"\\", b"NULL", b"nan", b"-1", b"1e999"),
    *(b"864691135000000004", b"8.64691135e17", b"0x1f", b"\xff\xfe", b"\xc3", b"\xe2\x80\xae", b"{", b"}"),
    *(b"../x", b"/etc/passwd", b"--", b"/*", b"$$", b"%s", b"true", b"2020-01-01", b"(1,2,3)", b"[", b"]"),
    *(b"9" * 30, b"A" * 5000),
)
Try = Callable[[random.Random], None]


def changed(content: bytes, chance: random.Random) -> bytes:
    """A content that is a little, or quite, another one."""
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(content) + 1)
        end = min(len(content), at + chance.choice((0, 1, 1, 4, 100)))
        way = chance.randrange(5)
        if way == 0 and content:
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif way == 1:
            content = content[:at] + chance.choice(WORDS) + content[end:]
        elif way == 2:
            content = content[:at] + content[end:]
        elif way == 3:
            content = content[:at] + content[at:end] * chance.randrange(1, 4) + content[end:]
        else:
            content = content[:at]
    return content


def command(*words: str | Path) -> None:
    """A line on the command line; it leaves with a code that the pages list."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            microns([*map(str, words)])
        except SystemExit as left:
            if left.code not in [None, *ExitCode]:
                raise AssertionError(f"exit code {left.code}") from None
    if "Traceback" in said.getvalue():
        raise AssertionError(f"a traceback: {said.getvalue()[-300:]}")


class Place:
    """A small warehouse, its archive, and a folder for what is handed in."""

    def __init__(self, above: Path) -> None:
        self.root, self.archive, self.desk = above / "root", above / "archive", above / "desk"
        volume = synthesize(200, 1, synapses=1_000)
        write_volume(volume, str(self.root))
        write_archive(volume, self.archive)
        self.folder = Folder.of(self.root)
        self.desk.mkdir()
        rows = {"pt_root_id": [864691135000000004, 864691135000000005], "label": ["a", "é"], "x": [0.5, None]}
        self.mine = pa.table(rows)

    def archived(self, chance: random.Random) -> None:
        """A file of the public archive: text of a database's dump, and the header that says what is in it."""
        shutil.rmtree(copy := self.desk / "archive", ignore_errors=True)
        shutil.copytree(self.archive, copy)
        name = chance.choice(("nucleus_detection_v0", "proofreading_status_and_strategy"))
        path = chance.choice(sorted(copy.glob(f"v1507/{name}_merged*")))
        content = path.read_bytes()
        if path.suffix == ".gz" and chance.random() < 0.8:
            content = gzip.compress(changed(gzip.decompress(content), chance), 1)
        else:
            content = changed(content, chance)
        path.write_bytes(content)
        shutil.rmtree(self.desk / "root", ignore_errors=True)
        place = ("--from", copy, "--root", self.desk / "root", "--no-build")
        command("snapshot", "1507", name, "--source", "archive", "--quiet", *place)

    def local(self, chance: random.Random) -> None:
        """A file in local/: CSV, TSV, Parquet or feather."""
        shutil.rmtree(local := self.folder.local, ignore_errors=True)
        local.mkdir()
        kind = chance.choice(("csv", "tsv", "parquet", "csv.gz", "arrow"))
        path = self.desk / "mine"
        if kind == "parquet":
            pq.write_table(self.mine, path)
        elif kind == "arrow":
            feather.write_feather(self.mine, str(path))
        else:
            rows = [self.mine.column_names, *(map(str, row.values()) for row in self.mine.to_pylist())]
            lines = [("\t" if kind == "tsv" else ",").join(row) for row in rows]
            path.write_text("\n".join(lines), "utf-8")
        content = changed(path.read_bytes(), chance)
        (local / f"mine.{kind}").write_bytes(gzip.compress(content) if kind == "csv.gz" else content)
        command("query", "FROM local.mine", "--csv", "--root", self.root)
        command("list", "--root", self.root)
        shutil.rmtree(local)

    def ids(self, chance: random.Random) -> None:
        """Ids, on the line and in a file."""
        text = changed(b"864691135000000004, 864691135000000005\n10,x\n", chance)
        path = self.desk / "ids.csv"
        path.write_bytes(text)
        given = path if chance.random() < 0.5 else text.decode("utf-8", "replace")
        command("bundle", self.desk / "class.duckdb", "--cells", given, "--root", self.root)

    def arguments(self, chance: random.Random) -> None:
        """A line of words, those of the program among them."""
        names = ("query", "describe", "list", "check", "cite", "diff", "path", "versions", "clean")
        own = (b"--version", b"--json", b"--csv", b"--quick", b"1507", b"1718", b"cells", b"FROM cells LIMIT 1")
        words = [chance.choice(names)]
        for _ in range(chance.randrange(5)):
            word = chance.choice((*WORDS, *own))
            word = changed(word, chance) if chance.random() < 0.3 else word
            words.append(word.decode("utf-8", "replace"))
        command(*words, "--root", self.root)

    def statements(self, chance: random.Random) -> None:
        """SQL."""
        sound = b"SELECT cell_type, count(*) AS n FROM cells WHERE depth_um > 100 GROUP BY ALL ORDER BY n LIMIT 5"
        text = changed(sound, chance).decode("utf-8", "replace")
        command("query", text, chance.choice(("--csv", "--json")), "--root", self.root)

    def manifests(self, chance: random.Random) -> None:
        """The bytes of a manifest."""
        path = self.desk / "manifest.json"
        path.write_bytes(changed(self.folder.manifest(1507).read_bytes(), chance))
        read_manifest(path)

    def headers(self, chance: random.Random) -> None:
        """The text of a file in sql/."""
        path, text = chance.choice(sorted(sql_files(sql_root())))
        parse_view(path, changed(text.encode(), chance).decode("utf-8", "replace"))

    def bundles(self, chance: random.Random) -> None:
        """A file that is called a bundle."""
        path = self.desk / "sent.duckdb"
        if not (sound := self.desk / "sound.duckdb").exists():
            command("bundle", sound, "--root", self.root)
        content = sound.read_bytes()
        at = chance.randrange(len(content) - 5000)
        path.write_bytes(content[:at] + changed(content[at : at + 5000], chance) + content[at + 5000 :])
        command("query", path, "SELECT count(*) FROM cells")


FAMILIES = {
    "archive": Place.archived,
    "local": Place.local,
    "ids": Place.ids,
    "arguments": Place.arguments,
    "statements": Place.statements,
    "manifests": Place.manifests,
    "headers": Place.headers,
    "bundles": Place.bundles,
}


def campaign(place: Place, family: str, tries: int, seed: int) -> list[str]:
    """Try so often; the faults."""
    faults, ended = [], Counter[str]()
    outside = _outside(place)
    for number in range(tries):
        begin = time.monotonic()
        try:
            FAMILIES[family](place, random.Random(f"{seed} {family} {number}"))
            ended["read, or left with a code"] += 1
        except WarehouseError:
            ended["refused"] += 1
        except (Exception, AssertionError) as error:
            faults.append(f"{family} {number}: {type(error).__name__} {str(error)[:300]}")
        if (took := time.monotonic() - begin) > _PATIENCE_S:
            faults.append(f"{family} {number}: took {took:.0f} s")
    if _outside(place) != outside:
        faults.append(f"{family}: files outside were made or changed")
    print(*faults[:10], sep="\n")
    told = ", ".join(f"{n:,} {what}" for what, n in ended.items())
    print(f"{family}: {tries:,} tries; {told}; faults {len(faults)}")
    return faults


def _outside(place: Place) -> set[tuple[str, int]]:
    """What lies beside the folders in which something may happen."""
    return {(path.name, path.stat().st_size) for path in Path.cwd().iterdir()} | {
        (str(path), path.stat().st_size) for path in place.archive.rglob("*") if path.is_file()
    }


@contextlib.contextmanager
def work() -> Iterator[Place]:
    """A place of its own, and an empty folder to be in."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        (empty := Path(folder) / "empty").mkdir()
        before = Path.cwd()
        os.chdir(empty)
        try:
            yield Place(Path(folder))
        finally:
            os.chdir(before)


def main(words: Sequence[str] | None = None) -> int:
    """Run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", choices=[*FAMILIES, "all"])
    parser.add_argument("--tries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    faults: list[Any] = []
    with work() as place:
        for family in FAMILIES if given.family == "all" else [given.family]:
            faults += campaign(place, family, given.tries, given.seed)
    print(f"{given.tries:,} tries of each: faults {len(faults)}; seed {given.seed}; DuckDB {duckdb.__version__}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
