"""Synapses and connected pairs: what is counted, who is at the ends, and what may be interpreted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | size
    1  | 10             | 20              | 100
    2  | 10             | 20              | 300
    3  | 20             | 10              | 50
    4  | 10             | 10              | 70
    5  | 0              | 10              | 60
    6  | 10             | 1               | 60
    7  | 0              | 0               | 60
    8  | 77             | 20              | 40 """
NUCLEI = """
    id | pt_root_id | pt_position_x | pt_position_y | pt_position_z
    1  | 10         | 100000        | 140000        | 20000
    2  | 20         | 101000        | 140000        | 20000
    3  | 30         | 100000        | 140000        | 20000
    4  | 30         | 100000        | 140000        | 20000 """
PROOFREAD = """
    id | pt_root_id | valid_id | status_axon | strategy_axon
    1  | 10         | 10       | true        | axon_fully_extended
    2  | 10         | 10       | true        | axon_fully_extended
    3  | 20         | 19       | true        | axon_interareal
    4  | 30         | 30       | false       | none
    5  | 77         | 77       | true        | none """
ALL_THREE = pytest.mark.given(
    synapses_pni_2=SYNAPSES, nucleus_detection_v0=NUCLEI, proofreading_status_and_strategy=PROOFREAD
)


@ALL_THREE
def test_synapses_leave_nothing_out(case: SmallWarehouse) -> None:
    case.expect(
        "synapses",
        """
            id | is_autapse
            1  | false
            2  | false
            3  | false
            4  | true
            5  | false
            6  | false
            7  | false
            8  | false """,
    )


@pytest.mark.given(
    synapses_pni_2="""
        id | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z | pre_pt_position_x
        1  | 100               | 200               | 300               | 90 """
)
def test_synapse_positions_in_voxels_and_nm(case: SmallWarehouse) -> None:
    case.expect(
        "synapses",
        """
            id | ctr_pt_position_x | pre_pt_position_x | ctr_x_nm | ctr_y_nm | ctr_z_nm
            1  | 100               | 90                | 400.0    | 800.0    | 12000.0 """,
    )


@ALL_THREE
def test_connections_drop_autapses_and_what_is_no_segment(case: SmallWarehouse) -> None:
    case.expect(
        "connections",
        """
            pre_pt_root_id | post_pt_root_id | n_syn | sum_size | mean_size
            10             | 20              | 2     | 400      | 200.0
            20             | 10              | 1     | 50       | 50.0
            77             | 20              | 1     | 40       | 40.0 """,
    )


@ALL_THREE
def test_sums_of_sizes_are_integers(case: SmallWarehouse) -> None:
    assert case.ask("SELECT DISTINCT typeof(n_syn), typeof(sum_size) FROM connections") == [("BIGINT", "BIGINT")]


@pytest.mark.given(
    synapses_pni_2="""
        pre_pt_root_id | post_pt_root_id
        10             | 20
        30             | 10
        77             | 20 """,
    nucleus_detection_v0=NUCLEI,
    aibs_metamodel_celltypes_v661="target_id | cell_type\n1 | 23P\n2 | BC\n3 | MC",
)
def test_only_a_single_cell_gives_an_end_an_identity(case: SmallWarehouse) -> None:
    case.expect(
        "connections_typed",
        """
    pre_pt_root_id | pre_n_nuclei_on_root | pre_nucleus_id | pre_cell_type | post_cell_type | soma_distance_um
    10             | 1                    | 1              | 23P           | BC             | 4.0
    30             | 2                    |                |               | 23P            |
    77             | 0                    |                |               | BC             | """,
    )


