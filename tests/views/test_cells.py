"""Who is a cell, on which segment, of which type: one test for each trap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
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
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20\n3 | 30",
    aibs_metamodel_celltypes_v661="target_id | cell_type\n1 | 5P-IT\n2 | 5P-ET\n3 | MC",
    allen_v1_column_types_slanted_ref="target_id | cell_type\n1 | 5P-PT\n3 | Unsure",
    proofreading_status_and_strategy="""
        pt_root_id | valid_id | status_axon | strategy_axon       | status_dendrite | strategy_dendrite
        10         | 10       | true        | axon_fully_extended | true            | dendrite_clean """,
    nucleus_functional_area_assignment="target_id | tag | value\n1 | V1 | 12.5",
)
def test_caves_cell_info_has_caves_columns_and_words(case: SmallWarehouse) -> None:
    """5P-PT stays the column table's word there; dendrite_strategy and axon_strategy are CAVE's names."""
    case.expect(
        "aibs_cell_info",
        f"""
            id | cell_type | cell_type_source              | dendrite_strategy | axon_strategy
            1  | 5P-PT     | {MANUAL}                      | dendrite_clean    | axon_fully_extended
            2  | 5P-ET     | aibs_metamodel_celltypes_v661 |                   |
            3  | MC        | aibs_metamodel_celltypes_v661 |                   | """,
    )
    case.expect("(FROM cells WHERE nucleus_id = 1)", "cell_type | other_area_distance_um\n5P-ET | 12.5")


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


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20\n3 | 30",
    aibs_metamodel_celltypes_v661="target_id | cell_type | classification_system\n1 | BC | inhibitory_neuron",
    allen_v1_column_types_slanted_ref="""
        target_id | cell_type | classification_system
        1         | Unsure    | aibs_coarse_unclear
        2         | Unsure    | aibs_coarse_unclear
        3         | MC        | aibs_coarse_inhibitory """,
)
def test_an_unsure_answer_is_none_and_its_word_stays(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        """
            nucleus_id | cell_type | cell_class | cell_type_manual | class_manual
            1          | BC        | inhibitory | Unsure           | aibs_coarse_unclear
            2          |           |            | Unsure           | aibs_coarse_unclear
            3          | MC        | inhibitory | MC               | aibs_coarse_inhibitory """,
    )
    case.expect("(SELECT cell_type, n_cells FROM cell_type_counts())", "cell_type | n_cells\nBC | 1\nMC | 1\n | 1")


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


@NUCLEI_ONLY
def test_layers_by_another_set_of_bounds(case: SmallWarehouse) -> None:
    """The border of L4 and L5 is at 392 um by the flagship paper's bounds, at 361 by the classifier's."""
    asked = ", ".join(
        f"layer_of({depth}, source := 'cortical_layers')" for depth in (-1, 0, 361.2, 361.3, 700, 720)
    )
    assert case.ask(f"SELECT {asked}") == [(None, "L1", "L4", "L5", "L6b", "WM")]
    assert case.ask(
        "SELECT layer_of(370), layer_of(370, source := 'flagship'), layer_of(370, 'cortical_layers')"
    ) == [("L4", "L4", "L5")]
    case.expect(
        "(SELECT bounds, is_default, count(*) AS n FROM layer_bounds_by_source GROUP BY ALL)",
        "bounds | is_default | n\nflagship | true | 6\ncortical_layers | false | 7",
    )
    with pytest.raises(duckdb.Error, match="no layer bounds named allen; all are flagship, cortical_layers"):
        case.ask("SELECT layer_of(370, source := 'allen')")


@pytest.mark.given(
    nucleus_detection_v0="id\n1\n2\n3\n4\n5",
    aibs_metamodel_celltypes_v661="""
        target_id | cell_type | classification_system
        1         | 23P       | excitatory_neuron
        2         | 23P       | excitatory_neuron
        3         | oligo     | nonneuron
        4         | BC        | inhibitory_neuron """,
    baylor_log_reg_cell_type_coarse_v1="target_id | cell_type\n2 | inhibitory\n5 | excitatory",
    baylor_gnn_cell_type_fine_model_v2="id | target_id | cell_type\n9 | 1 | BC\n3 | 1 | MC\n4 | 5 | 5P-PT",
    cell_type_multifeature_combo="""
        target_id | cell_type | classification_system
        1         | L2IT      | excitatory_neuron """,
)
def test_class_and_type_that_disagree_are_marked_and_every_prediction_stands(case: SmallWarehouse) -> None:
    case.expect(
        "cells",
        """
            nucleus_id | cell_class | is_type_of_class | cell_type_multifeature | cell_type_gnn
            1          | excitatory | true             | L2IT                   | BC
            2          | inhibitory | false            |                        |
            3          | nonneuron  | true             |                        |
            4          | inhibitory | true             |                        |
            5          | excitatory |                  |                        | 5P-PT """,
    )
