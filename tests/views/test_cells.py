"""Who is a cell, on which segment, of which type: one test for each trap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

MANUAL = "allen_v1_column_types_slanted_ref"


ALTERNATIVES = pytest.mark.given(
    nucleus_detection_v0="""
        id | pt_root_id
        1  | 10
        2  | 20
        3  | 30
        4  | 40 """,
    nucleus_alternative_points="""
        id | target_id | pt_root_id | pt_supervoxel_id
        7  | 1         | 11         | 111
        8  | 1         | 12         | 112
        9  | 3         | 40         | 113 """,
)


@ALTERNATIVES
def test_an_alternative_point_moves_the_cell_to_another_root(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        """
            nucleus_id | pt_root_id | orig_root_id | root_source       | pt_supervoxel_id
            1          | 12         | 10           | alternative point | 112
            2          | 20         | 20           | centroid          | 0
            3          | 40         | 30           | alternative point | 113
            4          | 40         | 40           | centroid          | 0 """,
    )


@ALTERNATIVES
def test_an_alternative_point_can_make_a_merged_cell(case: SmallWarehouse) -> None:
    case.expect(
        "multi_soma_roots",
        """
            pt_root_id | n_nuclei_on_root | nucleus_ids
            40         | 2                | [3, 4] """,
    )


@pytest.mark.given(
    nucleus_detection_v0="""
        id | pt_root_id
        1  | 10
        2  | 20
        3  | 20
        4  | 30
        5  | 30
        6  | 0
        7  | 0
        8  | 1 """,
    nucleus_ref_neuron_svm="""
        target_id | cell_type
        1         | neuron
        2         | neuron
        3         | not-neuron
        4         | neuron
        5         | neuron
        6         | neuron
        7         | neuron
        8         | neuron """,
)
def test_both_rules_for_merged_cells(case: SmallWarehouse) -> None:
    """A lone neuron, a neuron with a false detection, two neurons, and two nuclei without a segment."""
    case.expect(
        "cells",
        """
            nucleus_id | n_nuclei_on_root | n_neurons_on_root | is_single_soma | is_single_neuron
            1          | 1                | 1                 | true           | true
            2          | 2                | 1                 | false          | true
            3          | 2                | 1                 | false          | false
            4          | 2                | 2                 | false          | false
            5          | 2                | 2                 | false          | false
            6          |                  |                   | false          | false
            7          |                  |                   | false          | false
            8          |                  |                   | false          | false """,
    )
    case.expect("neurons", "nucleus_id\n1")
    case.expect(
        "multi_soma_roots",
        """
            pt_root_id | n_nuclei_on_root | n_neurons_on_root
            20         | 2                | 1
            30         | 2                | 2 """,
    )


NUCLEI_ONLY = pytest.mark.given(
    nucleus_detection_v0="""
        id | pt_root_id | pt_position_x | pt_position_y | pt_position_z
        1  | 10         | 173584        | 145120        | 21127
        2  | 0          | 173584        | 60000         | 21127
        3  | 30         | 173584        | 400000        | 21127 """
)


@NUCLEI_ONLY
def test_without_the_classifier_the_neuron_rule_is_unknown_not_false(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        """
            nucleus_id | n_neurons_on_root | is_neuron | is_single_soma | is_single_neuron
            1          |                   |           | true           |
            2          |                   |           | false          | false
            3          |                   |           | true           | """,
    )


TYPED = pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 10\n3 | 30",
    aibs_metamodel_celltypes_v661="id | target_id | cell_type\n1 | 1 | BC\n2 | 3 | BC\n3 | 3 | MC",
    nucleus_functional_area_assignment="id | target_id | tag\n1 | 3 | V1\n2 | 3 | RL",
    nucleus_ref_neuron_svm="id | target_id | cell_type\n1 | 3 | neuron\n2 | 3 | not-neuron",
)


@TYPED
def test_a_typed_cell_merged_with_an_untyped_one_is_found(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        """
            nucleus_id | cell_type | is_single_soma
            1          | BC        | false
            2          |           | false
            3          | MC        | true """,
    )


@pytest.mark.given(
    nucleus_detection_v0="id\n1\n2\n3\n4\n5",
    aibs_metamodel_celltypes_v661="""
        target_id | cell_type
        1         | 23P
        2         | 5P-IT
        3         | BC
        4         | MC """,
    allen_v1_column_types_slanted_ref="""
        target_id | cell_type
        2         | 5P-PT
        3         | Unsure I """,
    aibs_metamodel_celltypes_v661_corrections="""
        target_id | cell_type
        3         | unsure
        4         | BPC """,
)
def test_types_by_precedence_with_source_and_every_answer(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        f"""
            nucleus_id | cell_type | cell_type_source | cell_type_corrected | cell_type_manual | cell_type_by_soma
            1 | 23P   | aibs_metamodel_celltypes_v661             |        |          | 23P
            2 | 5P-ET | {MANUAL}                                  |        | 5P-PT    | 5P-IT
            3 | BC    | aibs_metamodel_celltypes_v661             | unsure | Unsure I | BC
            4 | BPC   | aibs_metamodel_celltypes_v661_corrections | BPC    |          | MC
            5 |       |                                           |        |          | """,
    )


@pytest.mark.given(
    nucleus_detection_v0="id\n1\n2\n3\n4",
    aibs_metamodel_celltypes_v661="""
        target_id | classification_system
        1         | excitatory_neuron
        2         | excitatory_neuron
        3         | nonneuron """,
    baylor_log_reg_cell_type_coarse_v1="target_id | cell_type\n1 | inhibitory\n2 | inhibitory",
    allen_v1_column_types_slanted_ref="target_id | classification_system\n1 | aibs_coarse_excitatory",
    aibs_column_nonneuronal_ref="target_id | classification_system\n4 | aibs_coarse_nonneuronal",
)
def test_classes_by_precedence(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        f"""
            nucleus_id | cell_class | cell_class_source                  | class_by_soma     | class_by_spines
            1          | excitatory | {MANUAL}                           | excitatory_neuron | inhibitory
            2          | inhibitory | baylor_log_reg_cell_type_coarse_v1 | excitatory_neuron | inhibitory
            3          | nonneuron  | aibs_metamodel_celltypes_v661      | nonneuron         |
            4          | nonneuron  | aibs_column_nonneuronal_ref        |                   | """,
    )


@TYPED
def test_a_nucleus_with_two_rows_in_a_type_table_stays_one_cell(case: SmallWarehouse) -> None:
    case.expect(
        "(FROM cells WHERE nucleus_id = 3)",
        "nucleus_id | cell_type | visual_area | is_neuron\n3 | MC | RL | false",
    )


@NUCLEI_ONLY
def test_depth_and_layer(case: SmallWarehouse) -> None:
    """The published example point, and one above the pia, which is in no layer."""
    case.expect(
        "(SELECT *, round(depth_um, 4) AS depth FROM cells)",
        """
            nucleus_id | depth     | layer | x_nm   | y_nm    | z_nm
            1          | 242.1154  | L2/3  | 694336.0 | 580480.0  | 845080.0
            2          | -97.0689  |       | 694336.0 | 240000.0  | 845080.0
            3          | 1257.7559 | WM    | 694336.0 | 1600000.0 | 845080.0 """,
    )


@NUCLEI_ONLY
def test_every_layer_begins_where_the_one_above_ends(case: SmallWarehouse) -> None:
    case.expect(
        "(SELECT layer, layer_of(top_um) AS at_top, layer_of(top_um - 0.001) AS above FROM layer_bounds)",
        """
            layer | at_top | above
            L1    | L1     |
            L2/3  | L2/3   | L1
            L4    | L4     | L2/3
            L5    | L5     | L4
            L6    | L6     | L5
            WM    | WM     | L6 """,
    )
    assert case.ask("SELECT layer_of(NULL)") == [(None,)]
