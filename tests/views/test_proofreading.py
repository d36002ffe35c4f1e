"""What proofreading allows, in both generations of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse


@pytest.mark.given(
    proofreading_status_and_strategy="""
        pt_root_id | valid_id | status_axon | strategy_axon
        10         | 10       | true        | axon_fully_extended
        20         | 19       | true        | axon_partially_extended
        0          | 30       | true        | axon_interareal """
)
def test_a_stale_assessment_is_a_flag_not_a_filter(case: SmallWarehouse) -> None:
    case.expect(
        "proofreading",
        """
            pt_root_id | is_current | strategy_axon
            10         | true       | axon_fully_extended
            20         | false      | axon_partially_extended """,
    )


@pytest.mark.given(
    proofreading_status_and_strategy="""
        id | pt_root_id | valid_id | status_axon | strategy_axon
        1  | 10         | 9        | true        | axon_fully_extended
        2  | 10         | 10       | false       | none
        3  | 10         | 10       | true        | axon_interareal """,
)
def test_several_assessments_of_a_segment_are_one_row(case: SmallWarehouse) -> None:
    case.expect(
        "proofreading",
        "pt_root_id | proofreading_id | strategy_axon | n_assessments\n10 | 3 | axon_interareal | 3",
    )


OLD = """
    pt_root_id | valid_id | status_dendrite | status_axon
    10         | 10       | extended        | extended
    20         | 20       | clean           | clean
    30         | 30       | extended        | non """


@pytest.mark.given(943, proofreading_status_public_release=OLD)
def test_the_old_table_in_the_new_words(case: SmallWarehouse) -> None:
    case.expect(
        "proofreading",
        """
            pt_root_id | status_dendrite | strategy_dendrite | status_axon | strategy_axon
            10         | true            | dendrite_extended | true        | axon_fully_extended
            20         | true            | dendrite_clean    | true        | axon_clean
            30         | true            | dendrite_extended | false       | none """,
    )


@pytest.mark.given(
    1300,
    proofreading_status_public_release=OLD,
    proofreading_status_and_strategy="pt_root_id | valid_id | status_axon\n10 | 10 | false",
)
def test_where_both_generations_are_there_the_newer_answers(case: SmallWarehouse) -> None:
    case.expect("proofreading", "pt_root_id | status_axon\n10 | false")


@pytest.mark.given(nucleus_detection_v0="id | pt_root_id\n1 | 10")
def test_without_either_table_it_refuses_and_cells_carry_on(case: SmallWarehouse) -> None:
    with pytest.raises(duckdb.Error, match="needs the table proofreading_status_and_strategy or"):
        case.ask("SELECT count(*) FROM proofreading")
    case.expect("cells", "nucleus_id | status_axon | strategy_axon\n1 | |")


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10",
    proofreading_status_and_strategy="""
        pt_root_id | valid_id | status_axon | strategy_axon
        10         | 10       | true        | axon_fully_extended
        20         | 20       | true        | axon_fully_extended
        30         | 29       | true        | axon_partially_extended
        40         | 40       | false       | none """,
    vortex_thalamic_proofreading_status="""
        id | pt_root_id | status
        1  | 20         | extended
        2  | 20         | clean
        3  | 50         | non """,
)
def test_proofread_axons_without_a_nucleus_are_afferents(case: SmallWarehouse) -> None:
    """10 has a nucleus, 40 and 50 have no proofread axon; two rows for 20 are one axon."""
    case.expect(
        "afferents",
        """
            pt_root_id | afferent_type | afferent_type_source                | strategy_axon           | is_current
            20         | thalamic      | vortex_thalamic_proofreading_status | axon_fully_extended     | true
            30         |               |                                     | axon_partially_extended | false """,
    )
