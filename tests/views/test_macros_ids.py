"""Ids as arguments of macros: what they stand for, in which form they come, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.conftest import SmallWarehouse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """Two versions between which nucleus 101's root changed from 9 to 10."""
    root: Path = tmp_path_factory.mktemp("macros") / "root"
    warehouse = SmallWarehouse(root)
    warehouse.given(
        943,
        nucleus_detection_v0="id | pt_root_id\n101 | 9\n102 | 20\n105 | 50",
        synapses_pni_2="id | pre_pt_root_id | post_pt_root_id | size\n1 | 9 | 555 | 10\n2 | 20 | 9 | 10",
    )
    warehouse.given(
        1718,
        nucleus_detection_v0="id | pt_root_id\n101 | 10\n102 | 20\n103 | 30\n104 | 30\n105 | 0",
        synapses_pni_2="""
            id | pre_pt_root_id | post_pt_root_id | size
            1  | 10             | 20              | 100
            2  | 20             | 10              | 300
            3  | 77             | 10              | 40
            4  | 10             | 10              | 50
            5  | 0              | 10              | 50 """,
    )
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize(
    "ids",
    [
        "10", "101", "'10'", "[10]", "['101']", "[[10], [101]]",
        "(SELECT list(pt_root_id) FROM cells WHERE nucleus_id = 101)",
    ],
)  # fmt: skip
def test_an_id_may_come_in_any_form(two: SmallWarehouse, ids: str) -> None:
    assert two.ask(f"SELECT count(*) FROM input_synapses({ids})", 1718) == [(4,)]
    assert two.ask(f"SELECT count(*) FROM output_synapses({ids})", 1718) == [(2,)]


STALE = "9 is not in v1718; it was in v943, and its nucleus 101 is on root 10 now"
WRONG = {
    "9": STALE,
    "[10, 9]": STALE,
    "555": "it was in v943 as a segment without a nucleus",
    "4321": "4321 is not known: no root id or nucleus id of a local version",
    "105": "nucleus 105 has no segment in v1718",
    "0": "0 is no segment",
    "NULL": "an id is NULL",
    "10.0": "cannot hold 18 digits",
    "1e1": "cannot hold 18 digits",
    "'1e1'": "1e1 is no id",
    "' '": "an empty text is no id",
}


@pytest.mark.parametrize("ids", WRONG)
def test_a_wrong_id_gets_a_sentence(two: SmallWarehouse, ids: str) -> None:
    with pytest.raises(duckdb.Error, match=WRONG[ids]):
        two.ask(f"FROM input_synapses({ids})", 1718)


def test_a_list_can_be_looked_over_at_once(two: SmallWarehouse) -> None:
    two.expect(
        "(SELECT *, problem IS NULL AS fine FROM check_ids([10, '102', 30, 103, 77, 9, 105]))",
        """
            id  | pt_root_id | n_nuclei_on_root | nucleus_id | fine
            10  | 10         | 1                | 101        | true
            102 | 20         | 1                | 102        | true
            30  | 30         | 2                |            | true
            103 | 30         | 2                | 103        | true
            77  | 77         | 0                |            | true
            9   |            |                  |            | false
            105 |            |                  | 105        | false """,
        1718,
    )


def test_from_root_to_nucleus_and_back(two: SmallWarehouse) -> None:
    assert two.ask("SELECT root_of(101), root_of(10), nucleus_of(20), nucleus_of(77)", 1718) == [
        (10, 10, 102, None)
    ]
    with pytest.raises(duckdb.Error, match="30 holds 2 nuclei"):
        two.ask("SELECT nucleus_of(30)", 1718)
    with pytest.raises(duckdb.Error, match=STALE):
        two.ask("SELECT root_of(9)", 1718)


