"""How many cells there are: by which rule, after which condition, and as CAVE counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.conftest import SmallWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """Merges of every kind.

    2 and 3 are typed and merged; 4 is merged with 5, which no table types; 6 and 7 have no segment; 8 was never
    looked up; the alternative point of 9 lies on the segment of 1.
    """
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("merged"))
    warehouse.given(
        nucleus_detection_v0="""
            id | pt_root_id | volume | pt_position_x
            1  | 10         | 100.5  | 1000
            2  | 20         | 200.5  | 2000
            3  | 20         | 300.5  | 3000
            4  | 30         | 400.5  | 4000
            5  | 30         | 500.5  | 5000
            6  | 0          | 600.5  | 6000
            7  | 0          | 700.5  | 7000
            8  | 1          | 800.5  | 8000
            9  | 90         | 900.5  | 9000 """,
        nucleus_alternative_points="""
            id | target_id | pt_root_id | pt_supervoxel_id | pt_position_x | pt_position_y | pt_position_z
            1  | 9         | 10         | 99               | 9001          | 7             | 8 """,
        aibs_metamodel_celltypes_v661="""
            id | target_id | cell_type | classification_system
            3  | 1         | 23P       | excitatory_neuron
            2  | 2         | BC        | inhibitory_neuron
            1  | 3         | MC        | inhibitory_neuron
            4  | 4         | BC        | inhibitory_neuron
            5  | 6         | BC        | inhibitory_neuron
            6  | 7         | BC        | inhibitory_neuron
            7  | 8         | BC        | inhibitory_neuron
            8  | 9         | oligo     | nonneuron """,
        allen_v1_column_types_slanted_ref="""
            id | target_id | cell_type | classification_system
            1  | 1         | 5P-PT     | aibs_coarse_excitatory
            2  | 2         | Unsure I  | aibs_coarse_inhibitory
            3  | 4         | BC        | aibs_coarse_inhibitory """,
        aibs_metamodel_celltypes_v661_corrections="""
            id | target_id | cell_type | classification_system
            1  | 3         | BC        | inhibitory_neuron """,
        nucleus_ref_neuron_svm="""
            id | target_id | cell_type
            1  | 1         | neuron
            2  | 2         | neuron
            3  | 3         | neuron
            4  | 4         | neuron
            5  | 5         | not-neuron
            6  | 6         | neuron
            9  | 9         | not-neuron """,
    )
    yield warehouse
    warehouse.close()


def test_the_nucleus_rule_drops_a_cell_merged_with_an_untyped_one(merged: SmallWarehouse) -> None:
    """By look-up root no typed cell is alone: 9's better point lies on 1's segment."""
    merged.expect("(FROM cell_type_counts() WHERE n_cells > 0)", "cell_type | n_cells")
    merged.expect(
        "cell_type_counts(rule := 'nucleus')",
        """
            cell_class | cell_type | n_cells | n_nuclei
            excitatory | 5P-ET     | 0       | 1
            inhibitory | BC        | 0       | 6
            nonneuron  | oligo     | 0       | 1
                       |           | 0       | 1 """,
    )


def test_the_type_table_rule_misses_that_merge(merged: SmallWarehouse) -> None:
    """pandas' keep=False: every root id that occurs twice is dropped, the untyped nucleus is not seen."""
    merged.expect(
        "cell_type_counts(rule := 'type_table')",
        """
            cell_class | cell_type | n_cells | n_nuclei
            excitatory | 23P       | 1       | 1
            inhibitory | BC        | 1       | 5
            inhibitory | MC        | 0       | 1
            nonneuron  | oligo     | 1       | 1 """,
    )


def test_keep_first_counts_a_merged_root_once(merged: SmallWarehouse) -> None:
    """pandas' keep='first': one of two merged cells stays: so 91,422 (v1300) exceeds 90,353 (v1507)."""
    merged.expect(
        "(FROM cell_type_counts(rule := 'type_table_first') WHERE n_cells > 0)",
        """
            cell_type | n_cells
            23P       | 1
            BC        | 1
            MC        | 1
            oligo     | 1 """,
    )


@pytest.mark.parametrize(
    "shape", ["FROM {}", "SELECT count(*) FROM {}", "FROM {} WHERE n_cells > 5", "FROM {} LIMIT 1"]
)
def test_a_misspelt_rule_names_the_rules(merged: SmallWarehouse, shape: str) -> None:
    with pytest.raises(duckdb.Error, match="no rule named nuclei; the nearest is nucleus, all are"):
        merged.ask(shape.format("cell_type_counts(rule := 'nuclei')"))


