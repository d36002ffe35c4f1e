"""Connections as arrays: order, zeros, thresholds, and lists that would count twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.conftest import SmallWarehouse
from warehouse.errors import UsageError

SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | size
    1  | 10             | 20              | 100
    2  | 10             | 20              | 300
    3  | 20             | 10              | 50
    4  | 10             | 10              | 70
    5  | 0              | 10              | 60
    6  | 77             | 20              | 40 """
PROOFREAD = "id | pt_root_id | valid_id | status_axon | strategy_axon\n1 | 10 | 10 | true | axon_fully_extended"


@pytest.fixture(scope="module")
def cells(small_module: SmallWarehouse) -> SmallWarehouse:
    for version, scope in ((1, "all"), (2, "proofread")):
        small_module.given(
            version,
            scope=scope,
            synapses_pni_2=SYNAPSES,
            nucleus_detection_v0="id | pt_root_id\n101 | 10\n102 | 20\n103 | 30\n104 | 40\n105 | 40",
            proofreading_status_and_strategy=PROOFREAD,
        )
    return small_module


@pytest.mark.parametrize("kind", [list, tuple, np.array, pl.Series])
def test_rows_and_columns_stand_in_the_order_given(cells: SmallWarehouse, kind: Any) -> None:
    array, pre, post = cells.connect(1).matrix(kind([30, 20, 10]), kind([101, 102]))
    assert array.tolist() == [[0, 0], [1, 0], [0, 2]]
    assert (pre.tolist(), post.tolist()) == ([30, 20, 10], [101, 102])
    assert [array.dtype, pre.dtype] == [np.int64, np.int64]


def test_without_columns_the_matrix_is_square_and_its_diagonal_empty(cells: SmallWarehouse) -> None:
    array, _, post = cells.connect(1).matrix(["10", "20"])
    assert array.tolist() == [[0, 2], [1, 0]]
    assert post.tolist() == [10, 20]
    assert cells.connect(1).matrix(10, 102)[0].tolist() == [[2]]


def test_no_cells_make_an_empty_matrix(cells: SmallWarehouse) -> None:
    array, pre, post = cells.connect(1).matrix([], np.array([10, 20]))
    assert (array.shape, pre.tolist(), post.tolist()) == ((0, 2), [], [10, 20])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"values": "sum_size"}, [[0, 400], [50, 0]]),
        ({"values": "mean_size"}, [[0, 200], [50, 0]]),
        ({"values": "connected"}, [[False, True], [True, False]]),
        ({"min_syn": 2}, [[0, 2], [0, 0]]),
        ({"min_size": 100.5}, [[0, 1], [0, 0]]),
        ({"min_size": 100, "min_syn": 2}, [[0, 2], [0, 0]]),
    ],
)
def test_what_is_counted(cells: SmallWarehouse, options: dict[str, Any], expected: list[list[float]]) -> None:
    wh = cells.connect(1)
    array = wh.matrix([10, 20], **options)[0]
    assert array.tolist() == expected
    pytest.importorskip("scipy", reason="an extra")
    sparse = wh.matrix([10, 20], sparse=True, **options)[0]
    assert (sparse.format, sparse.dtype, sparse.toarray().tolist()) == ("csr", array.dtype, expected)


def test_outputs_of_an_orphan_piece_are_found_too(cells: SmallWarehouse) -> None:
    assert cells.connect(1).matrix([77, 10], [20, 30])[0].tolist() == [[1, 0], [2, 0]]


def test_it_is_the_macro_as_an_array(cells: SmallWarehouse) -> None:
    wh = cells.connect(1)
    ids = [10, 20, 30, 77]
    array = wh.matrix(ids)[0]
    rows = wh.sql("FROM connection_matrix($ids, $ids)", ids=ids).fetchall()
    assert {(pre, post): n or 0 for pre, post, n, *_ in rows} == {
        (pre, post): array[i, j] for i, pre in enumerate(ids) for j, post in enumerate(ids)
    }


def test_it_works_in_a_sandbox(cells: SmallWarehouse) -> None:
    assert cells.connect(1, sandbox=True).matrix([10, 20])[0].tolist() == [[0, 2], [1, 0]]


@pytest.mark.parametrize(
    ("version", "pre_ids", "post_ids", "sentence"),
    [
        (1, [10, 999], [20], "999 is not known: no root id or nucleus id of a local version"),
        (1, [10], [20, 999], "999 is not known"),
        (1, [10, 101], [20], "pre_ids holds the segment 10 twice \\(as 10 and as 101\\)"),
        (1, [10], [104, 105], "post_ids holds the segment 40 twice .* multi_soma_roots"),
        (1, np.array([1e17]), [20], "an id was given as DOUBLE"),
        (2, [20], [10], "the axon of 20 was not proofread"),
    ],
)
def test_what_would_mislead_is_refused(
    cells: SmallWarehouse, version: int, pre_ids: Any, post_ids: Any, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        cells.connect(version).matrix(pre_ids, post_ids)
    assert cells.connect(2).matrix([10], [20])[0].tolist() == [[2]]


def test_a_wrong_option_and_a_matrix_too_large_are_sentences(cells: SmallWarehouse) -> None:
    wh = cells.connect(1)
    with pytest.raises(UsageError, match="cannot hold 'weight'; it holds one of n_syn, sum_size, mean_size"):
        wh.matrix([10], values="weight")
    with pytest.raises(UsageError, match=r"40,000 x 40,000 pairs are too many for an array; pass sparse=True"):
        wh.matrix(np.arange(40_000))
