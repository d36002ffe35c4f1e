"""Links to the viewer: which segmentation they show, under which ids, and what they refuse."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import duckdb
import pytest

from tests.conftest import SmallWarehouse

SITE = "https://spelunker.cave-explorer.org/#!"
COPY = "precomputed://gs://iarpa_microns/minnie/minnie65/seg_m1300"
LIVE = "graphene://middleauth+https://minnie.microns-daf.com/segmentation/table/minnie65_public"
NUCLEI_BEFORE = """
    id  | pt_root_id | pt_position_x | pt_position_y | pt_position_z
    101 | 864691135000000010 | 5 | 6 | 7
    102 | 20 | 0 | 0 | 0
    103 | 0  | 0 | 0 | 0 """
NUCLEI_NOW = """
    id  | pt_root_id | pt_position_x | pt_position_y | pt_position_z
    101 | 864691135000000011 | 5 | 6 | 7
    102 | 20 | 0 | 0 | 0
    103 | 30 | 1 | 2 | 3
    104 | 40 | 0 | 0 | 0
    105 | 40 | 0 | 0 | 0 """


@pytest.fixture(scope="module")
def three(small_module: SmallWarehouse) -> SmallWarehouse:
    """A copied version, a later one that is not copied, and one without nuclei."""
    synapses = "id | pre_pt_root_id | post_pt_root_id | size\n1 | 77 | 20 | 5"
    small_module.given(1300, nucleus_detection_v0=NUCLEI_BEFORE, synapses_pni_2=synapses)
    small_module.given(1718, nucleus_detection_v0=NUCLEI_NOW, synapses_pni_2=synapses)
    small_module.given(943, synapses_pni_2=synapses)
    return small_module


def state_of(warehouse: SmallWarehouse, version: int, arguments: str) -> dict[str, Any]:
    """The viewer's state that a link holds."""
    ((url,),) = warehouse.ask(f"SELECT neuroglancer_link({arguments})", version)
    assert url.startswith(SITE)
    assert not set(url[len(SITE) :]) & set(' "{}[],<>')
    state: dict[str, Any] = json.loads(unquote(url[len(SITE) :]))
    return state


def test_a_copied_version_is_shown_as_it_is(three: SmallWarehouse) -> None:
    assert state_of(three, 1300, "['102', 864691135000000010]") == {
        "dimensions": {"x": [4e-09, "m"], "y": [4e-09, "m"], "z": [4e-08, "m"]},
        "layers": [
            {
                "type": "image",
                "source": "precomputed://https://bossdb-open-data.s3.amazonaws.com/iarpa_microns/minnie/minnie65/em",
                "name": "em",
            },
            {
                "type": "segmentation",
                "source": COPY,
                "segments": ["20", "864691135000000010"],
                "name": "minnie65_public v1300",
            },
        ],
        "showSlices": False,
        "layout": "xy-3d",
        "position": [5, 6, 7],
    }


def test_a_cell_is_carried_to_a_copied_version_by_its_nucleus(three: SmallWarehouse) -> None:
    """v943 is nearer in no sense: it is copied too, but nobody knows its nuclei."""
    layer = state_of(three, 1718, "[864691135000000011, 102]")["layers"][1]
    assert (layer["source"], layer["segments"]) == (COPY, ["20", "864691135000000010"])
    assert layer["name"] == "minnie65_public v1300 (for v1718)"
    assert "timestamp" not in layer


@pytest.mark.parametrize(
    ("ids", "segments", "position"),
    [("77", ["77"], None), ("[101, 103]", ["30", "864691135000000011"], [5, 6, 7]), ("40", ["40"], None)],
    ids=["orphan piece", "no segment in the copy", "merged cells"],
)
def test_what_no_copy_has_is_shown_live(
    three: SmallWarehouse, ids: str, segments: list[str], position: list[int] | None
) -> None:
    state = state_of(three, 1718, ids)
    layer = state["layers"][1]
    assert (layer["source"], layer["segments"]) == (LIVE, segments)
    assert layer["timestamp"] == 1767225608000  # 2026-01-01 00:00:08 UTC in milliseconds, the version's time
    assert layer["name"] == "minnie65_public v1718"
    assert state.get("position") == position


def test_the_segmentation_may_be_chosen(three: SmallWarehouse) -> None:
    assert state_of(three, 1718, "102, source := 'live'")["layers"][1]["source"] == LIVE
    with pytest.raises(duckdb.Error, match=r"no flat segmentation of v1718.*copied: v117, v343.*source := 'live'"):
        three.ask("SELECT neuroglancer_link(77, source := 'flat')", 1718)


def test_one_link_for_what_a_query_lists(three: SmallWarehouse) -> None:
    layer = state_of(three, 1300, "(SELECT list(nucleus_id) FROM cells WHERE pt_root_id <> 0)")["layers"][1]
    assert layer["segments"] == ["20", "864691135000000010"]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("neuroglancer_link(864691135000000010)", "it was in v1300, and its nucleus 101 is on root 8646911350"),
        ("neuroglancer_link([20, 4321])", "4321 is not known"),
        ("neuroglancer_link(20, max_length := NULL)", "max_length is NULL"),
        ("neuroglancer_link(20, max_length := 500)", "characters, more than max_length := 500; ask for fewer"),
        ("neuroglancer_link(20, source := 'graphene')", "no source named graphene; the nearest is"),
    ],
)
def test_what_would_not_open_is_refused(three: SmallWarehouse, call: str, sentence: str) -> None:
    with pytest.raises(duckdb.Error, match=sentence):
        three.ask(f"SELECT {call}", 1718)


def test_a_version_without_nuclei_refuses_alone(three: SmallWarehouse) -> None:
    with pytest.raises(duckdb.Error, match="needs the table nucleus_detection_v0"):
        three.ask("SELECT neuroglancer_link(20)", 943)
    assert three.ask("SELECT version, count(*) FROM id_map GROUP BY 1 ORDER BY 1", 943) == [(1300, 3), (1718, 5)]
