"""Checks on populations name what is planted in the stored rows."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import polars as pl
import pytest
from msgspec.structs import replace

from tests.conftest import SmallWarehouse
from tests.views import test_population as population
from warehouse.catalog.build import build
from warehouse.commands.check import check
from warehouse.storage.manifest import read_manifest, sha256_of
from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The small volume of the population tests."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("faults") / "root")
    warehouse.given(
        nucleus_detection_v0=population.NUCLEI,
        aibs_metamodel_celltypes_v661=population.TYPES,
        proofreading_status_and_strategy=population.PROOFREADING,
        synapses_pni_2=population.SYNAPSES.strip()
        .replace("size", "size | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z", 1)
        .replace("\n", " | 100000 | 140000 | 10000\n")
        .replace(" | 100000 | 140000 | 10000\n", "\n", 1)
        + " | 100000 | 140000 | 10000",
    )
    build(warehouse.folder)
    return warehouse.folder


def plant(folder: Folder, model: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> set[str]:
    """Change stored rows behind the database's back, see which checks fail, and put the rows back."""
    version = folder.versions()[0]
    path = folder.manifest(version)
    manifest = read_manifest(path)
    entry = manifest.stored_views[model]
    largest, *others = sorted(entry.files, key=lambda each: -each.rows)
    file = folder.version(version) / largest.path
    before, rows = file.read_bytes(), pl.read_parquet(file)
    try:
        changed = change(rows)
        changed.write_parquet(file)
        part = replace(largest, bytes=file.stat().st_size, sha256=sha256_of(file), rows=len(changed))
        total = entry.rows + len(changed) - len(rows)
        models = manifest.stored_views | {model: replace(entry, files=[part, *others], rows=total)}
        replace(manifest, stored_views=models).write(path)
        build(folder)
        return {result.name for result in check(folder, version) if not result.ok}
    finally:
        file.write_bytes(before)
        manifest.write(path)


def one_more(column: str, times: int = 1) -> Callable[[pl.DataFrame], pl.DataFrame]:
    first = pl.int_range(pl.len()) == 0
    return lambda rows: rows.with_columns(pl.col(column) + times * first.cast(rows[column].dtype))


@pytest.mark.parametrize(
    ("model", "change", "named"),
    [
        ("in_out_degree", one_more("n_input_syn"), {"degrees_are_direct_counts"}),
        ("in_out_degree", one_more("n_pre_segments"), {"degrees_are_direct_counts"}),
        ("in_out_degree", one_more("n_output_syn"), {"degrees_are_direct_counts"}),
        (
            "_pair_bins",
            lambda rows: rows.with_columns(n_possible=pl.col("n_possible") * 2),
            {"possible_pairs_add_up", "distances_add_up"},
        ),
        (
            "_axon_synapses",
            lambda rows: pl.concat([rows, rows]),
            {"proofread_outputs_add_up", "types_add_up"},
        ),
        ("cells", lambda rows: rows.with_columns(layer=pl.lit("L9")), {"layers_match_depth"}),
        (
            "cells",
            one_more("depth_um", 1_000_000),
            {"layers_match_depth", "depths_are_in_bounds", "distances_add_up"},
        ),
    ],
)
def test_a_planted_fault_is_named(
    folder: Folder, model: str, change: Callable[[pl.DataFrame], pl.DataFrame], named: set[str]
) -> None:
    assert plant(folder, model, change) == named


@pytest.mark.parametrize(
    ("key", "n_syn", "named"),
    [
        ("pre_pt_root_id", "2 * count(*)", {"connections_add_up"}),
        ("1::BIGINT AS pre_pt_root_id", "count(*)", {"partners_are_segments"}),
    ],
    ids=["counted twice", "no segment"],
)
def test_a_view_that_is_wrong_is_named(folder: Folder, key: str, n_syn: str, named: set[str]) -> None:
    version = folder.versions()[0]
    build(folder)
    with duckdb.connect(folder.database) as database:
        database.execute(f"SET GLOBAL file_search_path = '{folder.path}'")
        database.execute(
            f"CREATE OR REPLACE VIEW v{version}.connections AS SELECT {key}, post_pt_root_id, {n_syn} AS n_syn, "
            f"sum(size)::BIGINT AS sum_size, avg(size) AS mean_size FROM v{version}._partner_synapses GROUP BY ALL"
        )
    found = {result.name for result in check(folder, version) if not result.ok}
    build(folder)
    assert named <= found


def test_what_was_put_back_is_sound(folder: Folder) -> None:
    build(folder)
    assert [str(result) for result in check(folder, folder.versions()[0]) if not result.ok] == []


def test_a_synapse_that_is_tagged_twice_is_named(small: SmallWarehouse) -> None:
    small.given(synapse_target_predictions_ssa="target_id | tag\n3 | spine\n3 | shaft\n4 | soma")
    build(small.folder)
    assert [result.rows for result in check(small.folder, 1718) if not result.ok] == [
        (("synapse_target_predictions_ssa", 3, 2),)
    ]


def test_a_position_in_another_unit_is_named(small: SmallWarehouse) -> None:
    """Two in nm where voxels belong; on the edge of what is allowed there is nothing to say."""
    small.given(
        nucleus_detection_v0="""
            id | pt_root_id | pt_position_x | pt_position_y | pt_position_z
            1  | 10         | 173584        | 145120        | 21127 """,
        synapses_pni_2="""
            id | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z
            1  | 223584            | 95120             | 16127
            2  | 694336            | 580480            | 845080
            3  | 173584            | 145120            | 15000 """,
    )
    build(small.folder)
    failed = {
        result.name: [row[0] for row in result.rows] for result in check(small.folder, 1718) if not result.ok
    }
    assert failed == {"positions_are_in_the_volume": [2, 3]}
