"""Skeletons, their cable, and the synapses on them: small trees counted by hand, and the demo's."""

from __future__ import annotations

import duckdb
import pytest

from tests.conftest import SmallWarehouse
from warehouse.catalog.build import build
from warehouse.commands.check import check

pytestmark = pytest.mark.slow

# A soma at (0, 0, 0); two dendrite points to the right; an axon point below, and a piece that hangs on nothing.
SKELETON = """
    pt_root_id | vertex | parent_vertex | x_nm  | y_nm  | z_nm | radius_nm | compartment_code | length_nm | path_nm
    10         | 0      | 1             | 20000 | 0     | 0    | 300       | 3                | 10000     | 20000
    10         | 1      | 2             | 10000 | 0     | 0    | 400       | 3                | 10000     | 10000
    10         | 2      |               | 0     | 0     | 0    | 5000      | 1                | 0         | 0
    10         | 3      | 2             | 0     | 30000 | 0    | 100       | 2                | 30000     | 30000
    10         | 4      |               | 0     | 90000 | 0    |           | 0                | 0         |
    20         | 0      |               | 0     | 0     | 4000 | 5000      | 1                | 0         | 0 """
# Points are voxels of 4 x 4 x 40 nm. Both cells are at the same place: a synapse belongs to the cell it is on.
SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | size | post_pt_position_x | pre_pt_position_y
    1  | 77             | 10              | 100  | 4750               | 0
    2  | 77             | 10              | 100  | 1000               | 0
    3  | 77             | 10              | 100  | 15000              | 0
    4  | 10             | 20              | 100  | 0                  | 7250
    5  | 10             | 10              | 100  | 2500               | 7500
    6  | 77             | 20              | 100  | 0                  | 0 """
NUCLEI = "id | pt_root_id\n101 | 10\n102 | 20\n103 | 30"
PROOFREAD = "id | pt_root_id | valid_id | status_axon | strategy_axon\n1 | 10 | 10 | true | axon_fully_extended"


@pytest.fixture(scope="module")
def shapes(small_module: SmallWarehouse) -> SmallWarehouse:
    """Version 1 with all synapses, 2 with outputs of proofread axons, 3 without skeletons."""
    for version, scope in ((1, "all"), (2, "proofread"), (3, "all")):
        tables = {"skeleton_vertices": SKELETON} if version < 3 else {}
        small_module.given(
            version,
            scope=scope,
            synapses_pni_2=SYNAPSES,
            nucleus_detection_v0=NUCLEI,
            proofreading_status_and_strategy=PROOFREAD,
            **tables,
        )
    return small_module


def test_a_skeleton_that_is_no_tree_is_named(small: SmallWarehouse) -> None:
    """Roots 10 to 50 have a fault each; 60 has none."""
    small.given(
        nucleus_detection_v0="id | pt_root_id | pt_position_x\n1 | 50 | 10000\n2 | 60 | 2500",
        skeleton_vertices="""
            pt_root_id | vertex | parent_vertex | x_nm  | radius_nm | length_nm | path_nm
            10         | 0      |               | 0     | 9         | 0         | 0
            10         | 1      |               | 5     | 9         | 0         | 0
            20         | 0      |               | 0     | 9         | 0         | 0
            20         | 1      | 7             | 10    | 9         | 10        | 10
            30         | 0      |               | 0     | 9         | 0         | 0
            30         | 1      | 2             | 90    | 9         | 90        | 90
            30         | 2      | 1             | 180   | 9         | 90        | 180
            40         | 0      |               | 0     | 0         | 0         | 0
            50         | 0      |               | 0     | 9         | 0         | 0
            60         | 0      |               | 0     |           | 0         | 0
            60         | 1      | 0             | 90    | 9         | 90        | 90
            60         | 2      |               | 900   | 9         | 0         | """,
    )
    build(small.folder)
    (failed,) = (result for result in check(small.folder, 1718) if not result.ok)
    assert failed.name == "skeletons_are_trees"
    assert sorted(failed.rows, key=str) == [
        (10, None, "it has no root, or several"),
        (20, 1, "its parent is not there"),
        (30, 1, "its way to the soma is not the way of its parent and the edge"),
        (40, 0, "its radius is not above 0"),
        (50, 0, "it is more than 25 um from the nucleus"),
    ]


def test_cable_is_the_sum_of_edges_and_the_soma_has_none(shapes: SmallWarehouse) -> None:
    shapes.expect(
        "cable_length",
        """
        pt_root_id | compartment | n_vertices | cable_um | longest_path_um
        10         | soma        | 1          | 0.0      | 0.0
        10         | dendrite    | 2          | 20.0     | 20.0
        10         | axon        | 1          | 30.0     | 30.0
        10         | unknown     | 1          | 0.0      |
        20         | soma        | 1          | 0.0      | 0.0 """,
    )


def test_a_point_without_a_known_compartment_has_none(shapes: SmallWarehouse) -> None:
    shapes.expect(
        "skeletons WHERE pt_root_id = 10",
        """
        vertex | parent_vertex | compartment | length_um | path_um
        0      | 1             | dendrite    | 10.0      | 20.0
        1      | 2             | dendrite    | 10.0      | 10.0
        2      |               | soma        | 0.0       | 0.0
        3      | 2             | axon        | 30.0      | 30.0
        4      |               |             | 0.0       | """,
    )


def test_depth_and_across_are_at_right_angles(shapes: SmallWarehouse) -> None:
    query = """
        SELECT
            round((a.depth_um - b.depth_um) ** 2 + (a.across_um - b.across_um) ** 2, 3),
            round((a.x_nm / 1000 - b.x_nm / 1000) ** 2 + (a.y_nm / 1000 - b.y_nm / 1000) ** 2, 3)
        FROM skeletons AS a, skeletons AS b
        WHERE a.pt_root_id = 10 AND b.pt_root_id = 10
    """
    found = shapes.ask(query, 1)
    assert len(found) == 25
    assert all(rotated == plain for rotated, plain in found)


def test_each_synapse_goes_to_the_nearest_point_of_its_own_cell(shapes: SmallWarehouse) -> None:
    shapes.expect(
        "synapses_on_skeleton([10, 102])",
        """
