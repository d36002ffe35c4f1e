"""Checks on populations name what is planted in the rows of views."""

from __future__ import annotations

import duckdb
import pytest

from tests.conftest import SmallWarehouse
from tests.views import test_population as population
from warehouse.catalog.build import build
from warehouse.commands.check import check
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


def failed_with(folder: Folder, view: str, planted: str) -> set[str]:
    """Put another view in the place of one, which is `before` in it; see which checks fail, and put it back."""
    database = folder.database.read_bytes()
    try:
        with duckdb.connect(folder.database) as con:
            con.execute(f"SET GLOBAL file_search_path = '{folder.path}'; USE v1718")
            ((text,),) = con.execute(
                f"SELECT sql FROM duckdb_views() WHERE (schema_name, view_name) = ('v1718', '{view}')"
            ).fetchall()
            con.execute(text.replace(f"v1718.{view}", "v1718.before", 1))
            con.execute(f"CREATE OR REPLACE VIEW v1718.{view} AS {planted}")
        return {result.name for result in check(folder, 1718) if not result.ok}
    finally:
        folder.database.write_bytes(database)


def other(column: str, value: str) -> str:
    return f"SELECT * REPLACE ({value} AS {column}) FROM v1718.before"


def pairs(key: str, n_syn: str) -> str:
    return (
        f"SELECT {key}, post_pt_root_id, {n_syn} AS n_syn, sum(size)::BIGINT AS sum_size, avg(size) AS mean_size "
        "FROM v1718._partner_synapses GROUP BY ALL"
    )


@pytest.mark.parametrize(
    ("view", "planted", "named"),
    [
        ("in_out_degree", other("n_input_syn", "n_input_syn + 1"), {"degrees_are_direct_counts"}),
        ("in_out_degree", other("n_pre_segments", "n_pre_segments + 1"), {"degrees_are_direct_counts"}),
        ("in_out_degree", other("n_output_syn", "n_output_syn + 1"), {"degrees_are_direct_counts"}),
        ("_pair_bins", other("n_possible", "2 * n_possible"), {"possible_pairs_add_up", "distances_add_up"}),
        (
            "_axon_synapses",
            "FROM v1718.before UNION ALL FROM v1718.before",
            {"proofread_outputs_add_up", "types_add_up"},
        ),
        ("cells", other("layer", "'L9'"), {"layers_match_depth"}),
        (
            "cells",
            other("depth_um", "depth_um + if(nucleus_id = (SELECT min(nucleus_id) FROM v1718.before), 1e6, 0)"),
            {"layers_match_depth", "depths_are_in_bounds", "distances_add_up"},
        ),
        ("connections", pairs("pre_pt_root_id", "2 * count(*)"), {"connections_add_up"}),
        ("connections", pairs("1::BIGINT AS pre_pt_root_id", "count(*)"), {"partners_are_segments"}),
    ],
)
def test_a_planted_fault_is_named(folder: Folder, view: str, planted: str, named: set[str]) -> None:
    found = failed_with(folder, view, planted)
    assert named <= found if view == "connections" else found == named


def test_what_was_put_back_is_sound(folder: Folder) -> None:
    assert [str(result) for result in check(folder, 1718) if not result.ok] == []


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
