"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from warehouse.catalog.build import build
from warehouse.catalog.refusal import refusal
from warehouse.catalog.views import load_views
from warehouse.demo.local import write_volume
from warehouse.demo.synthetic import synthesize
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

RECORDED = {943: "2024-01-22T08:10:01.497934", 1300: "2025-01-13T10:10:01.286229"}
"""The versions of which there are recorded tables, and the moments that they describe."""


@pytest.fixture(scope="session", autouse=True)
def state_of_tests(of_all_workers: Path) -> Iterator[None]:
    """What builds note is not noted in the tester's own folders; all workers and their processes share it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(of_all_workers / "state"))
        yield


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with recordings and real files beside the checkout, or where MICRONS_SHARED points."""
    default = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("MICRONS_SHARED", default))
    if not folder.is_dir():
        pytest.skip("set MICRONS_SHARED to the folder with the recordings")
    return folder


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the tests, the same for all workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder that one worker fills for all."""
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            make(folder)
    return folder


@pytest.fixture(scope="session")
def synthetic(of_all_workers: Path) -> Folder:
    """Two versions of a synthetic volume, only to be read or copied: written and built once for all workers."""
    root = once(of_all_workers / "synthetic", lambda root: write_volume(synthesize(cells=200), str(root)))
    return Folder.of(root)


@pytest.fixture(scope="session")
def demo(of_all_workers: Path) -> Path:
    """What `microns demo` makes, only to be read: made once for all workers, as a reader does it."""
    code = "import sys; from importlib.metadata import entry_points as e; "
    code += "(s,) = e(group='console_scripts', name='microns'); sys.argv[0] = 'microns'; s.load()()"
    return once(
        of_all_workers / "demo-data",
        lambda root: subprocess.run([sys.executable, "-c", code, "demo", root], capture_output=True, check=True),
    )


def copied(folder: Folder, root: Path) -> Folder:
    """A copy of a datastack's folder, which takes a fiftieth of the time of building it."""
    copy = Folder.of(root, folder.datastack)
    shutil.copytree(folder.path, copy.path)
    # It names the folder.
    copy.init_sql.write_text(copy.init_sql.read_text("utf-8").replace(str(folder.path), str(copy.path)), "utf-8")
    return copy


