"""Questions about populations: who counts as a cell, what is possible, and what is never pooled or hidden.

One small volume for all of them. Cells 1, 2, 7 are 23P and 3, 4 are BC; 5 (MC) is merged with 6, which is no
neuron; 8 has no segment. Axons 1 and 3 are fully extended, 2 is partially extended, 7 was edited since, 4 was not
proofread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

NUCLEI = """
    id | pt_root_id | pt_position_x | pt_position_y | pt_position_z
    1  | 10         | 100000        | 140000        | 10000
    2  | 20         | 100000        | 140000        | 10500
    3  | 30         | 100000        | 140000        | 11500
    4  | 40         | 100000        | 140000        | 12500
    5  | 50         | 50000         | 140000        | 0
    6  | 50         | 150000        | 140000        | 20000
    7  | 70         | 100000        | 140000        | 14500
    8  | 0          | 100000        | 140000        | 10000 """
NEURONS = """
    target_id | cell_type
    1 | neuron
    2 | neuron
    3 | neuron
    4 | neuron
    5 | neuron
    6 | not-neuron
    7 | neuron
    8 | neuron """
TYPES = """
    target_id | classification_system | cell_type
    1 | excitatory_neuron | 23P
    2 | excitatory_neuron | 23P
    3 | inhibitory_neuron | BC
    4 | inhibitory_neuron | BC
    5 | inhibitory_neuron | MC
    7 | excitatory_neuron | 23P
    8 | inhibitory_neuron | MC """
PROOFREADING = """
    pt_root_id | valid_id | status_axon | strategy_axon           | status_dendrite | strategy_dendrite
    10         | 10       | true        | axon_fully_extended     | true            | dendrite_extended
    20         | 20       | true        | axon_partially_extended | true            | dendrite_clean
    30         | 30       | true        | axon_fully_extended     | true            | dendrite_clean
    40         | 40       | false       | none                    | true            | dendrite_clean
    70         | 69       | true        | axon_fully_extended     | true            | dendrite_clean """
SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | size
    1  | 10             | 20              | 100
    2  | 10             | 20              | 300
    3  | 20             | 10              | 50
    4  | 10             | 10              | 70
    5  | 10             | 30              | 10
    6  | 30             | 10              | 5
    7  | 10             | 40              | 20
    8  | 40             | 10              | 20
    9  | 10             | 50              | 20
    10 | 70             | 20              | 20
    11 | 0              | 10              | 20
    12 | 10             | 1               | 20
    13 | 91             | 10              | 20
    14 | 92             | 10              | 20
    15 | 93             | 10              | 20
    16 | 94             | 10              | 20
    17 | 95             | 10              | 20
    18 | 10             | 99              | 20
    19 | 30             | 40              | 20
    20 | 40             | 30              | 20 """


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    from tests.conftest import SmallWarehouse

    warehouse = SmallWarehouse(tmp_path_factory.mktemp("population") / "root")
    warehouse.given(
        nucleus_detection_v0=NUCLEI,
        nucleus_ref_neuron_svm=NEURONS,
        aibs_metamodel_celltypes_v661=TYPES,
        proofreading_status_and_strategy=PROOFREADING,
        synapses_pni_2=SYNAPSES,
        synapse_target_predictions_ssa="target_id | tag\n3 | spine\n6 | soma",
        synapse_target_predictions_ssa_v2="target_id | tag\n6 | shaft",
        synapse_target_structure="target_id | value\n6 | 4\n8 | 3",
    )
    yield warehouse
    warehouse.close()


def test_type_pairs_have_a_row_for_each_strategy_and_for_nothing_found(volume: SmallWarehouse) -> None:
    """Q32. Denominators from the cells; no self pairs; the stale axon and the merged and missing cells are out."""
    volume.expect(
        "cell_type_connectivity",
        """
pre_strategy_axon | pre_cell_type | post_cell_type | n_pre_cells | n_post_cells | n_possible | n_connected | n_syn
axon_fully_extended | 23P | 23P | 1 | 3 | 2 | 1 | 2
axon_fully_extended | 23P | BC | 1 | 2 | 2 | 2 | 2
axon_fully_extended | BC | 23P | 1 | 3 | 3 | 1 | 1
axon_fully_extended | BC | BC | 1 | 2 | 1 | 1 | 1
axon_partially_extended | 23P | 23P | 1 | 3 | 2 | 1 | 1
axon_partially_extended | 23P | BC | 1 | 2 | 2 | 0 | 0 """,
    )


