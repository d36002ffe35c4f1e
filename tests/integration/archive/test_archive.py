"""What comes out of the archive is what CAVE would give, and nothing is fetched that is not needed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ingest.job.order import Order
from ingest.job.scope import proofread_roots
from ingest.job.snapshot import Snapshot
from ingest.parts.source import SOURCE_NAMES
from warehouse.catalog.build import build
from warehouse.demo import faults
from warehouse.demo.bucket import PLACE
from warehouse.demo.synthetic import Volume
from warehouse.demo.synthetic.exports import CELL_INFO, FILTERED_SYNAPSES, PROOFREAD_SYNAPSES, write_raw
from warehouse.errors import SourceRefused, UsageError
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

PROOFREADING = "proofreading_status_and_strategy"


def expected(volume: Volume, name: str, version: int = 1507) -> pa.Table:
    """What CAVE's rows are in a snapshot."""
    table = TABLES[name]
    return logical_rows(table, volume.view(version, name) if table.kind == "view" else volume.table(version, name))


def assert_same(found: pa.Table, wanted: pa.Table, name: str, lacking: set[str] | None = None) -> None:
    """The same rows in all columns but those that the archive is known to lack."""
    left_out = {"created", "superceded_id", "valid"} | (lacking or set())
    assert set(wanted.column_names) - set(found.column_names) <= left_out, name
    order = [(column, "ascending") for column in TABLES[name].sort_by]
    both = found.column_names
    assert found.sort_by(order).cast(wanted.select(both).schema).equals(wanted.select(both).sort_by(order)), name


def test_the_instructors_evening(library: Any, volume: Volume, files: Path) -> None:
    manifest = library.take(synapses="proofread")
    assert not {name for name in library.asked() if FILTERED_SYNAPSES in name}
    boxes = {f"{corner}_position_{axis}" for corner in ("bb_start", "bb_end") for axis in "xyz"}
    for name in set(manifest.tables) - {SYNAPSE}:
        assert_same(library.rows(name), expected(volume, name), name, boxes if name == NUCLEUS else None)
    wanted = set(volume.table_names(1507)) - {"synapse_target_structure", "synapse_target_predictions_ssa"}
    assert set(manifest.tables) == {*wanted, CELL_INFO}
    roots = pa.array(
        proofread_roots(lambda name, _=None: expected(volume, name) if name == PROOFREADING else None)
    )
    every = expected(volume, SYNAPSE)
    every = every.filter(pc.is_in(every["pre_pt_root_id"], roots)).filter(pc.field("post_pt_root_id") != 1)
    sides = {f"{side}_pt_position_{axis}" for side in ("pre", "post") for axis in "xyz"}
    assert every.num_rows > 50
    assert_same(library.rows(SYNAPSE), every, SYNAPSE, sides)
    entry = manifest.tables[SYNAPSE]
    file = files / PLACE / "v1507" / f"{PROOFREAD_SYNAPSES}.csv.gz"
    assert (entry.source, entry.scope, entry.url) == ("archive", "proofread", f"{library.url}/v1507/{file.name}")
    assert entry.source_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (entry.source_bytes, entry.source_rows) == (file.stat().st_size, entry.rows)
    assert entry.citations == list(TABLES[SYNAPSE].citation)
    assert "about all synapses" in manifest.absent["synapse_target_structure"]
    assert not list(library.folder.path.glob(".fetch-*/*"))


@pytest.mark.slow
def test_the_views_answer_from_the_archive(library: Any) -> None:
    library.take(synapses="proofread")
    build(library.folder)
    with connect(root=library.folder.path.parent) as warehouse:
        counts = warehouse.sql("SELECT count(*), sum(n_syn) FROM connections_proofread").fetchall()
        assert counts[0][0] > 0
        assert warehouse.sql("SELECT DISTINCT pre_pt_position_x FROM synapses_pni_2").fetchall() == [(None,)]
        assert warehouse.sql(
            f"SELECT source, source_sha256 IS NOT NULL FROM provenance WHERE table_name = '{SYNAPSE}'"
        ).fetchall() == [("archive", True)]