@pytest.fixture(scope="session")
def recorded_folder(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The recorded tables of two versions, snapshotted and built."""
    folder = Folder.of(tmp_path_factory.mktemp("recorded"))
    for version, time_stamp in RECORDED.items():
        assembled = folder.staging(version)
        entries = {}
        for path in sorted((shared_dir / f"cave-recordings/tables/v{version}").glob("*.parquet")):
            table = TABLES[path.stem]
            rows = pq.read_table(path)
            for field in table.arrow_schema:
                if field.name not in rows.column_names:
                    rows = rows.append_column(field, pa.nulls(len(rows), field.type))
            rows = logical_rows(table, rows)
            if path.stem == SYNAPSE:
                entries[path.stem] = cluster_synapses(assembled, table, rows, source="cave")
            else:
                entries[path.stem] = write_table(assembled, table, rows, source="cave")
        publish(folder, assembled, Manifest(folder.datastack, version, time_stamp, entries))
    build(folder, default=1300)
    return folder


class SmallWarehouse:
    """A warehouse out of a few written rows: what a test leaves out is filled in from the registry."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder.of(root)
        self.voxels: Mapping[str, list[float]] = {}
        """Sizes of voxels that the sources of tables gave; of others none is recorded."""
        self._open: list[Warehouse] = []
        self._asked: dict[tuple[int | None, int, int], Warehouse] = {}

    def given(self, version: int = 1718, /, *, scope: str = "all", **tables: str | pa.Table) -> None:
        """Publish a version with these tables, each whole or written as `a | b` lines under a header."""
        assembled = self.folder.staging(version)
        entries = {}
        for name, text in tables.items():
            write: Callable[..., TableEntry] = cluster_synapses if name == SYNAPSE else write_table
            meta: dict[str, Any] = {"source": "synthetic", "scope": scope if name == SYNAPSE else "all"}
            meta["voxel_resolution"] = self.voxels.get(name, [])
            entries[name] = write(
                assembled, TABLES[name], text if isinstance(text, pa.Table) else filled(TABLES[name], text), **meta
            )
        assembled.mkdir(parents=True, exist_ok=True)
        publish(
            self.folder,
            assembled,
            Manifest(self.folder.datastack, version, f"2026-01-01T00:00:0{version % 9}", entries),
        )

    def file(self, version: int, table: str) -> Path:
        """The first file of a table."""
        return (
            self.folder.version(version) / read_manifest(self.folder.manifest(version)).tables[table].files[0].path
        )

    def connect(self, version: int | None = None, **options: Any) -> Warehouse:
        """Build if need be, and open."""
        if not self.folder.database.exists():
            build(self.folder)
        self._open.append(connect(version, self.folder.path.parent, **options))
        return self._open[-1]

    def ask(self, query: str, version: int | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query, in one session for each version and state of the database."""
        if not self.folder.database.exists():
            build(self.folder)
        state = self.folder.database.stat()
        key = (version, state.st_ino, state.st_mtime_ns)
        if key not in self._asked:
            self._asked[key] = self.connect(version)
        rows: list[tuple[Any, ...]] = self._asked[key].sql(query).fetchall()
        return rows

    def expect(self, source: str, text: str, version: int | None = None) -> None:
        """The named columns of a view hold exactly these rows, in any order."""
        header, *rows = cells_of(text)
        columns = ", ".join(f'"{name}"::VARCHAR' for name in header)
        found = self.ask(f"SELECT {columns} FROM {source}", version)
        assert sorted(map(str, found)) == sorted(str(tuple(row)) for row in rows)

    def copy_of(self, other: SmallWarehouse) -> SmallWarehouse:
        """Become a copy of another warehouse, which takes a fiftieth of the time of building it."""
        shutil.copytree(other.folder.path, self.folder.path)
        return self

    def close(self) -> None:
        """Close every session."""
        for warehouse in self._open:
            warehouse.close()
        self._asked.clear()


@pytest.fixture(scope="session")
def _cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SmallWarehouse]]:
    cases: dict[str, SmallWarehouse] = {}
    yield cases
    for warehouse in cases.values():
        warehouse.close()


@pytest.fixture
def case(
    request: pytest.FixtureRequest, _cases: dict[str, SmallWarehouse], tmp_path_factory: pytest.TempPathFactory
) -> SmallWarehouse:
    """The warehouse of a test's mark, `@pytest.mark.given(TABLE=rows)`, only to be read: one build for it."""
    mark = request.node.get_closest_marker("given")
    assert mark is not None, "a test of `case` says what is given"
    given = repr((mark.args, mark.kwargs))
    if given not in _cases:
        _cases[given] = SmallWarehouse(tmp_path_factory.mktemp("case") / "root")
        _cases[given].given(*mark.args, **mark.kwargs)
    return _cases[given]


@pytest.fixture(scope="module")
def small_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """A warehouse that the tests of a module share: filled and built once, then only read or copied."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("small") / "root")
    yield warehouse
    warehouse.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallWarehouse]:
    """An empty warehouse, to be filled with `small.given`."""
    warehouse = SmallWarehouse(tmp_path / "root")
    yield warehouse
    warehouse.close()


def assert_views_answer_or_refuse(warehouse: Warehouse, sentence: str) -> set[str]:
    """Every view of a version either answers or says why it cannot; returns the names of those that answer."""
    able = set()
    for view in load_views(MINNIE65).values():
        if view.is_macro or view.spans_versions or view.hidden:
            continue
        if refusal(warehouse.manifest, view) is None:
            warehouse.sql(f"FROM {view.name}").fetchall()
            able.add(view.name)
        else:
            with pytest.raises(duckdb.Error, match=sentence):
                warehouse.sql(f"FROM {view.name}").fetchall()
    return able


def cells_of(text: str) -> list[list[str | None]]:
    """Lines of cells separated by bars; an empty cell is None."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return [[cell.strip() or None for cell in line.split("|")] for line in lines]


def filled(table: Table, text: str) -> pa.Table:
    """Rows of a table with the columns of `text`; the others get something harmless."""
    header, *rows = cells_of(text)
    given = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    assert set(given) <= set(table.arrow_schema.names), f"{table.name} has no column {set(given)}"
    columns = []
    for field in table.arrow_schema:
        column = table.column_of(field.name)
        if field.name in given:
            values = pa.array(given[field.name], pa.string())
        elif column.nullable:
            values = pa.nulls(len(rows), pa.string())
        elif field.name == "id":
            values = pa.array([str(number + 1) for number in range(len(rows))])
        else:
            default = {"bool": "true", "category": (*column.values, "word")[0], "text": "word"}.get(
                column.kind, "0"
            )
            values = pa.array([default] * len(rows), pa.string())
        columns.append(values.cast(field.type))
    return pa.table(columns, schema=table.arrow_schema)