def test_probability_has_its_wilson_interval(volume: SmallWarehouse) -> None:
    """1 of 2: 0.0945 to 0.9055, and 0 of 2 begins at zero exactly."""
    rows = volume.ask(
        "SELECT connection_probability, round(probability_low, 4), round(probability_high, 4) "
        "FROM cell_type_connectivity WHERE pre_strategy_axon = 'axon_partially_extended' ORDER BY post_cell_type"
    )
    assert rows == [(0.5, 0.0945, 0.9055), (0, 0, 0.6576)]


def macro(volume: SmallWarehouse, arguments: str) -> dict[tuple[str, ...], tuple[int, ...]]:
    rows = volume.ask(
        "SELECT pre_strategy_axon, pre_label, post_label, n_possible, n_connected "
        f"FROM type_connectivity({arguments})"
    )
    return {row[:3]: row[3:] for row in rows}


FULL, PART = "axon_fully_extended", "axon_partially_extended"


def test_thresholds_cut_the_numerator_only(volume: SmallWarehouse) -> None:
    """Q40."""
    at_least_two = macro(volume, "min_syn := 2")
    assert at_least_two[FULL, "23P", "23P"] == (2, 1)
    assert at_least_two[FULL, "23P", "BC"] == (2, 0)
    assert macro(volume, "min_syn := 2, min_size := 200")[FULL, "23P", "23P"] == (2, 0)
    assert macro(volume, "min_size := 200")[FULL, "23P", "23P"] == (2, 1)


def test_strategies_are_pooled_only_when_asked(volume: SmallWarehouse) -> None:
    assert macro(volume, "strategy := 'pooled'")["pooled", "23P", "23P"] == (4, 2)
    assert {key[0] for key in macro(volume, f"strategy := '{PART}'")} == {PART}


def test_an_edited_axon_is_a_parameter(volume: SmallWarehouse) -> None:
    """Q16: cells 1 and 7 onto 1, 2, 7: six pairs less two self pairs."""
    assert macro(volume, "require_current := false")[FULL, "23P", "23P"] == (4, 2)


def test_a_neuron_merged_with_something_else_is_a_parameter(volume: SmallWarehouse) -> None:
    assert (FULL, "23P", "MC") not in macro(volume, "")
    assert macro(volume, "soma_rule := 'single_neuron'")[FULL, "23P", "MC"] == (1, 1)


def test_the_published_square_of_proofread_cells(volume: SmallWarehouse) -> None:
    """Q32: both ends proofread and current (1, 2, 3), by class: E x (E - 1), E x I, I x E, I x (I - 1)."""
    square = macro(volume, "strategy := 'pooled', by := 'cell_class', among := 'proofread'")
    assert square == {
        ("pooled", "excitatory", "excitatory"): (2, 2),
        ("pooled", "excitatory", "inhibitory"): (2, 1),
        ("pooled", "inhibitory", "excitatory"): (2, 1),
        ("pooled", "inhibitory", "inhibitory"): (0, 0),
    }


@pytest.mark.parametrize(
    ("argument", "nearest"),
    [
        ("strategy := 'axon_fully_extend'", "the nearest is axon_fully_extended"),
        ("soma_rule := 'single_somas'", "the nearest is single_soma"),
        ("by := 'celltype'", "the nearest is cell_type"),
        ("among := 'proof'", "the nearest is proofread"),
    ],
)
@pytest.mark.parametrize("query", ["SELECT count(*) FROM {}", "SELECT n_syn FROM {} WHERE n_syn > 9 LIMIT 1"])
def test_a_misspelt_word_names_the_nearest(
    volume: SmallWarehouse, query: str, argument: str, nearest: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=nearest):
        volume.ask(query.format(f"type_connectivity({argument})"))


