"""One unit for each cell, and how alike pairs of cells are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.conftest import SmallWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """Cell 1 in three scans by hand and in one automatically, 2 only automatically, 3 without tuning."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("best"))
    warehouse.given(
        nucleus_detection_v0="""
            id | pt_root_id
            1  | 10
            2  | 20
            3  | 0 """,
        coregistration_manual_v4="""
            id | target_id | session | scan_idx | unit_id | residual
            1  | 1         | 4       | 7        | 100     | 2.5
            2  | 1         | 5       | 1        | 100     | 1.5
            3  | 1         | 6       | 1        | 100     | 0.5
            4  | 3         | 9       | 2        | 5       | 0.5
            5  | 3         | 9       | 1        | 6       | 0.5 """,
        coregistration_auto_phase3_fwd_v2="""
            id | target_id | session | scan_idx | unit_id
            1  | 1         | 8       | 1        | 100
            2  | 2         | 4       | 7        | 100 """,
        coregistration_auto_phase3_fwd_apl_vess_combined_v2="""
            target_id | session | scan_idx | unit_id
            2         | 4       | 7        | 200 """,
        digital_twin_properties_bcm_coreg_v4="""
            id | target_id | session | scan_idx | unit_id | cc_abs | cc_max
            1  | 1         | 4       | 7        | 100     | 0.5    | 0.75
            2  | 1         | 5       | 1        | 100     | 0.5    | 0.875
            3  | 1         | 8       | 1        | 100     | 0.75   | 0.875
            4  | 2         | 4       | 7        | 200     | 0.25   | 0.875 """,
    )
    yield warehouse
    warehouse.close()


def test_one_unit_for_each_nucleus(best: SmallWarehouse) -> None:
    """By hand before any score; then cc_abs, where equal cc_max; a unit without tuning last; then the earliest."""
    best.expect(
        "functional_best",
        """
            nucleus_id | match_source | session | scan_idx | unit_id | n_units | cc_abs | is_single_soma
            1          | manual       | 5       | 1        | 100     | 3       | 0.5    | true
            2          | combined     | 4       | 7        | 200     | 1       | 0.25   | true
            3          | manual       | 9       | 1        | 6       | 2       |        | false """,
    )


