"""How near to a side of the volume a pair may be to count as inside, by either distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

# Along z in um: nuclei at 0 and 100 are the sides, and 1 lies 50 from both. 3 is 200 um straight below 1: 200 away
# in space, and next to it along the sheet.
PLACES = pytest.mark.given(
    nucleus_detection_v0="""
        id | pt_root_id | pt_position_x | pt_position_y | pt_position_z
        1  | 10         | 100000        | 140000        | 1250
        2  | 20         | 100000        | 140000        | 1875
        3  | 30         | 104358        | 189810        | 1250
        4  | 40         | 0             | 140000        | 0
        5  | 50         | 200000        | 140000        | 2500 """,
    aibs_metamodel_celltypes_v661="target_id | cell_type\n1 | 23P\n2 | BC\n3 | MC",
    proofreading_status_and_strategy="""
        pt_root_id | valid_id | status_axon | strategy_axon
        10         | 10       | true        | axon_fully_extended """,
    synapses_pni_2="pre_pt_root_id | post_pt_root_id\n10 | 20\n10 | 30",
)


@PLACES
@pytest.mark.parametrize(
    ("measure", "rows"),
    [
        ("space", "BC | 25.0 | 1 | 1 | 1 | 1\nMC | 200.0 | 1 | 1 | 0 | 0"),
        ("lateral", "BC | 25.0 | 1 | 1 | 1 | 1\nMC | 0.0 | 1 | 1 | 1 | 1"),
    ],
)
def test_a_pair_is_inside_by_the_distance_that_is_measured(case: SmallWarehouse, measure: str, rows: str) -> None:
    """2 lies in the bin from 25 to 50 um, which just reaches the side: it is inside, by either measure."""
    case.expect(
        "(SELECT post_cell_type AS type, distance_from_um AS um, n_possible, n_connected, "
        "n_possible_inside AS possible_inside, n_connected_inside AS connected_inside "
        f"FROM distance_dependence WHERE measure = '{measure}' AND post_cell_type IS NOT NULL)",
        f"type | um | n_possible | n_connected | possible_inside | connected_inside\n{rows}",
    )


@PLACES
def test_nothing_is_inside_beyond_the_side(case: SmallWarehouse) -> None:
    case.expect(
        "(SELECT measure, sum(n_possible)::BIGINT AS n, sum(n_possible_inside)::BIGINT AS inside "
        "FROM distance_dependence GROUP BY measure)",
        "measure | n | inside\nspace | 4 | 1\nlateral | 4 | 2",
    )