def test_each_cell_has_a_row_for_each_type(volume: SmallWarehouse) -> None:
    volume.expect(
        "connectivity_by_cell",
        """
            pre_nucleus_id | pre_is_current | post_cell_type | n_possible | n_connected | n_syn | sum_size
            1              | true           | 23P            | 2          | 1           | 2     | 400
            1              | true           | BC             | 2          | 2           | 2     | 30
            2              | true           | 23P            | 2          | 1           | 1     | 50
            2              | true           | BC             | 2          | 0           | 0     | 0
            3              | true           | 23P            | 3          | 1           | 1     | 5
            3              | true           | BC             | 1          | 1           | 1     | 20
            7              | false          | 23P            | 2          | 1           | 1     | 20
            7              | false          | BC             | 2          | 0           | 0     | 0 """,
    )


def test_possible_pairs_are_all_ordered_pairs_less_self_pairs(volume: SmallWarehouse) -> None:
    volume.expect(
        "(SELECT pre_strategy_axon, pre_is_current, sum(n_possible)::BIGINT AS n "
        "FROM possible_pairs GROUP BY ALL)",
        """
            pre_strategy_axon       | pre_is_current | n
            axon_fully_extended     | true           | 8
            axon_fully_extended     | false          | 4
            axon_partially_extended | true           | 4 """,
    )
    volume.expect(
        "(FROM possible_pairs WHERE pre_cell_type = 'BC' AND post_cell_type = '23P')",
        """
            distance_from_um | distance_to_um | n_possible
            50.0             | 75.0           | 1
            25.0             | 50.0           | 1
            100.0            | 125.0          | 1 """,
    )


def test_distance_counts_what_the_edge_spares(volume: SmallWarehouse) -> None:
    """Cell 3 is 200 um from the nearest side, so all its rings lie inside."""
    volume.expect(
        "(FROM distance_dependence WHERE pre_cell_type = 'BC' AND post_cell_type = '23P' AND measure = 'lateral')",
        """
    distance_from_um | n_possible | n_connected | n_possible_inside | n_connected_inside | probability_inside
    25.0             | 1          | 0           | 1                 | 0                  | 0.0
    50.0             | 1          | 1           | 1                 | 1                  | 1.0
    100.0            | 1          | 0           | 1                 | 0                  | 0.0 """,
    )


def test_both_directions_of_a_pair_stand_in_one_row(volume: SmallWarehouse) -> None:
    """Q35. Cell 4 was not proofread: that it sends nothing back would be no observation."""
    volume.expect(
        "reciprocal_pairs",
        """
    nucleus_id_a | nucleus_id_b | n_syn_ab | n_syn_ba | sum_size_ab | is_reciprocal
    1            | 2            | 2        | 1        | 400         | true
    1            | 3            | 1        | 1        | 10          | true
    2            | 7            | 0        | 1        | 0           | false """,
    )
    volume.expect(
        "reciprocal_pairs",
        """
    nucleus_id_a | nucleus_id_b | is_current_a | is_current_b | both_proofread
    1            | 2            | true         | true         | true
    1            | 3            | true         | true         | true
    2            | 7            | true         | false        | false """,
    )


def test_five_pieces_of_an_axon_are_five_segments_and_no_cell(volume: SmallWarehouse) -> None:
    """Q20, Q33: without autapse, roots 0 and 1; a merged segment and a cell without synapses keep their rows."""
    volume.expect(
        "in_out_degree",
        """
            pt_root_id | nucleus_id | n_nuclei_on_root | n_input_syn | n_pre_segments | n_pre_cells | n_autapses
            10         | 1          | 1                | 8           | 8              | 3           | 1
            20         | 2          | 1                | 3           | 2              | 2           | 0
            30         | 3          | 1                | 2           | 2              | 2           | 0
            40         | 4          | 1                | 2           | 2              | 2           | 0
            50         |            | 2                | 1           | 1              | 1           | 0
            70         | 7          | 1                | 0           | 0              | 0           | 0 """,
    )
    volume.expect(
        "in_out_degree",
        """
            pt_root_id | strategy_axon           | n_output_syn | n_post_segments | n_post_cells
            10         | axon_fully_extended     | 6            | 5               | 3
            20         | axon_partially_extended | 1            | 1               | 1
            30         | axon_fully_extended     | 2            | 2               | 2
            40         |                         | 2            | 2               | 2
            50         |                         | 0            | 0               | 0
            70         | axon_fully_extended     | 1            | 1               | 1 """,
    )
    volume.expect(
        "(FROM in_out_degree WHERE pt_root_id = 10)",
        """
            input_sum_size | input_mean_size | output_sum_size
            175            | 21.875          | 470 """,
    )