def test_one_id_is_one_id(two: SmallWarehouse) -> None:
    """Several ids of one segment are still one root; any other number of them is a sentence, not DuckDB's own."""
    assert two.ask("SELECT root_of([101, 10]), nucleus_of(['101'])", 1718) == [(10, 101)]
    for call in (
        "{}([101, 102])",
        "{}([101, 20])",
        "{}((SELECT list(nucleus_id) FROM cells WHERE nucleus_id < 105))",
        "{}([])",
    ):
        for macro in ("root_of", "nucleus_of"):
            for question in ("SELECT {}", "SELECT count({})", "SELECT 1 WHERE {} IS NULL"):
                with pytest.raises(duckdb.Error, match=f"{macro} takes one id, and here are .*ask check_ids"):
                    two.ask(question.format(call.format(macro)), 1718)


def test_every_macro_is_listed_with_its_signature_and_an_example(two: SmallWarehouse) -> None:
    listed = {row[0]: row[1:] for row in two.ask("SELECT name, signature, returns, example FROM macros", 1718)}
    assert listed["input_partners"][:2] == ("input_partners(ids, min_syn := 1)", "rows")
    assert listed["root_of"][1] == "value"
    assert not [name for name in listed if name.startswith("_")]
    assert listed["check_ids"][2].startswith("FROM check_ids(")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("input_partners(101, 250721)", "min_syn is a number of things, and 250721 looks like an id"),
        ("input_partners(101, 864691135572530981)", "864691135572530981 looks like an id"),
        ("common_inputs(101, 102, 103)", "segments is true or false, not 103"),
        ("common_outputs(101, 102, 864691135572530981)", "segments is true or false, not 864691135572530981"),
        ("connection_matrix(101, 102, 864691135572530981)", "min_syn is a number of things"),
        ("connection_matrix(101, 102, min_size := 864691135572530981)", "min_size is a number of things"),
    ],
)
def test_an_id_where_a_number_or_a_switch_is_expected_is_refused(
    two: SmallWarehouse, call: str, sentence: str
) -> None:
    with pytest.raises(duckdb.Error, match=sentence):
        two.ask(f"FROM {call}", 1718)


def test_a_threshold_and_a_switch_are_taken(two: SmallWarehouse) -> None:
    two.expect("input_partners(101, 1)", "pre_pt_root_id\n20\n77", 1718)
    assert two.ask("FROM common_inputs(101, 102, segments := true)", 1718) == []


@pytest.mark.given(
    nucleus_detection_v0="id | pt_root_id\n1 | 11\n2 | 13\n3 | 30\n4 | 40\n5 | 50",
    nucleus_alternative_points="target_id | pt_root_id\n1 | 10\n2 | 20\n4 | 0\n5 | 30",
    proofreading_status_and_strategy="""
        pt_root_id | valid_id | status_axon | strategy_axon
        30         | 29       | true        | axon_fully_extended """,
    synapses_pni_2="id | pre_pt_root_id | post_pt_root_id\n1 | 13 | 10",
)
def test_ids_of_caves_own_tables_get_their_true_sentence(case: SmallWarehouse) -> None:
    """11, 40, 50 lie under a centroid only; 13 too, but has a synapse; 29 is a former root of 30."""
    case.expect(
        "check_ids([11, 13, 29, 40, 50, 77])",
        """
            id | pt_root_id | moved_to_root_id
            11 |            | 10
            13 | 13         |
            29 |            | 30
            40 |            |
            50 |            | 30
            77 |            | """,
    )
    problems = dict(case.ask("SELECT id, problem FROM check_ids([11, 29, 40, 77])"))
    assert problems[11] == (
        "11 lies under the centroid of nucleus 1 in v1718, but is not its cell; the cell is on root 10 now"
    )
    assert problems[29] == (
        "29 is a root from before v1718, at which proofreading was assessed; the cell is on root 30 now"
    )
    assert problems[40].endswith("of nucleus 4 in v1718, but is not its cell, which has no segment now")
    assert "is not known" in problems[77]
    with pytest.raises(duckdb.Error, match="29 is a root from before v1718"):
        case.ask("FROM input_synapses(29)")
