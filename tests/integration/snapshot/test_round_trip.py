"""Synthetic volume -> service -> caveclient -> Parquet gives the volume back, row for row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.cave.table import Sizes
from ingest.parts.plan import Part
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume, synthesize
from warehouse.errors import SnapshotNotFound, UsageError, WarehouseError
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.serve import ServedView, columns_of
from warehouse.versions.promote_and_drop import drop

Expected = Callable[..., pa.Table]
VIEWS = ("nucleus_detection_lookup_v1", "aibs_cell_info", "single_neurons", "soma_counts")


def assert_same(name: str, found: pa.Table, wanted: pa.Table) -> None:
    order = [(column, "ascending") for column in TABLES[name].sort_by]
    assert found.schema == wanted.schema
    assert found.sort_by(order).combine_chunks() == wanted.sort_by(order).combine_chunks(), name


def test_every_table_of_both_versions_comes_back_row_for_row(
    bench: Any, volume: Volume, expected: Expected
) -> None:
    """The second version's synapses are stored as what differs from the first one's."""
    for version, base in ((1507, None), (1718, 1507)):
        manifest = bench.take(version=version, synapses="all", base=base)
        assert manifest.bases == ({base} if base else set())
        assert set(manifest.tables) == set(volume.table_names(version))
        for name in volume.table_names(version):
            assert_same(name, bench.rows(name, version), expected(volume, name, version))
    assert any(body and body.get("filter_less_dict") for body in bench.queries(SYNAPSE))
    assert not any("offset" in (body or {}) for body in bench.queries())


def test_what_is_about_synapses_is_fetched_for_those_that_differ_too(
    bench: Any, volume: Volume, expected: Expected
) -> None:
    """Without a word on the scope it is that of the base; a later run reads the synapses through the base."""
    tables = ("proofreading_status_and_strategy", SYNAPSE)
    bench.take(*tables, version=1507, synapses="proofread")
    bench.take(*tables, base=1507)
    bench.take("synapse_target_predictions_ssa_v2", base=1507)
    synapses = set(bench.rows(SYNAPSE)["id"].to_pylist())
    tags = expected(volume, "synapse_target_predictions_ssa_v2")
    wanted = tags.filter(pc.is_in(tags["target_id"], value_set=pa.array(sorted(synapses))))
    assert_same("synapse_target_predictions_ssa_v2", bench.rows("synapse_target_predictions_ssa_v2"), wanted)
    assert wanted.num_rows > 0


def test_a_base_that_will_not_do_is_said_before_anything_is_fetched(bench: Any) -> None:
    with pytest.raises(SnapshotNotFound, match="version 1507 is not in"):
        bench.take(base=1507)
    with pytest.raises(UsageError, match="version 1507 cannot be its own base"):
        bench.take(version=1507, base=1507)
    bench.take("nucleus_detection_v0", version=1507)
    with pytest.raises(WarehouseError, match="version 1507 has no synapses here to compare with"):
        bench.take(base=1507)
    bench.take("proofreading_status_and_strategy", SYNAPSE, version=1507)
    asked = len(bench.service.requests)
    with pytest.raises(WarehouseError, match="holds synapses of scope proofread, not all"):
        bench.take(base=1507, synapses="all")
    assert bench.queries(SYNAPSE, asked) == []


def test_a_base_that_is_dropped_while_rows_come_loses_none_of_them(bench: Any, volume: Volume) -> None:
    tables = ("proofreading_status_and_strategy", SYNAPSE)
    bench.take(*tables, version=1507)

    def dropping() -> Any:
        drop(bench.folder, 1507)
        return bench.origin()

    with pytest.raises(SnapshotNotFound, match=r"version 1507 is not in .* \(there: no version\)"):
        bench.job(*tables, base=1507).run(dropping)
    asked = len(bench.service.requests)
    bench.take(*tables)
    assert len(bench.queries(SYNAPSE, asked)) == 1  # the count of all that is here
    assert bench.rows(SYNAPSE).num_rows > 0


def test_views_come_back_row_for_row_when_they_are_named(bench: Any, volume: Volume, expected: Expected) -> None:
    bench.take(*VIEWS)
    for name in VIEWS:
        assert_same(name, bench.rows(name), expected(volume, name))


def test_a_view_is_typed_by_its_schema_not_by_the_values_of_an_answer(
    volume: Volume, benched: Any, tmp_path: Path
) -> None:
    """A column without any value in an answer comes as text from the real server, whatever it is."""
    n = 1_500
    rows = pa.table(
        {
            "id": pa.array(range(1, n + 1), pa.int64()),
            "depth": pa.array([None] * (n - 1) + [0.1], pa.float64()),
            "flag": pa.array([None] * (n - 1) + [True]),
            "other_root_id": pa.array([None] * (n - 1) + [864691135000000001], pa.int64()),
            "word": pa.array([None] * (n - 1) + ["a"], pa.string()),
            "never": pa.array([None] * n, pa.bool_()),
        }
    )
    datastack = from_volume(volume, {1718})
    view = ServedView("my_view", columns_of(rows.schema), rows, "of a lab")
    (version,) = datastack.versions
    version = replace(version, views=(*version.views, view))
    with benched(replace(datastack, versions=(version,)), tmp_path) as bench:
        answer = bench.connect().rows(1718, "my_view", limit=1, view=True).rows
        assert [str(field.type) for field in answer.schema][1:] == ["string"] * 5
        entry = bench.take("my_view").tables["my_view"]
        path = bench.folder.version(1718) / entry.files[0].path
        kept = pq.read_table(path).sort_by("id")
        kinds = {name: str(kept.schema.field(name).type) for name in kept.column_names}
        assert kinds["depth"] in ("float", "double")
        assert (kinds["flag"], kinds["other_root_id"], kinds["word"]) == ("bool", "int64", "string")
        assert kinds["never"] == "bool"
        last = kept.slice(n - 1).to_pylist()[0]
        assert (last["flag"], last["other_root_id"], last["word"]) == (True, 864691135000000001, "a")
        assert kept["never"].null_count == n


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 3),
    row_cap=st.integers(120, 1_500),
    rows=st.integers(50, 2_000),
    single=st.sampled_from([0, 150, 10_000]),
    scope=st.sampled_from(["proofread", "neurons", "all"]),
    roots=st.integers(1, 12),
)
def test_no_cap_and_no_size_of_windows_changes_the_rows(
    benched: Any, expected: Expected, seed: int, row_cap: int, rows: int, single: int, scope: Any, roots: int
) -> None:
    volume = synthesize(200, seed, synapses=1_500)
    with (
        TemporaryDirectory() as root,
        benched(from_volume(volume, {1718}), Path(root), row_cap) as bench,
    ):
        bench.sizes = Sizes(rows=rows, single=single, roots=roots, ids=97)
        bench.take("nucleus_detection_v0", "synapse_target_structure", SYNAPSE, synapses=scope)
        assert_same(
            "nucleus_detection_v0", bench.rows("nucleus_detection_v0"), expected(volume, "nucleus_detection_v0")
        )
        synapses = in_scope(volume, expected, scope)
        assert_same(SYNAPSE, bench.rows(SYNAPSE), synapses)
        structures = pl.from_arrow(expected(volume, "synapse_target_structure"))
        assert isinstance(structures, pl.DataFrame)
        kept = structures.filter(pl.col("target_id").is_in(synapses["id"].to_pylist()))
        found = pl.from_arrow(bench.rows("synapse_target_structure"))
        assert isinstance(found, pl.DataFrame)
        assert found.sort("id").equals(kept.sort("id"))


def in_scope(volume: Volume, expected: Expected, scope: str) -> pa.Table:
    """The synapses that a scope keeps, computed another way."""
    synapses = expected(volume, SYNAPSE)
    frame = pl.from_arrow(synapses)
    assert isinstance(frame, pl.DataFrame)
    if scope == "proofread":
        assessed = pl.from_arrow(expected(volume, "proofreading_status_and_strategy"))
        assert isinstance(assessed, pl.DataFrame)
        axons = assessed.filter("status_axon", pl.col("strategy_axon") != "none", pl.col("pt_root_id") > 1)
        frame = frame.filter(pl.col("pre_pt_root_id").is_in(axons["pt_root_id"].to_list()))
    if scope == "neurons":
        points = [expected(volume, name) for name in ("nucleus_detection_v0", "nucleus_alternative_points")]
        roots = {root for rows in points for root in rows["pt_root_id"].to_pylist() if root > 1}
        frame = frame.filter(pl.col("pre_pt_root_id").is_in(roots), pl.col("post_pt_root_id").is_in(roots))
    assert 0 < len(frame) < len(synapses) or scope == "all"
    return frame.to_arrow().cast(synapses.schema)


@pytest.mark.parametrize("name", ["nucleus_detection_v0", "digital_twin_properties_bcm_coreg_v4", SYNAPSE])
def test_values_are_those_that_caveclient_returns(bench: Any, name: str) -> None:
    """The job reads the Arrow stream that the client got; here the client's frame is compared with that."""
    from caveclient import CAVEclient

    address, token = bench.service.url, bench.service.token
    client = CAVEclient("minnie65_public", address, auth_token=token, write_server_cache=False)
    columns = ["id", "size", "pre_pt_position", "post_pt_root_id"] if name == SYNAPSE else None
    ids = sorted(bench.connect().rows(1718, name, columns=columns).rows["id"].to_pylist())
    bound = ids[len(ids) // 2]
    frame = client.materialize.query_table(
        name,
        filter_less_dict={"id": bound},
        select_columns=columns,
        materialization_version=1718,
        merge_reference=False,
        metadata=False,
        split_positions=True,
    ).sort_values("id")
    rows = bench.connect().rows(1718, name, Part(0, bound), columns=columns).rows.sort_by("id")
    assert rows.num_rows == len(frame) > 0
    assert rows.column_names == list(frame.columns)
    for column in frame:
        values = [None if value is pd.NA or value is pd.NaT else value for value in frame[column]]
        assert rows[column].to_pylist() == values, column
