"""Skeletons as rows, and those of the synthetic volume."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from warehouse.demo.synthetic import Volume, synthesize
from warehouse.errors import SchemaDrift
from warehouse.storage.skeleton import Skeleton


def skeleton(edges: list[tuple[int, int]], root: int = 0, count: int = 4) -> Skeleton:
    """Points in a row, 1 um apart."""
    places = np.zeros((count, 3))
    places[:, 0] = 1_000.0 * np.arange(count)
    numbers = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return Skeleton(7, places, numbers, np.full(count, 100.0), np.full(count, 3), root)


def test_edges_in_any_direction_lead_to_the_root() -> None:
    for edges in ([(0, 1), (1, 2), (2, 3)], [(3, 2), (1, 2), (0, 1)]):
        rows = pl.DataFrame(skeleton(edges, root=1).rows())
        assert rows["parent_vertex"].to_list() == [1, None, 1, 2]
        assert rows["length_nm"].to_list() == [1_000, 0, 1_000, 1_000]
        assert rows["path_nm"].to_list() == [1_000, 0, 1_000, 2_000]


def test_a_piece_that_hangs_on_nothing_keeps_its_cable_and_has_no_path() -> None:
    rows = pl.DataFrame(skeleton([(0, 1), (3, 2)]).rows())
    assert rows["parent_vertex"].to_list() == [None, 0, None, 2]
    assert rows["path_nm"].to_list() == [0, 1_000, None, None]
    assert rows["length_nm"].sum() == 2_000


def test_one_point_is_a_skeleton() -> None:
    assert skeleton([], count=1).rows().num_rows == 1


@pytest.mark.parametrize("edges", [[(0, 1), (1, 2), (2, 0)], [(0, 1), (1, 0)], [(2, 2)]])
def test_a_loop_is_refused(edges: list[tuple[int, int]]) -> None:
    with pytest.raises(SchemaDrift, match="skeleton of 7 has loops"):
        skeleton(edges).rows()


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(200, 1, synapses=3_000)


def test_synthetic_synapses_lie_on_the_skeleton_of_their_cell(volume: Volume) -> None:
    synapses = pl.DataFrame(volume.table(1718, "synapses_pni_2"))
    told = pl.DataFrame(volume.table(1718, "proofreading_status_and_strategy"))
    checked = 0
    for root in told["pt_root_id"].unique().to_list():
        shape = volume.skeleton(root)
        assert shape is not None
        for side, code in (("pre", 2), ("post", 3)):
            mine = synapses.filter(pl.col(f"{side}_pt_root_id") == root)
            ends = mine.select(f"{side}_pt_position_{axis}" for axis in "xyz").to_numpy() * (4, 4, 40)
            own = shape.vertices_nm[np.isin(shape.compartment, (1, code))]
            for end in ends:
                away = np.linalg.norm(own - end, axis=1).min()
                assert away < 3_000 or np.linalg.norm(end - shape.vertices_nm[shape.root]) < 10_000
                checked += 1
    assert checked > 300


def test_a_synthetic_skeleton_starts_at_its_nucleus_and_is_the_same_again(volume: Volume) -> None:
    nuclei = pl.DataFrame(volume.table(1507, "nucleus_detection_v0"))
    told = pl.DataFrame(volume.table(1507, "proofreading_status_and_strategy"))
    root = told["pt_root_id"].drop_nulls()[0]
    shape, again = volume.skeleton(root), synthesize(200, 1, synapses=3_000).skeleton(root)
    assert shape is not None
    assert again is not None
    assert np.array_equal(shape.vertices_nm, again.vertices_nm)
    (row,) = nuclei.filter(pl.col("pt_root_id") == root).to_dicts()
    place = np.array([row[f"pt_position_{axis}"] for axis in "xyz"]) * (4, 4, 40)
    assert np.array_equal(shape.vertices_nm[shape.root], place)
    assert shape.compartment[shape.root] == 1
    assert (shape.compartment == 1).sum() == 1
    assert np.linalg.norm(np.delete(shape.vertices_nm, shape.root, 0) - place, axis=1).min() > 7_000


def test_a_segment_without_a_neuron_has_no_synthetic_skeleton(volume: Volume) -> None:
    assert volume.skeleton(0) is None
    assert volume.skeleton(864691134800000001) is None