def test_connections_of_cells_are_those_with_a_cell_at_both_ends(small: SmallWarehouse) -> None:
    """No orphan piece (77), merged cells (30), autapse (synapse 4) or missing segment (0, 1)."""
    small.given(
        synapses_pni_2=SYNAPSES + "\n    9  | 30 | 10 | 80\n    10 | 10 | 30 | 80",
        nucleus_detection_v0=NUCLEI,
        aibs_metamodel_celltypes_v661="target_id | cell_type\n1 | 23P\n2 | BC",
        proofreading_status_and_strategy="""
            pt_root_id | valid_id | status_axon | strategy_axon
            10         | 9        | true        | axon_fully_extended """,
    )
    small.expect(
        "cell_connections",
        """
            pre_nucleus_id | post_nucleus_id | n_syn | sum_size | mean_size | pre_cell_type | pre_is_current
            1              | 2               | 2     | 400      | 200.0     | 23P           | false
            2              | 1               | 1     | 50       | 50.0      | BC            | """,
    )


@ALL_THREE
def test_lateral_distance_leaves_depth_out(case: SmallWarehouse) -> None:
    """A step of 1 mm in depth has no lateral length; one along z is all lateral."""
    (row,) = case.ask(
        "SELECT lateral_um(1e6 * sin(radians(5)), 1e6 * cos(radians(5)), 0), lateral_um(0, 0, 5000), "
        "lateral_um(1e6 * cos(radians(5)), -1e6 * sin(radians(5)), 0)"
    )
    assert [round(value, 6) for value in row] == [0, 5, 1000]


@pytest.mark.given(
    synapses_pni_2=SYNAPSES + "\n    9 | 30 | 10 | 10\n    10 | 10 | 88 | 10",
    nucleus_detection_v0=NUCLEI,
    proofreading_status_and_strategy=PROOFREAD,
)
def test_only_outputs_of_proofread_axons_may_be_interpreted(case: SmallWarehouse) -> None:
    """Two assessments of root 10 do not double its synapses; a stale one is kept and flagged."""
    case.expect(
        "connections_proofread",
        """
pre_pt_root_id | post_pt_root_id | n_syn | sum_size | pre_strategy_axon   | pre_is_current | post_n_nuclei_on_root
10             | 20              | 2     | 400      | axon_fully_extended | true           | 1
10             | 88              | 1     | 10       | axon_fully_extended | true           | 0
20             | 10              | 1     | 50       | axon_interareal     | false          | 1 """,
    )
    case.expect(
        "connections_typed",
        """
            pre_pt_root_id | post_pt_root_id | pre_axon_proofread
            10             | 20              | true
            10             | 88              | true
            20             | 10              | true
            30             | 10              | false
            77             | 20              | false """,
    )


def scans_of(plan: dict[str, Any]) -> Iterator[str]:
    """What each scan of Parquet files in a plan filters by."""
    if "READ_PARQUET" in plan["name"] or "PARQUET_SCAN" in plan["name"]:
        yield str(plan["extra_info"].get("Filters", "")).replace(" ", "")
    for child in plan["children"]:
        yield from scans_of(child)


@pytest.mark.parametrize("view", ["synapses", "connections", "connections_typed"])
@ALL_THREE
def test_a_filter_on_the_postsynaptic_root_reaches_the_files(case: SmallWarehouse, view: str) -> None:
    """Through aggregation and joins; or a look-up in the whole volume would form all pairs first."""
    ((_, plan),) = case.ask(f"EXPLAIN (FORMAT json) SELECT * FROM {view} WHERE post_pt_root_id = 3333")
    assert any("post_pt_root_id=3333" in scan for scan in scans_of(json.loads(plan)[0]))


@ALL_THREE
def test_a_filter_on_a_proofread_axon_reaches_the_rows_sorted_by_axon(case: SmallWarehouse) -> None:
    ((root,),) = case.ask("SELECT min(pre_pt_root_id) FROM connections_proofread")
    ((_, plan),) = case.ask(f"EXPLAIN (FORMAT json) FROM connections_proofread WHERE pre_pt_root_id = {root}")
    scans = list(scans_of(json.loads(plan)[0]))
    assert any(f"pre_pt_root_id={root}" in scan for scan in scans)
