"""Every view against the oracle on rows that were not made for it: a real server's, and a synthetic volume's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import warehouse
from tests.oracle.conftest import unknown_to_cave
from tests.oracle.tables import NUCLEI, SYNAPSES, Version
from tests.oracle.test_oracle import OF_VIEWS, PUBLIC, VIEWS, compare
from warehouse.catalog.build import build
from warehouse.catalog.refusal import refusal
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.query.session import Warehouse, connect
from warehouse.registry.tables import TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

pytestmark = pytest.mark.slow

OF_ONE_VERSION = [name for name in VIEWS if not PUBLIC[name].spans_versions]
Frames = Mapping[str, pl.DataFrame]


def compared(session: Warehouse, frames: Frames) -> set[str]:
    """Compare all views that can answer; returns those that have rows."""
    version = Version(session.version, frames, unknown_to_cave(session.version))
    with_rows = set()
    for name in OF_ONE_VERSION:
        if refusal(session.manifest, PUBLIC[name]) is None:
            theirs = OF_VIEWS[name](version)
            compare(session.sql(f"FROM {name}").pl(), theirs, name)
            with_rows |= {name} if theirs.height else set()
    return with_rows


@pytest.mark.parametrize("number", [943, 1300])
def test_recorded_tables(shared_dir: Path, recorded_folder: Folder, number: int) -> None:
    folder = shared_dir / "cave-recordings" / "tables" / f"v{number}"
    frames = {path.stem: pl.DataFrame(pl.from_arrow(pq.read_table(path))) for path in folder.glob("*.parquet")}
    with connect(number, recorded_folder.path.parent) as session:
        empty = {name: session.sql(f"FROM v{number}_cave.{name} LIMIT 0").pl() for name in frames}
        found = compared(session, {name: valid(rows, empty[name]) for name, rows in frames.items()})
    assert {"cells", "cell_type_connectivity", "reciprocal_pairs", "functional_pairs", "ei_balance"} <= found


def valid(rows: pl.DataFrame, empty: pl.DataFrame) -> pl.DataFrame:
    """What counts of CAVE's rows, as wide as it is stored; a root that was never looked up is 1."""
    kept = [pl.col(name).cast(kind) for name, kind in empty.schema.items() if name in rows.columns]
    return rows.filter("valid").select(kept).with_columns(pl.col("^.*pt_root_id$").fill_null(1))


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(cells=200, seed=5)


def frames_of(volume: Volume) -> dict[str, pl.DataFrame]:
    """The rows of the volume's first version, which CAVE would serve."""
    version = volume.versions[0].version
    names = [name for name in volume.table_names(version) if TABLES[name].kind == "table"]
    rows = {name: logical_rows(TABLES[name], volume.table(version, name)) for name in names}
    return {name: pl.DataFrame(pl.from_arrow(each)) for name, each in rows.items()}


@pytest.fixture(scope="module")
def demo() -> Iterator[Warehouse]:
    with warehouse.demo(cells=200, seed=5) as opened:
        yield opened


def test_synthetic_volume(demo: Warehouse) -> None:
    here = [name for name in TABLES if name in demo.manifest.tables and TABLES[name].kind in ("table", "skeleton")]
    schema = f"v{demo.version}_cave"
    found = compared(demo, {name: demo.sql(f"FROM {schema}.{name}").pl() for name in here})
    assert set(OF_ONE_VERSION) - found <= {"afferents"}, "a small volume has none"


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31), n_parts=st.integers(1, 5))
def test_order_of_rows_parts_and_root_ids_do_not_matter(
    volume: Volume, tmp_path_factory: pytest.TempPathFactory, seed: int, n_parts: int
) -> None:
    """The same cells with other root ids, rows in another order, synapses in several files: the same answers."""
    folder = Folder.of(tmp_path_factory.mktemp("shuffled"))
    version, frames = volume.versions[0], frames_of(volume)
    renamed = shuffled_roots(frames, seed)
    assembled, entries = folder.staging(version.version), {}
    for name, frame in frames.items():
        keys = [each for each in frame.columns if each.endswith("_root_id") or each == "valid_id"]
        frames[name] = frame.with_columns(pl.col(keys).replace(renamed))
        schema = TABLES[name].arrow_schema
        rows = (
            frames[name].sample(fraction=1, shuffle=True, seed=seed).to_arrow().select(schema.names).cast(schema)
        )
        if name == SYNAPSES:
            parts = tmp_path_factory.mktemp("parts")
            for number in range(n_parts):
                pl.DataFrame(pl.from_arrow(rows))[number::n_parts].write_parquet(parts / f"{number}.parquet")
            entries[name] = cluster_synapses(assembled, TABLES[name], sorted(parts.glob("*")), source="synthetic")
        else:
            entries[name] = write_table(assembled, TABLES[name], rows, source="synthetic")
    stamp = version.time_stamp.isoformat()
    publish(folder, assembled, Manifest(folder.datastack, version.version, stamp, entries))
    build(folder)
    with connect(root=folder.path.parent) as session:
        assert {NUCLEI, SYNAPSES} <= set(session.manifest.tables)
        assert {"cells", "connections", "functional_pairs"} <= compared(session, frames)


def shuffled_roots(frames: Frames, seed: int) -> dict[int, int]:
    """Every root under the name of another one."""
    columns = [
        frame[name].cast(pl.Int64).rename("root")
        for frame in frames.values()
        for name in frame.columns
        if name.endswith("_root_id")
    ]
    before = pl.concat(columns).drop_nulls().unique().sort()
    before = before.filter(before > 1)
    return dict(zip(before, before.sample(fraction=1, shuffle=True, seed=seed), strict=True))
