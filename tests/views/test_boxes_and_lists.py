"""Boxes that tile a volume, and lists of cells that share partners: nothing is counted twice or lost."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

# A synapse in each corner, face, edge and middle of a cube of 20 voxels that is cut into eight.
PLACES = list(product((0, 5, 10, 15, 20), repeat=3))
INSIDE = [number for number, place in enumerate(PLACES, start=1) if max(place) < 20]
CUBE = pytest.mark.given(
    synapses_pni_2="id | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z\n"
    + "\n".join(f"{number} | {x} | {y} | {z}" for number, (x, y, z) in enumerate(PLACES, start=1))
)


@CUBE
def test_eight_boxes_that_tile_a_volume_give_each_synapse_once(case: SmallWarehouse) -> None:
    found = []
    for x, y, z in product((0, 10), repeat=3):
        box = f"{x}, {y}, {z}, {x + 10}, {y + 10}, {z + 10}, unit := 'voxel'"
        ids = [id for (id,) in case.ask(f"SELECT id FROM synapses_in_box({box})")]
        assert len(ids) == 8
        found += ids
    assert sorted(found) == INSIDE
    whole = case.ask("SELECT list(id ORDER BY id) FROM synapses_in_box(0, 0, 0, 20, 20, 20, unit := 'voxel')")
    assert whole == [(INSIDE,)]


@CUBE
@pytest.mark.parametrize(("unit", "size"), [("nm", (40, 40, 400)), ("um", (0.04, 0.04, 0.4))])
def test_a_box_in_lengths_is_the_same_box(case: SmallWarehouse, unit: str, size: tuple[float, ...]) -> None:
    """Voxels are of 4 x 4 x 40 nm."""
    x, y, z = (2 * length for length in size)
    box = f"{x}, {y}, {z}, 0, 0, 0, unit := '{unit}'"
    assert case.ask(f"SELECT list(id ORDER BY id) FROM synapses_in_box({box})") == [(INSIDE,)]


# 30 and 77 send to 10 and to 20; 10 and 20 both send to 40 and 88; 10 and 20 connect.
SHARED = pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n101 | 10\n102 | 20\n103 | 30\n104 | 40",
    aibs_metamodel_celltypes_v661="target_id | cell_type\n101 | 23P\n103 | BC\n104 | MC",
    synapses_pni_2="""
        pre_pt_root_id | post_pt_root_id | size
        30             | 10              | 1
        30             | 20              | 2
        77             | 10              | 3
        77             | 20              | 4
        77             | 20              | 5
        10             | 40              | 6
        20             | 40              | 7
        10             | 88              | 8
        20             | 88              | 9
        10             | 20              | 20 """,
)


@SHARED
def test_partners_of_a_list_are_rows_for_each_pair(case: SmallWarehouse) -> None:
    case.expect(
        "input_partners([10, 102])",
        """
        pre_pt_root_id | post_pt_root_id | n_syn | sum_size
        30             | 10              | 1     | 1
        30             | 20              | 1     | 2
        77             | 10              | 1     | 3
        77             | 20              | 2     | 9
        10             | 20              | 1     | 20 """,
    )
    case.expect(
        "output_partners([10, 20])",
        """
        pre_pt_root_id | post_pt_root_id | n_syn | sum_size
        10             | 20              | 1     | 20
        10             | 40              | 1     | 6
        20             | 40              | 1     | 7
        10             | 88              | 1     | 8
        20             | 88              | 1     | 9 """,
    )


@SHARED
def test_a_partner_that_two_cells_share_is_one_partner(case: SmallWarehouse) -> None:
    case.expect(
        "partner_types([10, 20], side := 'input')",
        """
        partner_label | n_partners | n_cells | n_syn | sum_size
        BC            | 1          | 1       | 2     | 3
        unknown       | 1          | 0       | 3     | 12
        23P           | 1          | 1       | 1     | 20 """,
    )
    case.expect(
        "partner_types([10, 20])",
        """
        partner_label | n_partners | n_cells | n_syn | sum_size
        MC            | 1          | 1       | 2     | 13
        unknown       | 2          | 1       | 3     | 37 """,
    )


@SHARED
def test_an_id_that_is_given_twice_counts_once(case: SmallWarehouse) -> None:
    """As a root, as a nucleus, and both among others."""
    for ids in ("[10, 101]", "[10, 10]", "'101, 10'"):
        assert case.ask(f"SELECT list(id ORDER BY id) FROM output_synapses({ids})") == [([6, 8, 10],)]
        assert case.ask(f"SELECT list(id ORDER BY id) FROM input_synapses({ids})") == [([1, 3],)]
        assert case.ask(f"SELECT list(id ORDER BY id) FROM synapses_between({ids}, [20, 102])") == [([10],)]
        case.expect(f"connection_matrix({ids}, [40, 104])", "n_syn | sum_size\n1 | 6")
