"""The same synapses out of Delta tables, over loopback as Google's store serves them, and out of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ingest.delta import table as delta_table
from ingest.delta.source import DeltaSource
from ingest.files.remote import FolderFiles, HttpFiles
from ingest.files.retry import RetryPolicy
from warehouse.demo import faults
from warehouse.demo.bucket import LAKE_PLACE, serve_bucket
from warehouse.demo.lake import write_lake
from warehouse.demo.synthetic import Volume
from warehouse.errors import SourceRefused, SourceUnavailable
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

pytest.importorskip("deltalake")
ORDER = [(name, "ascending") for name in TABLES[SYNAPSE].sort_by]


@pytest.fixture(scope="module")
def lake(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    write_lake(volume, 1507, folder / LAKE_PLACE)
    return folder


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of these tests are kept in several pieces, as larger ones are."""
    monkeypatch.setattr(delta_table, "_ROWS_AT_ONCE", 700)
    monkeypatch.setattr(delta_table, "_ROWS_PER_PIECE", 2_000)


@pytest.fixture
def served(lake: Path) -> Iterator[Any]:
    with serve_bucket(lake) as bucket:
        yield bucket


def origin(url: str) -> DeltaSource:
    return DeltaSource("minnie65_public", HttpFiles(f"{url}/{LAKE_PLACE}", RetryPolicy(attempts=4, read=30.0)))


def wanted(volume: Volume) -> pa.Table:
    """CAVE's rows, without those that have no segment: the exporter leaves them out."""
    rows = logical_rows(TABLES[SYNAPSE], volume.table(1507, SYNAPSE))
    return rows.filter(pc.and_(pc.not_equal(rows["pre_pt_root_id"], 1), pc.not_equal(rows["post_pt_root_id"], 1)))


def assert_same(found: pa.Table, volume: Volume) -> None:
    assert found.sort_by(ORDER).cast(TABLES[SYNAPSE].arrow_schema).equals(wanted(volume).sort_by(ORDER))


def test_rows_are_those_of_cave(library: Any, served: Any, volume: Volume) -> None:
    served.faults.add(r"\.parquet", faults.reset(0.5), skip=1)
    manifest = library.take(SYNAPSE, synapses="all", origin=origin(served.url))
    assert_same(library.rows(SYNAPSE), volume)
    assert served.faults.hits == 1
    entry = manifest.tables[SYNAPSE]
    assert (entry.source, entry.url) == ("delta", f"gs://{LAKE_PLACE}/v1507/{SYNAPSE}/id")
    assert entry.source_rows > entry.rows  # the exporter keeps rows that are not valid
    assert "deltalake" in manifest.tools


def test_a_folder_does_as_well_and_the_scope_needs_what_is_here(
    library: Any, lake: Path, served: Any, volume: Volume
) -> None:
    local = DeltaSource("minnie65_public", FolderFiles(lake / LAKE_PLACE))
    with pytest.raises(SourceRefused, match=r"microns snapshot 1507 proofreading_.* --source archive"):
        library.take(SYNAPSE, origin=local)
    library.take("proofreading_status_and_strategy")
    library.take(SYNAPSE, origin=local)
    outputs = library.rows(SYNAPSE)
    assert 0 < outputs.num_rows < wanted(volume).num_rows / 2
    library.take(SYNAPSE, synapses="all", origin=local)
    assert_same(library.rows(SYNAPSE), volume)
    assert list(lake.rglob("*.parquet"))


def test_a_job_that_gave_up_fetches_only_the_rest(library: Any, served: Any, volume: Volume) -> None:
    served.faults.add(r"id_partition(=|%3D)2", faults.unavailable(), times=None)
    with pytest.raises(SourceUnavailable):
        library.take(SYNAPSE, synapses="all", origin=origin(served.url))
    served.faults.clear()
    before = len(served.requests)
    library.take(SYNAPSE, synapses="all", origin=origin(served.url))
    again = {entry.path for entry in served.requests[before:] if entry.path.endswith(".parquet")}
    assert len(again) == 1
    assert_same(library.rows(SYNAPSE), volume)


def test_what_is_not_there(library: Any, served: Any) -> None:
    with pytest.raises(SourceRefused, match="no Delta table of synapses_pni_2 in version 1718"):
        library.take(SYNAPSE, version=1718, synapses="all", origin=origin(served.url))