def test_best_without_any_match_refuses(small: SmallWarehouse) -> None:
    small.given(nucleus_detection_v0="id | pt_root_id\n1 | 10")
    with pytest.raises(duckdb.Error, match="functional_best needs the table coregistration_manual_v4 or"):
        small.ask("SELECT count(*) FROM functional_best")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """1 and 3 have proofread axons; 4 and 5 are merged, 6 has no unit; 3 is tuned by the older model only."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("pairs"))
    warehouse.given(
        nucleus_detection_v0="""
            id | pt_root_id | pt_position_x
            1  | 10         | 0
            2  | 20         | 25000
            3  | 30         | 50000
            4  | 40         | 0
            5  | 40         | 0
            6  | 60         | 0 """,
        nucleus_functional_area_assignment="""
            target_id | tag
            1         | V1
            2         | V1
            3         | RL """,
        proofreading_status_and_strategy="""
            pt_root_id | valid_id | status_axon | strategy_axon
            10         | 10       | true        | axon_fully_extended
            30         | 29       | true        | axon_partially_extended
            60         | 60       | true        | axon_fully_extended """,
        coregistration_manual_v4="""
            target_id | session | scan_idx | unit_id
            1         | 4       | 7        | 1
            2         | 4       | 7        | 2
            3         | 5       | 1        | 3
            4         | 4       | 7        | 4 """,
        digital_twin_properties_bcm_coreg_v4="""
            target_id | session | scan_idx | unit_id | pref_ori | pref_dir | cc_abs | readout_loc_x | readout_loc_y
            1         | 4       | 7        | 1       | 175.0    | 355.0    | 0.5    | 0.5           | 0.0
            2         | 4       | 7        | 2       | 5.0      | 185.0    | 0.25   | 0.125         | 0.5
            4         | 4       | 7        | 4       | 5.0      | 5.0      | 0.25   | 0.5           | 0.5 """,
        functional_properties_v3_bcm="""
            target_id | session | scan_idx | unit_id | pref_ori           | pref_dir
            3         | 5       | 1        | 3       | 1.5707963267948966 | 1.5707963267948966 """,
        synapses_pni_2="""
            id | pre_pt_root_id | post_pt_root_id | size
            1  | 10             | 20              | 100
            2  | 10             | 20              | 300
            3  | 10             | 10              | 50
            4  | 10             | 40              | 70
            5  | 20             | 10              | 90
            6  | 60             | 10              | 90 """,
    )
    yield warehouse
    warehouse.close()


def test_pairs_are_connected_or_controls(pairs: SmallWarehouse) -> None:
    """No axon that was not proofread, no merged cell, nobody without a unit; unconnected pairs are zeros."""
    pairs.expect(
        "(SELECT *, pre_nucleus_id AS a, post_nucleus_id AS b FROM functional_pairs)",
        """
            a | b | n_syn | sum_size | mean_size | is_connected | pre_n_syn | pre_is_current
            1 | 2 | 2     | 400      | 200.0     | true         | 2         | true
            1 | 3 | 0     | 0        |           | false        | 2         | true
            3 | 1 | 0     | 0        |           | false        | 0         | false
            3 | 2 | 0     | 0        |           | false        | 0         | false """,
    )


def test_differences_of_pairs_are_folded_and_say_what_they_mix(pairs: SmallWarehouse) -> None:
    """175 and 5 degrees of orientation are 10 apart; 355 and 185 of direction 170; the older model reads 0."""
    pairs.expect(
        "(SELECT *, pre_nucleus_id AS a, post_nucleus_id AS b, round(delta_ori_deg, 4) AS ori, "
        "round(delta_dir_deg, 4) AS dir, round(readout_distance_deg, 2) AS readout FROM functional_pairs)",
        """
            a | b | ori  | dir   | readout | is_same_tuning_source | is_same_scan | is_same_area
            1 | 2 | 10.0 | 170.0 | 39.09   | true                  | true         | true
            1 | 3 | 5.0  | 5.0   |                  | false                 | false        | false
            3 | 1 | 5.0  | 5.0   |                  | false                 | false        | false
            3 | 2 | 5.0  | 175.0 |                  | false                 | false        | false """,
    )
    pairs.expect(
        "(FROM functional_pairs WHERE pre_nucleus_id = 1)",
        """
            post_nucleus_id | pre_cc_abs | post_cc_abs | soma_distance_um | soma_lateral_um   | pre_match_source
            2               | 0.5        | 0.25        | 100.0            | 99.61946980917455 | manual
            3               | 0.5        |             | 200.0            | 199.2389396183491 | manual """,
    )


@pytest.mark.parametrize(
    ("a", "b", "period", "apart"),
    [
        (0, 180, 180, 0),
        (1, 179, 180, 2),
        (0, 90, 180, 90),
        (350, 20, 360, 30),
        (0, 180, 360, 180),
        (0, 360, 360, 0),
    ],
)
def test_angles_are_folded_on_their_circle(best: SmallWarehouse, a: int, b: int, period: int, apart: int) -> None:
    assert best.ask(f"SELECT fold_deg({a}, {b}, {period}), fold_deg({b}, {a}, {period})") == [(apart, apart)]
    assert best.ask(f"SELECT fold_deg(NULL, {b}, {period})") == [(None,)]


TURNS = {"up": (0.0, 90.0), "right": (1.5707963267948966, 0.0), "down": (3.141592653589793, 270.0)}
TURNS["left"] = (4.71238898038469, 180.0)


def test_the_two_conventions_agree_in_all_cardinal_directions(small: SmallWarehouse) -> None:
    """Each direction once in radians, clockwise from up, once in degrees, counter-clockwise from right."""
    units = "\n".join(f"{i} | 4 | 7 | {i}" for i in range(8))
    older = "\n".join(f"{i} | 4 | 7 | {i} | {turn[0]} | {turn[0]}" for i, turn in enumerate(TURNS.values()))
    twin = "\n".join(
        f"{i + 4} | 4 | 7 | {i + 4} | {turn[1]} | {turn[1] % 180}" for i, turn in enumerate(TURNS.values())
    )
    header = "target_id | session | scan_idx | unit_id"
    small.given(
        nucleus_detection_v0="id | pt_root_id\n" + "\n".join(f"{i} | {i + 10}" for i in range(8)),
        coregistration_manual_v4=f"{header}\n{units}",
        functional_properties_v3_bcm=f"{header} | pref_dir | pref_ori\n{older}",
        digital_twin_properties_bcm_coreg_v4=f"{header} | pref_dir | pref_ori\n{twin}",
    )
    rows = small.ask(
        "SELECT fold_deg(a.pref_dir_deg, b.pref_dir_deg, 360), fold_deg(a.pref_ori_deg, b.pref_ori_deg, 180) "
        "FROM functional_best AS a JOIN functional_best AS b ON b.nucleus_id = a.nucleus_id + 4"
    )
    assert len(rows) == 4
    assert all(max(row) < 1e-4 for row in rows)
