"""A second version beside the first, stored as what differs: bytes, time, memory, checksum, and queries.

python -m tests.benchmarks.second BASE DIR [--full] [--memory 3GB] [--rounds N]

BASE is a warehouse that volume.py or build.py made, of any number of synapses; it is linked into DIR, not changed.
The second version's synapses go from the generator straight into the comparison, with no parts in between. With
--full the second version is stored in full as well, in DIR/full: more disk, and the generator runs twice more.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

import warehouse
from tests.benchmarks.measure import load_average, machine, markdown, milliseconds, times
from tests.benchmarks.volume import publish_version, timed
from warehouse.catalog.build import build
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.demo.synthetic.volume import cells_for
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.checksum import Sums, checksum_sql, sums_of, text_of
from warehouse.storage.clustering import Stream, cluster_synapses
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import TableEntry, read_manifest
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder
from warehouse.versions.store_difference import BaseVersion, store_difference

FIRST, SECOND = 1507, 1718
CELLS = 3
"""Of each kind, with some three thousand inputs; their times are put together."""
LOOK_UPS = {
    "input_synapses": "FROM input_synapses({root})",
    "filter of synapses": "FROM synapses WHERE post_pt_root_id = {root}",
    "output_synapses": "FROM output_synapses({root})",
}
QUERIES = {
    "connections_proofread": "SELECT count(*), sum(n_syn) FROM connections_proofread",
    "cell_type_connectivity": "FROM cell_type_connectivity",
    "sum over all rows": "SELECT sum(size), max(pre_pt_root_id), max(post_pt_root_id) FROM synapses",
}
_CHANGED = f"""
    SELECT a.pt_root_id, b.pt_root_id
    FROM v{SECOND}.in_out_degree AS d
    JOIN id_map AS b ON b.version = {SECOND} AND b.pt_root_id = d.pt_root_id
    JOIN id_map AS a ON a.version = {FIRST} AND a.nucleus_id = b.nucleus_id
    WHERE d.n_nuclei_on_root = 1 AND (a.pt_root_id = b.pt_root_id) = $kept
    ORDER BY abs(d.n_input_syn - 3000), d.pt_root_id
    LIMIT {CELLS}
"""


def beside(base: Path, root: Path) -> Folder:
    """A folder with the first version's files, linked; what an earlier run left there is used again."""
    folder, first = Folder.of(root), Folder.of(base).version(FIRST)
    for path in first.rglob("*"):
        target = folder.version(FIRST) / path.relative_to(first)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    return folder


def generated(volume: Volume, sums: list[Sums]) -> Iterator[pa.Table]:
    """The synapses of the second version; what their checksum is made of goes to `sums`."""
    sums.clear()
    for batch in volume.stream(SECOND):
        rows = logical_rows(TABLES[SYNAPSE], pa.Table.from_batches([batch]))
        sums.append(sums_of(rows))
        yield rows


def add_second(volume: Volume, folder: Folder, rows: int, memory: int, *, full: bool) -> None:
    """Publish the second version in a folder that has the first, and say what it takes."""
    table, draft = TABLES[SYNAPSE], folder.staging(SECOND) / "assembled"
    sums: list[Sums] = []
    stream = Stream(rows, lambda: generated(volume, sums))
    how = {"memory": memory, "source": "synthetic"}
    if full:
        entry = timed("full copy", cluster_synapses, draft, table, stream, **how)
    else:
        base = BaseVersion.of(folder, FIRST)
        entry = timed("difference", store_difference, draft, SECOND, table, stream, base, **how)
    publish_version(volume, SECOND, folder, {SYNAPSE: entry}, draft)
    timed("build", build, folder, memory=memory)
    with warehouse.connect(SECOND, folder.path.parent) as wh:
        (read,) = wh.sql(f"SELECT {checksum_sql()} FROM {SYNAPSE}").fetchall()
    assert read[0] == text_of(sums), "readers see other rows than were generated"
    print(f"checksum of {entry.rows:,} rows, generated and read: {read[0]}")
    say_bytes(folder, entry)


def say_bytes(folder: Folder, entry: TableEntry) -> None:
    """What each version takes on the disk."""
    both = {version: read_manifest(folder.manifest(version)) for version in (FIRST, SECOND)}
    whole = {version: sum(file.bytes for file in manifest.files) for version, manifest in both.items()}
    own = {version: sum(f.bytes for f in manifest.tables[SYNAPSE].own_files) for version, manifest in both.items()}
    print(f"synapses {own[SECOND]:,} bytes beside {own[FIRST]:,}; all {whole[SECOND]:,} beside {whole[FIRST]:,}")
    if base := entry.base:
        retired, by_id = (sum(file.rows for file in files) for files in (base.retired, base.dead))
        print(f"{base.changed:,} rows changed ({base.changed / entry.rows:.1%}), {base.added:,} added, "
              f"{base.removed:,} removed; {retired:,} roots retired, {by_id:,} rows listed by id")  # fmt: skip


def ask(folders: dict[str, Folder], rounds: int) -> None:
    """Ask the first version, the second, and the second in full in turns; print medians with one thread."""
    taken: dict[str, dict[str, dict[str, list[float]]]] = {kind: {} for kind in ("processor", "wall")}
    with ExitStack() as opened:
        engines = {
            name: opened.enter_context(
                warehouse.connect(FIRST if name == "base" else SECOND, folder.path.parent, threads=1)
            )
            for name, folder in folders.items()
        }
        questions = {name: list(questions_to(engines["second"], name == "base")) for name in engines}
        for turn in range(rounds + 1):  # the first one to warm up
            for name, engine in engines.items():
                for what, query in questions[name]:
                    begin = time.process_time(), time.perf_counter()
                    engine.sql(query).to_arrow_table()
                    spent = time.process_time() - begin[0], time.perf_counter() - begin[1]
                    for kind, seconds in zip(taken, spent, strict=True):
                        if turn:
                            taken[kind].setdefault(what, defaultdict(list))[name].append(seconds)
    print(f"\nload {load_average():.1f}; {machine()}")
    for kind, measured in taken.items():
        others = [name for name in folders if name != "second"]
        header = [f"{kind} time, ms", *folders, *(f"second / {name}" for name in others)]
        rows = [
            [
                what,
                *(milliseconds(each[name]) for name in folders),
                *(times(each["second"], each[name]) for name in others),
            ]
            for what, each in measured.items()
        ]
        print(f"\n{markdown(header, rows)}")


def questions_to(second: warehouse.Warehouse, first: bool) -> Iterator[tuple[str, str]]:
    """What is asked, and the query; about the same cells, whose roots are those of the version."""
    for kind in ("edited", "unedited"):
        for roots in second.sql(_CHANGED, kept=kind == "unedited").fetchall():
            for what, query in LOOK_UPS.items():
                yield f"{what}, {kind} cell", query.format(root=roots[0 if first else 1])
    yield from QUERIES.items()


def main() -> None:
    """Make the second version where it is not there yet, and ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--memory", default="3GB")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    rows = read_manifest(Folder.of(chosen.base).manifest(FIRST)).tables[SYNAPSE].rows
    folders = {name: beside(chosen.base, chosen.directory / name) for name in ("second", *["full"] * chosen.full)}
    missing = {name: folder for name, folder in folders.items() if SECOND not in folder.versions()}
    volume = timed("cells", synthesize, cells_for(rows), 0, rows) if missing else None
    for name, folder in missing.items():
        assert volume is not None
        add_second(volume, folder, rows, byte_count(chosen.memory), full=name == "full")
    ask({"base": folders["second"], **folders}, chosen.rounds)


if __name__ == "__main__":
    main()