def test_all_synapses_and_what_is_about_them(library: Any, volume: Volume) -> None:
    manifest = library.take(SYNAPSE, "synapse_target_predictions_ssa", synapses="all")
    every = expected(volume, SYNAPSE)
    segmented = pc.and_(pc.not_equal(every["pre_pt_root_id"], 1), pc.not_equal(every["post_pt_root_id"], 1))
    assert_same(library.rows(SYNAPSE), every.filter(segmented), SYNAPSE)
    assert every.num_rows > manifest.tables[SYNAPSE].rows > 0.9 * every.num_rows
    tags = "synapse_target_predictions_ssa"
    assert_same(library.rows(tags), expected(volume, tags), tags)


def test_neurons_keep_what_is_between_cells(library: Any, volume: Volume) -> None:
    library.take(SYNAPSE, synapses="neurons")
    nuclei = expected(volume, NUCLEUS)["pt_root_id"].to_pylist()
    better = expected(volume, "nucleus_alternative_points")["pt_root_id"].to_pylist()
    cells = pa.array(sorted({*nuclei, *better} - {0, 1}), pa.int64())
    every = expected(volume, SYNAPSE)
    for side in ("pre", "post"):
        every = every.filter(pc.is_in(every[f"{side}_pt_root_id"], cells))
    assert_same(library.rows(SYNAPSE), every, SYNAPSE)


def test_a_version_without_the_small_file_says_what_the_choices_cost(library: Any) -> None:
    with pytest.raises(SourceRefused, match=r"no file of the synapses of proofread axons.* GB: --synapses all"):
        library.take(SYNAPSE, version=1718)
    assert [name for name in library.asked() if name.endswith(".gz")] == []


def test_a_version_that_is_not_archived(library: Any) -> None:
    with pytest.raises(SourceRefused, match=r"no table of version 1822 .* 1412, 1484, 1507"):
        library.take(version=1822)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("cell_type_multifeature_combo", SourceRefused, "is not in the archive of version 1507"),
        ("no_such_table", UsageError, "neither a table that this release knows"),
        (PROOFREAD_SYNAPSES, UsageError, f"microns snapshot 1507 {SYNAPSE}"),
    ],
)
def test_a_name_that_is_not_there(library: Any, name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        library.take(name)


def test_a_table_as_it_lies_in_the_database(library: Any, volume: Volume, files: Path) -> None:
    """Unmerged: all columns, rows that are not valid, timestamps, and points in binary."""
    merged = files / PLACE / "v1507" / f"{PROOFREADING}_merged_header.csv"
    hidden = merged.with_suffix(".hidden")
    merged.rename(hidden)
    try:
        write_raw(volume, 1507, PROOFREADING, files / PLACE)
        library.take(PROOFREADING)
    finally:
        hidden.rename(merged)
        for path in merged.parent.glob(f"{PROOFREADING}[._]*"):
            if "_merged" not in path.name:
                path.unlink()
    found = library.rows(PROOFREADING)
    assert found.column_names == TABLES[PROOFREADING].arrow_schema.names
    wanted = expected(volume, PROOFREADING)
    assert found.cast(wanted.schema).equals(wanted)
    assert volume.table(1507, PROOFREADING).num_rows > wanted.num_rows


def test_a_rerun_asks_nobody(library: Any) -> None:
    library.take(NUCLEUS)
    before = len(library.bucket.requests)
    library.take(NUCLEUS)
    assert len(library.bucket.requests) == before


def test_what_the_archive_lacks_is_asked_for_where_it_may_be(library: Any) -> None:
    """By name, or at another place that is named; a rerun asks nobody."""
    late = "functional_properties_v3_bcm"
    library.bucket.faults.add(late, faults.instead(404, "not yet"), times=None)
    before = library.take(synapses="proofread").absent
    assert "not in the archive" in before[late]
    library.take("aibs_cell_info")
    assert library.manifest().absent == before
    jobs = {source: Snapshot(library.folder, Order(1507, source=source)) for source in (None, *SOURCE_NAMES)}
    assert {source for source, job in jobs.items() if not job.is_finished} == {"cave"}
    library.bucket.faults.clear()
    assert late in library.take(late).tables
    assert library.manifest().absent.keys() == before.keys() - {late}
