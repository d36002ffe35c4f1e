"""Recorded units: sources kept apart, one convention of angles."""

from __future__ import annotations

from math import acos, degrees, hypot, pi
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20",
    coregistration_manual_v4="""
        target_id | session | scan_idx | unit_id | residual
        1         | 4       | 7        | 100     | 1.5
        1         | 5       | 3        | 100     | 2.5 """,
    coregistration_auto_phase3_fwd_v2="""
        id | target_id | session | scan_idx | unit_id | residual
        1  | 2         | 4       | 7        | 100     | 3.5
        2  | 1         | 4       | 7        | 100     | 9.5 """,
)
def test_one_row_per_unit_and_source_with_conflicts_in_sight(case: SmallWarehouse) -> None:
    case.expect(
        "functional_units",
        """
            session | scan_idx | unit_id | match_source | nucleus_id | pt_root_id | n_nuclei_of_unit | residual_um
            4       | 7        | 100     | manual       | 1          | 10         | 2                | 1.5
            5       | 3        | 100     | manual       | 1          | 10         | 1                | 2.5
            4       | 7        | 100     | automatic    | 2          | 20         | 2                | 3.5 """,
    )
    case.expect("cells", "nucleus_id | is_coregistered\n1 | true\n2 | true")


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20\n3 | 30",
    proofreading_status_and_strategy="""
        pt_root_id | valid_id | status_axon | strategy_axon
        10         | 10       | true        | axon_fully_extended """,
    nucleus_functional_area_assignment="target_id | tag\n1 | V1\n3 | AL",
    synapses_pni_2="id | pre_pt_root_id | post_pt_root_id\n1 | 10 | 30",
    coregistration_manual_v4="""
        id | target_id | session | scan_idx | unit_id | residual
        1  | 2         | 4       | 7        | 100     | 3.5
        2  | 1         | 4       | 7        | 100     | 1.5 """,
    coregistration_auto_phase3_fwd_v2="""
        id | target_id | session | scan_idx | unit_id | residual
        1  | 3         | 4       | 7        | 100     | 0.5 """,
    digital_twin_properties_bcm_coreg_v4="""
        target_id | session | scan_idx | unit_id | pref_ori | readout_loc_x | readout_loc_y
        1         | 4       | 7        | 100     | 30.0     | 0.5           | 0.5 """,
)
def test_a_unit_of_several_nuclei_is_counted_before_one_is_chosen(case: SmallWarehouse) -> None:
    """One table gives the unit to 1 and to 2, another to 3; 2 is never chosen, and so has no unit anywhere."""
    case.expect(
        "functional_units",
        """
            match_source | nucleus_id | n_nuclei_of_unit
            manual       | 1          | 3
            automatic    | 3          | 3 """,
    )
    case.expect("cells", "nucleus_id | is_coregistered\n1 | true\n2 |\n3 | true")
    case.expect(
        "functional_pairs",
        """
            pre_nucleus_id | post_nucleus_id | is_same_unit | delta_ori_deg | readout_distance_deg
            1              | 3               | true         | 0.0           | 0.0 """,
    )
    case.expect(
        "(SELECT concat_ws('_', pre_session, pre_scan_idx, pre_unit_id) AS pre, "
        "concat_ws('_', post_session, post_scan_idx, post_unit_id) AS post FROM functional_pairs)",
        "pre | post\n4_7_100 | 4_7_100",
    )
    case.expect("functional_pairs", "pre_region | post_region\nV1 | HVA")


def angle(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Between two points of a monitor of 55.2 x 31 cm, 15 cm from the eye, by the law of cosines."""
    (ax, ay), (bx, by) = ((x * 27.6, y * 15.5) for x, y in (a, b))
    one, other, side = (hypot(ax, ay, 15), hypot(bx, by, 15), hypot(bx - ax, by - ay))
    return degrees(acos((one**2 + other**2 - side**2) / (2 * one * other)))


@pytest.mark.given(nucleus_detection_v0="id | pt_root_id\n1 | 10")
@pytest.mark.parametrize(
    ("a", "b"), [((0, 0), (1, 0)), ((0, 0), (0, 1)), ((-1, -1), (1, 1)), ((0.5, -0.25), (0.25, 0.75))]
)
def test_distances_of_receptive_fields_are_angles_at_the_eye(
    case: SmallWarehouse, a: tuple[float, float], b: tuple[float, float]
) -> None:
    """The whole monitor is 123 degrees wide and 92 high: an axis is not worth as much as the other."""
    ((found,),) = case.ask(f"SELECT _visual_angle_deg({a[0]}, {a[1]}, {b[0]}, {b[1]})")
    assert found == pytest.approx(angle(a, b), abs=1e-6)


DIRECTIONS = {"up": (0.0, 90), "right": (pi / 2, 0), "down": (pi, 270), "left": (3 * pi / 2, 180)}
"""What moves where, in radians from up and clockwise, in degrees from right and counter-clockwise."""
UNITS = "target_id | session | scan_idx | unit_id"


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10",
    coregistration_manual_v4="\n".join([UNITS, *(f"1 | 4 | 7 | {unit}" for unit in range(len(DIRECTIONS)))]),
    functional_properties_v3_bcm="\n".join(
        [
            f"{UNITS} | pref_dir | pref_ori",
            *(f"1 | 4 | 7 | {unit} | {moves} | {moves}" for unit, (moves, _) in enumerate(DIRECTIONS.values())),
        ]
    ),
)
@pytest.mark.parametrize(("unit", "moves"), list(enumerate(DIRECTIONS)))
def test_the_older_models_directions_in_the_twins_convention(case: SmallWarehouse, unit: int, moves: str) -> None:
    radians, expected = DIRECTIONS[moves]
    ((direction, orientation, kept),) = case.ask(
        f"SELECT pref_dir_deg, pref_ori_deg, pref_dir_rad FROM functional_units WHERE unit_id = {unit}"
    )
    assert (direction - expected + 180) % 360 - 180 == pytest.approx(0, abs=1e-4), moves
    assert (orientation - expected + 90) % 180 - 90 == pytest.approx(0, abs=1e-4), moves
    assert 0 <= direction < 360
    assert 0 <= orientation < 180
    assert kept == pytest.approx(radians)


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10",
    coregistration_manual_v4="""
        target_id | session | scan_idx | unit_id
        1         | 4       | 7        | 100
        1         | 4       | 7        | 101
        1         | 4       | 7        | 102 """,
    digital_twin_properties_bcm_coreg_v4="""
        target_id | session | scan_idx | unit_id | pref_ori | pref_dir | cc_abs
        1         | 4       | 7        | 100     | 30.0     | 210.0    | 0.5 """,
    functional_properties_v3_bcm="""
        target_id | session | scan_idx | unit_id | pref_ori | pref_dir
        1         | 4       | 7        | 100     | 1.0      | 1.0
        1         | 4       | 7        | 101     | 1.0      | 1.0 """,
)
def test_the_digital_twin_comes_first_and_is_named(case: SmallWarehouse) -> None:
    case.expect(
        "(SELECT *, round(pref_dir_deg, 2) AS direction FROM functional_units)",
        """
            unit_id | tuning_source                        | direction | pref_dir_rad | cc_abs
            100     | digital_twin_properties_bcm_coreg_v4 | 210.0     |              | 0.5
            101     | functional_properties_v3_bcm         | 32.7      | 1.0          |
            102     |                                      |           |              | """,
    )