pt_root_id | id | side   | partner_pt_root_id | is_autapse | vertex | skeleton_distance_um | compartment | path_um
10         | 1  | input  | 77                 | false      | 0      | 1.0                  | dendrite    | 20.0
10         | 2  | input  | 77                 | false      | 2      | 4.0                  | soma        | 0.0
10         | 3  | input  | 77                 | false      |        |                      |             |
10         | 4  | output | 20                 | false      | 3      | 1.0                  | axon        | 30.0
10         | 5  | input  | 10                 | true       | 1      | 0.0                  | dendrite    | 10.0
10         | 5  | output | 10                 | true       | 3      | 0.0                  | axon        | 30.0
20         | 4  | input  | 10                 | false      | 0      | 4.0                  | soma        | 0.0
20         | 6  | input  | 77                 | false      | 0      | 4.0                  | soma        | 0.0 """,
        1,
    )


def test_where_only_the_centre_is_known_that_is_placed(small: SmallWarehouse) -> None:
    """As in the archive, whose synapses have no points of the two sides."""
    small.given(
        synapses_pni_2="""
            id | pre_pt_root_id | post_pt_root_id | post_pt_position_x | pre_pt_position_x | ctr_pt_position_x
            1  | 77             | 10              |                    |                   | 5000
            2  | 77             | 10              | 2500               | 0                 | 9000
            3  | 10             | 77              |                    |                   | 2500 """,
        nucleus_detection_v0=NUCLEI,
        skeleton_vertices=SKELETON,
    )
    small.expect(
        "(FROM synapses_on_skeleton(10) ORDER BY id)",
        """
            id | side   | point_source | vertex | skeleton_distance_um
            1  | input  | centre       | 0      | 0.0
            2  | input  | side         | 1      | 0.0
            3  | output | centre       | 1      | 0.0 """,
    )


def test_the_reach_is_a_parameter_and_no_nearer_point_is_missed(shapes: SmallWarehouse) -> None:
    """However wide the search, the answer is that of comparing with every point."""
    every = """
        SELECT
            s.id,
            s.side,
            min(sqrt((s.x_nm - v.x_nm) ** 2 + (s.y_nm - v.y_nm) ** 2 + (s.z_nm - v.z_nm) ** 2) / 1000)
        FROM synapses_on_skeleton(10) AS s
        JOIN skeletons AS v ON v.pt_root_id = s.pt_root_id
        GROUP BY ALL ORDER BY ALL
    """
    nearest = {(id, side): distance for id, side, distance in shapes.ask(every, 1)}
    for within in (0.5, 1, 1.5, 3, 4, 7.5, 39.9, 40, 1000):
        call = f"synapses_on_skeleton(10, within_um := {within})"
        found = shapes.ask(f"SELECT id, side, skeleton_distance_um FROM {call}", 1)
        expected = {key: distance if distance <= within else None for key, distance in nearest.items()}
        assert {(id, side): distance for id, side, distance in found} == expected, within


def test_a_side_can_be_chosen(shapes: SmallWarehouse) -> None:
    for side, word, ids in (("input", "in", [1, 2, 3, 5]), ("output", "out", [4, 5])):
        for asked in (side, word):
            found = f"FROM synapses_on_skeleton('10', side := '{asked}')"
            query = f"SELECT list(id ORDER BY id), min(side), max(side) {found}"
            assert shapes.ask(query, 1) == [(ids, side, side)], "an answer has the full word"


@pytest.mark.parametrize(
    ("version", "query", "sentence"),
    [
        (1, "FROM synapses_on_skeleton(103)", "microns snapshot 1 --skeletons 30"),
        (1, "FROM synapses_on_skeleton(10, side := 'inputs')", "the nearest is input"),
        (1, "FROM synapses_on_skeleton(999)", "999 is not known"),
        (1, "FROM synapses_on_skeleton(10, within_um := 0)", "within_um is a distance of 0.01 um or more, not 0"),
        (
            1,
            "FROM synapses_on_skeleton(10, within_um := NULL)",
            "within_um is a distance of 0.01 um or more, not NULL",
        ),
        (2, "FROM synapses_on_skeleton(10)", "ask with side := 'output'"),
        (2, "SELECT count(*) FROM synapses_on_skeleton(10, side := 'input')", "ask with side := 'output'"),
        (2, "FROM synapses_on_skeleton(20, side := 'output')", "the axon of 20 was not proofread"),
        (3, "FROM skeletons", "fetch it with: microns snapshot 3 --skeletons proofread"),
        (3, "SELECT count(*) FROM cable_length", "fetch it with: microns snapshot 3 --skeletons proofread"),
        (3, "FROM synapses_on_skeleton(10)", "fetch it with: microns snapshot 3 --skeletons proofread"),
    ],
)
def test_what_is_not_here_gets_a_sentence_with_the_command(
    shapes: SmallWarehouse, version: int, query: str, sentence: str
) -> None:
    with pytest.raises(duckdb.Error) as raised:
        shapes.ask(query, version)
    assert sentence in str(raised.value)


def test_outputs_of_a_proofread_axon_can_be_placed_where_only_those_are_here(shapes: SmallWarehouse) -> None:
    query = "SELECT id, compartment FROM synapses_on_skeleton(10, side := 'output') ORDER BY id"
    assert shapes.ask(query, 2) == [(4, "axon"), (5, "axon")]


def test_names_of_views_in_an_argument_mean_the_views(shapes: SmallWarehouse) -> None:
    """What the macro calls its steps does not get in the way."""
    ids = "(SELECT list(pt_root_id) FROM cells WHERE nucleus_id = 101)"
    assert shapes.ask(f"SELECT count(*) FROM synapses_on_skeleton({ids})", 1) == [(6,)]
