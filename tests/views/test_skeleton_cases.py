"""Skeletons and the synapses on them, counted by hand: cable, and the nearest point on every side."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

# Points in nm on both sides of a border of bins, which are 30 um wide where the search reaches 15 um. Of 10, each
# synapse lies 2 um beyond a border from the one point that is near it, in one direction each.
BORDER, STEP = 60_000, 1_000
DIRECTIONS = [step for step in product((-1, 0, 1), repeat=3) if step.count(0) == 2] + [(1, 1, 1), (-1, -1, -1)]
POINTS, PLACES = [], []
for number, direction in enumerate(DIRECTIONS):
    far = 300_000 * (number + 1)
    POINTS.append([far + (BORDER - STEP * step if step else 10_000) for step in direction])
    PLACES.append([far + (BORDER + STEP * step if step else 10_000) for step in direction])
VERTICES = "\n".join(f"10 | {number} | {x} | {y} | {z} | 3 | 0" for number, (x, y, z) in enumerate(POINTS))
SYNAPSES = "\n".join(
    f"{number} | 77 | 10 | {x // 4} | {y // 4} | {z // 40}" for number, (x, y, z) in enumerate(PLACES)
)
SHAPES = pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n101 | 10\n102 | 20",
    skeleton_vertices=f"""
        pt_root_id | vertex | x_nm | y_nm | z_nm | compartment_code | length_nm
        {VERTICES}
        20         | 0      | 0     | 0    | 0   | 1                | 0
        20         | 1      | 3000  | 4000 | 0   | 3                | 5000
        20         | 2      | 9000  | 4000 | 0   | 3                | 6000
        20         | 3      | -4000 | 0    | 0   | 2                | 4000 """,
    synapses_pni_2=f"""
        id | pre_pt_root_id | post_pt_root_id | post_pt_position_x | post_pt_position_y | post_pt_position_z
        {SYNAPSES} """,
)


@SHAPES
def test_the_nearest_point_is_found_across_the_border_of_a_bin(case: SmallWarehouse) -> None:
    """Below and above in x, in y and in z, and across a corner."""
    found = case.ask("SELECT id, vertex, skeleton_distance_um FROM synapses_on_skeleton(10) ORDER BY id")
    assert [row[:2] for row in found] == [(number, number) for number in range(len(DIRECTIONS))]
    assert [row[2] for row in found] == pytest.approx([2] * 6 + [12**0.5] * 2)


@SHAPES
def test_cable_of_each_compartment_counted_by_hand(case: SmallWarehouse) -> None:
    case.expect(
        "(FROM cable_length WHERE pt_root_id = 20)",
        """
        pt_root_id | compartment | n_vertices | cable_um
        20         | soma        | 1          | 0.0
        20         | dendrite    | 2          | 11.0
        20         | axon        | 1          | 4.0 """,
    )


NEAREST = pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n101 | 10",
    skeleton_vertices="""
        pt_root_id | vertex | parent_vertex | x_nm  | y_nm | z_nm | compartment_code | length_nm | path_nm
        10         | 0      | 1             | 8000  | 0    | 0    | 4                | 4000      | 8000
        10         | 1      | 2             | 4000  | 0    | 0    | 3                | 4000      | 4000
        10         | 2      |               | 0     | 0    | 0    | 1                | 0         | 0
        10         | 3      |               | 0     | 9000 | 0    | 0                | 0         | """,
    synapses_pni_2="""
        id | pre_pt_root_id | post_pt_root_id | post_pt_position_x | pre_pt_position_x | pre_pt_position_y
        1  | 77             | 10              | 1500               | 0                 | 0
        2  | 77             | 10              | 5750               | 0                 | 0
        3  | 77             | 10              | 6000               | 0                 | 0
        4  | 10             | 77              | 0                  | 0                 | 2000
        5  | 10             | 10              | 2000               | 0                 | 0
        6  | 0              | 10              | 9000               | 0                 | 0 """,
)


@NEAREST
def test_a_synapse_goes_to_the_nearest_point_and_no_farther_than_asked(case: SmallWarehouse) -> None:
    """1 lies halfway between two points, of which the first counts; 2 in reach, 3 at its end, 6 beyond."""
    case.expect(
        "synapses_on_skeleton(10, within_um := 16)",
        """
        id | side   | partner_pt_root_id | is_autapse | vertex | skeleton_distance_um | compartment     | path_um
        1  | input  | 77                 | false      | 0      | 2.0                  | apical dendrite | 8.0
        2  | input  | 77                 | false      | 0      | 15.0                 | apical dendrite | 8.0
        3  | input  | 77                 | false      | 0      | 16.0                 | apical dendrite | 8.0
        4  | output | 77                 | false      | 3      | 1.0                  |                 |
        5  | input  | 10                 | true       | 0      | 0.0                  | apical dendrite | 8.0
        5  | output | 10                 | true       | 2      | 0.0                  | soma            | 0.0
        6  | input  | 0                  | false      |        |                      |                 | """,
    )


@NEAREST
def test_a_side_of_the_synapses_on_a_skeleton(case: SmallWarehouse) -> None:
    for side, ids in (("input", [1, 2, 3, 5, 6]), ("output", [4, 5]), ("in", [1, 2, 3, 5, 6]), ("out", [4, 5])):
        found = case.ask(f"SELECT list(id ORDER BY id) FROM synapses_on_skeleton(10, side := '{side}')")
        assert found == [(ids,)]
