"""Where several rows are about one thing, the one that counts: here it never has the larger value by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

# Each later row has the smaller values, and none has its id from its place in the file.
ROWS = pytest.mark.given(
    nucleus_detection_v0="""
        id | pt_root_id
        1  | 90
        2  | 20
        3  | 70 """,
    nucleus_alternative_points="""
        id | target_id | pt_root_id | pt_supervoxel_id | pt_position_x | pt_position_y | pt_position_z
        5  | 1         | 10         | 111              | 6             | 5             | 4
        4  | 1         | 80         | 999              | 9             | 9             | 9
        3  | 3         | 30         | 333              | 3             | 3             | 3 """,
    aibs_metamodel_celltypes_v661="""
        id | target_id | cell_type | classification_system
        8  | 1         | 23P       | excitatory_neuron
        7  | 1         | MC        | inhibitory_neuron """,
    allen_v1_column_types_slanted_ref="""
        id | target_id | cell_type | classification_system
        8  | 2         | 4P        | aibs_coarse_excitatory
        7  | 2         | NGC       | aibs_coarse_inhibitory """,
    nucleus_ref_neuron_svm="id | target_id | cell_type\n6 | 1 | neuron\n5 | 1 | not-neuron\n9 | 2 | neuron",
    nucleus_functional_area_assignment="id | target_id | tag | value\n6 | 1 | AL | 1.5\n5 | 1 | V1 | 9.5",
    synapses_pni_2="""
        id | pre_pt_root_id | post_pt_root_id
        1  | 20             | 10
        2  | 20             | 10
        3  | 20             | 10 """,
    synapse_target_predictions_ssa_v2="id | target_id | tag\n9 | 1 | shaft\n8 | 1 | spine",
    synapse_target_predictions_ssa="id | target_id | tag\n9 | 2 | shaft\n8 | 2 | soma",
    synapse_target_structure="id | target_id | value\n9 | 3 | 0\n8 | 3 | 6",
)


@ROWS
def test_the_latest_alternative_point_is_taken_whole(case: SmallWarehouse) -> None:
    case.expect(
        "nucleus_detection_lookup_v1",
        """
        id | pt_root_id | pt_supervoxel_id | pt_position_lookup_x | pt_position_lookup_y | pt_position_lookup_z
        1  | 10         | 111              | 6                    | 5                    | 4
        2  | 20         | 0                | 0                    | 0                    | 0
        3  | 30         | 333              | 3                    | 3                    | 3 """,
    )


@ROWS
def test_the_latest_answer_of_each_table_counts(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        """
        nucleus_id | cell_type | cell_class | cell_type_by_soma | cell_type_manual | is_neuron | visual_area
        1          | 23P       | excitatory | 23P               |                  | true      | AL
        2          | 4P        | excitatory |                   | 4P               | true      |
        3          |           |            |                   |                  |           | """,
    )
    case.expect("(FROM cells WHERE nucleus_id = 1)", "other_area_distance_um\n1.5")


@ROWS
def test_the_latest_tag_of_a_synapse_counts(case: SmallWarehouse) -> None:
    case.expect(
        "synapse_targets",
        """
        id | target_structure | tag_v2 | tag_v1 | structure_code | fine_structure
        1  | shaft            | shaft  |        |                |
        2  | shaft            |        | shaft  |                |
        3  |                  |        |        | 0              | spine head """,
    )


ASSESSMENTS = pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20\n3 | 30",
    proofreading_status_and_strategy="""
        id | pt_root_id | valid_id | status_axon | strategy_axon           | status_dendrite | strategy_dendrite
        1  | 10         | 10       | false       | none                    | true            | dendrite_clean
        2  | 10         | 9        | true        | axon_fully_extended     | false           | none
        3  | 20         | 20       | true        | axon_interareal         | false           | none
        4  | 20         | 20       | false       | none                    | true            | dendrite_clean
        6  | 30         | 30       | true        | axon_fully_extended     | false           | none
        5  | 30         | 30       | true        | axon_partially_extended | true            | dendrite_clean """,
)


@ASSESSMENTS
def test_the_best_assessment_counts_before_the_latest(case: SmallWarehouse) -> None:
    """Of 10 the current one, of 20 that of a proofread axon, though both are older; of 30 the latest."""
    case.expect(
        "proofreading",
        """
        pt_root_id | proofreading_id | is_current | status_axon | strategy_axon       | status_dendrite
        10         | 1               | true       | false       | none                | true
        20         | 3               | true       | true        | axon_interareal     | false
        30         | 6               | true       | true        | axon_fully_extended | false """,
    )
    case.expect("(FROM cells WHERE nucleus_id = 1)", "strategy_axon | is_current\nnone | true")


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20",
    coregistration_manual_v4="""
        id | target_id | session | scan_idx | unit_id | residual
        9  | 1         | 4       | 7        | 1       | 2.5
        8  | 2         | 4       | 7        | 1       | 7.5
        7  | 2         | 4       | 7        | 2       | 1.5
        6  | 1         | 4       | 7        | 2       | 1.5
        5  | 2         | 4       | 7        | 3       |
        4  | 1         | 4       | 7        | 3       | 90 """,
    digital_twin_properties_bcm_coreg_v4="""
        id | target_id | session | scan_idx | unit_id | cc_abs
        9  | 1         | 4       | 7        | 1       | 0.25
        8  | 1         | 4       | 7        | 1       | 0.75 """,
)
def test_the_nearest_match_and_the_latest_tuning_count(case: SmallWarehouse) -> None:
    """Unit 2 is as near to both, so the older annotation counts; of unit 3 one distance is not known."""
    case.expect(
        "functional_units",
        """
        unit_id | nucleus_id | residual_um | n_nuclei_of_unit | cc_abs
        1       | 1          | 2.5         | 2                | 0.25
        2       | 1          | 1.5         | 2                |
        3       | 1          | 90.0        | 2                | """,
    )