def test_balance_of_inputs_says_how_much_of_it_is_known(volume: SmallWarehouse) -> None:
    """Q48, Q24."""
    volume.expect(
        "(FROM ei_balance WHERE nucleus_id = 1)",
        """
            n_input_syn | n_excitatory | n_inhibitory | n_unknown | typed_fraction | proofread_fraction
            8           | 1            | 2            | 5         | 0.375          | 0.25 """,
    )
    volume.expect(
        "(FROM ei_balance WHERE nucleus_id = 1)",
        """
            n_spine_excitatory | n_shaft_inhibitory | n_soma_syn | n_untagged_syn | n_untagged_inhibitory
            1                  | 1                  | 0          | 6              | 1 """,
    )
    assert volume.ask("SELECT nucleus_id FROM ei_balance ORDER BY 1") == [(1,), (2,), (3,), (4,)]


def test_the_later_release_of_the_tags_counts(volume: SmallWarehouse) -> None:
    volume.expect(
        "synapse_targets",
        """
            id | target_structure | target_structure_source           | tag_v2 | tag_v1 | structure_code
            3  | spine            | synapse_target_predictions_ssa    |        | spine  |
            6  | shaft            | synapse_target_predictions_ssa_v2 | shaft  | soma   | 4
            8  |                  |                                   |        |        | 3 """,
    )


def test_typed_synapses_keep_every_synapse(volume: SmallWarehouse) -> None:
    assert volume.ask("SELECT count(*) FROM synapses_typed") == [(20,)]
    volume.expect(
        "(FROM synapses_typed WHERE id IN (3, 9, 10, 13))",
        """
            id | pre_nucleus_id | pre_axon_proofread | pre_is_current | post_nucleus_id | target_structure
            3  | 2              | true               | true           | 1               | spine
            9  | 1              | true               | true           |                 |
            10 | 7              | true               | false          | 2               |
            13 |                | false              |                | 1               | """,
    )


def test_views_of_caves_names_have_caves_columns(volume: SmallWarehouse) -> None:
    for name in ("connections_with_nuclei", "synapses_pni_2_in_out_degree"):
        ours, caves = (volume.ask(f"SELECT column_name, column_type FROM (DESCRIBE {schema}.{name})")
                       for schema in ("v1718", "v1718_cave"))  # fmt: skip
        assert ours == caves
    volume.expect(
        "(FROM synapses_pni_2_in_out_degree WHERE root_id IN (1, 10, 91))",
        """
            root_id | n_input | avg_input_size | n_output | avg_output_size
            1       | 1       | 20.0           |          |
            10      | 10      | 26.5           | 8        | 70.0
            91      |         |                | 1        | 20.0 """,
    )
    volume.expect(
        "(FROM connections_with_nuclei WHERE pre_pt_root_id = 10)",
        """
            post_pt_root_id | n_syn | sum_size | pre_nuc_id | post_nuc_id
            20              | 2     | 400.0    | 1          | 2
            30              | 1     | 10.0     | 1          | 3
            40              | 1     | 20.0     | 1          | 4
            50              | 1     | 20.0     | 1          |
            99              | 1     | 20.0     | 1          |  """,
    )


@pytest.fixture(scope="module")
def outputs_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    from tests.conftest import SmallWarehouse

    warehouse = SmallWarehouse(tmp_path_factory.mktemp("outputs") / "root")
    warehouse.given(
        scope="proofread",
        nucleus_detection_v0=NUCLEI,
        proofreading_status_and_strategy=PROOFREADING,
        synapses_pni_2=SYNAPSES,
    )
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize(
    "view", ["ei_balance", "in_out_degree", "connections_with_nuclei", "synapses_pni_2_in_out_degree"]
)
def test_inputs_are_refused_where_only_outputs_are(outputs_only: SmallWarehouse, view: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="--synapses all"):
        outputs_only.ask(f"SELECT count(*) FROM {view}")


def test_outputs_are_answered_where_only_outputs_are(outputs_only: SmallWarehouse) -> None:
    assert outputs_only.ask("SELECT sum(n_connected) FROM cell_type_connectivity") == [(6,)]