def test_agreement_is_by_nucleus_and_keeps_who_has_no_answer(merged: SmallWarehouse) -> None:
    merged.expect(
        "type_agreement",
        """
            cell_type_expert | cell_type_by_soma | cell_type_corrected | n_nuclei | is_same_type | is_changed
            5P-ET            | 23P               |                     | 1        | false        |
            BC               | BC                |                     | 1        | true         |
                             | BC                |                     | 4        |              |
                             | MC                | BC                  | 1        |              | true
                             | oligo             |                     | 1        |              | """,
    )


def test_somata_as_cave_counts_them(merged: SmallWarehouse) -> None:
    """A neuron without a segment is a nucleus, but no neuron."""
    merged.expect(
        "soma_counts",
        """
            cell_type | neuron_count | total_count
            5P-ET     | 1            | 1
            BC        | 3            | 6
            oligo     | 0            | 1
                      | 0            | 1 """,
    )


def test_single_neurons_is_a_rule_about_neurons(merged: SmallWarehouse) -> None:
    """4 shares its segment with a false detection, 1 with a glial cell; 2 and 3 are both neurons."""
    merged.expect("single_neurons", "id | pt_root_id\n1 | 10\n4 | 30")


def test_the_look_up_view_has_both_points(merged: SmallWarehouse) -> None:
    merged.expect(
        "(FROM nucleus_detection_lookup_v1 WHERE id IN (1, 9))",
        """
            id | volume | pt_root_id | orig_root_id | pt_supervoxel_id | pt_position_x | pt_position_lookup_x
            1  | 100.5  | 10         | 10           | 0                | 1000          | 1000
            9  | 900.5  | 10         | 90           | 99               | 9000          | 9001 """,
    )


@pytest.mark.parametrize(
    "name", ["nucleus_detection_lookup_v1", "aibs_cell_info", "single_neurons", "soma_counts"]
)
def test_views_named_like_caves_have_its_columns(merged: SmallWarehouse, name: str) -> None:
    ours = merged.ask(f"SELECT column_name, column_type FROM (DESCRIBE {name})")
    caves = merged.ask(f"SELECT column_name, column_type FROM (DESCRIBE v1718_cave.{name})")
    assert [row[0] for row in ours] == [row[0] for row in caves]
    assert {kind for _, kind in ours} <= {kind for _, kind in caves}


def test_the_funnel_says_what_each_condition_drops(small: SmallWarehouse) -> None:
    """One row falls at each step; 70 holds two nuclei; 20 was assessed twice; one assessment has no segment."""
    small.given(
        nucleus_detection_v0="""
            id | pt_root_id
            1  | 20
            2  | 30
            3  | 40
            4  | 50
            5  | 60
            6  | 70
            7  | 70
            8  | 80 """,
        aibs_metamodel_celltypes_v661="""
            id | target_id | classification_system
            1  | 1         | inhibitory_neuron
            2  | 6         | excitatory_neuron
            3  | 8         | nonneuron """,
        proofreading_status_and_strategy="""
            id | pt_root_id | valid_id | status_axon | strategy_axon           | status_dendrite
            1  | 0          | 9        | true        | axon_fully_extended     | true
            2  | 20         | 20       | true        | axon_fully_extended     | true
            3  | 20         | 20       | true        | axon_partially_extended | true
            4  | 30         | 30       | true        | none                    | true
            5  | 40         | 40       | true        | axon_interareal         | false
            6  | 50         | 49       | true        | axon_interareal         | true
            7  | 70         | 70       | true        | axon_interareal         | true
            8  | 80         | 80       | true        | axon_interareal         | true """,
    )
    small.expect(
        "inclusion_funnel",
        """
            step_number | n_remaining | n_excluded | n_remaining_inhibitory | n_remaining_fully_extended
            1           | 8           | 0          | 1                      | 0
            2           | 6           | 2          | 1                      | 0
            3           | 5           | 1          | 1                      | 0
            4           | 4           | 1          | 1                      | 0
            5           | 3           | 1          | 1                      | 0
            6           | 2           | 1          | 1                      | 0
            7           | 1           | 1          | 1                      | 0 """,
    )


def test_the_edge_is_where_the_outermost_nuclei_are(small: SmallWarehouse) -> None:
    small.given(
        nucleus_detection_v0="""
            id | pt_position_x | pt_position_y | pt_position_z
            1  | 0             | 500           | 0
            2  | 250000        | 500           | 25000
            3  | 125000        | 500           | 2500
            4  | 25000         | 500           | 12500
            5  | 125000        | 900           | 12500 """
    )
    small.expect(
        "cells",
        """
            nucleus_id | edge_distance_um
            1          | 0.0
            2          | 0.0
            3          | 100.0
            4          | 100.0
            5          | 500.0 """,
    )
