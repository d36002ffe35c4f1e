"""A float of 2^53 or more is never compared with an id, by whatever door it comes and whatever it is called."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.conftest import SmallWarehouse
from warehouse.errors import UsageError
from warehouse.query.session import Warehouse
from warehouse.storage.exact import inexact

A, B = 864691135572530981, 864691135572531400
NEIGHBOUR = A + 3  # an id that nothing has, and as a float the same as A's
assert float(NEIGHBOUR) == float(A)


@pytest.fixture(scope="module")
def wh(small_module: SmallWarehouse) -> Warehouse:
    small_module.given(
        1718,
        nucleus_detection_v0=f"id | pt_root_id\n1 | {A}\n2 | {B}",
        synapses_pni_2=f"id | pre_pt_root_id | post_pt_root_id\n1 | {A} | {B}\n2 | {B} | {A}",
    )
    return small_module.connect()


FLOATS: list[Any] = [
    float(NEIGHBOUR), np.float64(NEIGHBOUR), np.float32(NEIGHBOUR), [float(NEIGHBOUR)], (1, float(NEIGHBOUR)),
    np.array([NEIGHBOUR], float), np.array([[NEIGHBOUR]], float), pl.Series([float(NEIGHBOUR)]),
    pd.Series([NEIGHBOUR, None]), pd.Index([float(NEIGHBOUR)]), {float(NEIGHBOUR)}, {float(NEIGHBOUR): 1}.keys(),
    {"a": float(NEIGHBOUR)}, [[float(NEIGHBOUR)]], -float(NEIGHBOUR), float(2**53),
]  # fmt: skip


@pytest.mark.parametrize(
    "value", FLOATS, ids=[f"{number} {type(each).__name__}" for number, each in enumerate(FLOATS)]
)
def test_a_parameter_that_may_be_several_ids_is_refused(wh: Warehouse, value: Any) -> None:
    query = "SELECT pt_root_id FROM cells WHERE list_contains([$ids]::VARCHAR[], pt_root_id::VARCHAR)"
    with pytest.raises(UsageError, match=r"the value of \$ids holds the float .*pass whole numbers or text"):
        wh.sql(query, ids=value)


EXACT: list[Any] = [
    A, np.int64(A), np.uint64(A), Decimal(A), str(A)
]  # fmt: skip


@pytest.mark.parametrize("value", EXACT, ids=[type(each).__name__ for each in EXACT])
def test_an_exact_parameter_finds_the_one_cell(wh: Warehouse, value: Any) -> None:
    assert wh.sql("SELECT pt_root_id FROM cells WHERE pt_root_id = $id", id=value).fetchall() == [(A,)]


@pytest.mark.parametrize("value", [0.5, 2.0**53 - 1, float("inf"), -float("inf"), [1.5, None]], ids=str)
def test_other_floats_are_parameters(wh: Warehouse, value: Any) -> None:
    assert wh.sql("SELECT $value", value=value).fetchall() == [(value,)]


COLLECTIONS: list[Any] = [
    {A, B}, frozenset({A, B}), {A: 1, B: 2}.keys(), {1: A, 2: B}.values(), (A, B), pd.Index([A, B]),
    np.array([A, B], np.uint64), pl.Series([A, None, B]), pd.Series([A, B, None], dtype="Int64"),
]  # fmt: skip


@pytest.mark.parametrize(
    "value", COLLECTIONS, ids=[f"{number} {type(each)}" for number, each in enumerate(COLLECTIONS)]
)
def test_any_collection_is_a_list_of_ids(wh: Warehouse, value: Any) -> None:
    found = wh.sql("SELECT pt_root_id FROM cells WHERE pt_root_id IN $ids ORDER BY ALL", ids=value).fetchall()
    assert found == [(A,), (B,)]


@pytest.mark.parametrize(
    "pasted", [f"{A}, {B}", f"{A},{B}", f"[{A}, {B}]", f"{A}\n{B}", f" {A};\t{B} ", f"({A} {B})"]
)
def test_pasted_lists_are_ids(wh: Warehouse, pasted: str) -> None:
    """In macros; `IN` is of SQL, and compares with one text."""
    found = wh.sql("SELECT id FROM check_ids($ids) ORDER BY ALL", ids=pasted).fetchall()
    assert found == [(A,), (B,)]
    if ";" not in pasted:
        assert wh.matrix(pasted)[1].tolist() == [A, B]


def test_a_decimal_is_exact(wh: Warehouse) -> None:
    for text in (f"{A}::DECIMAL(20, 0)", f"[{A}::DECIMAL(20, 0)]", f"{A}::HUGEINT"):
        assert wh.sql(f"SELECT id FROM check_ids({text})").fetchall() == [(A,)], text
    for text in (f"{A}.0::DECIMAL(22, 2)", "'M-17'", "'0x1f'", "''"):
        with pytest.raises(duckdb.Error, match=r"is no id|an id was given as DECIMAL"):
            wh.sql(f"SELECT id FROM check_ids({text})").fetchall()


FILTERS: list[Callable[[str], pl.Expr]] = [
    lambda name: pl.col(name) == float(NEIGHBOUR),
    lambda name: pl.col(name) >= float(NEIGHBOUR),
    lambda name: pl.lit(float(NEIGHBOUR)) == pl.col(name),
    lambda name: pl.col(name).is_between(float(NEIGHBOUR), float(NEIGHBOUR)),
    lambda name: pl.col(name).cast(pl.Float64).is_in([float(NEIGHBOUR)]),
    lambda name: pl.col(name) - float(NEIGHBOUR) == 0,
    lambda name: (pl.col("id") > 0) & ~(pl.col(name) != float(NEIGHBOUR)),
]


@pytest.mark.parametrize(
    ("table", "name"), [("synapses", "post_pt_root_id"), ("nucleus_detection_v0", "pt_root_id")]
)
@pytest.mark.parametrize("make", FILTERS, ids=[str(make("c")) for make in FILTERS])
def test_a_filter_of_a_scan_that_may_be_several_ids_is_refused(
    wh: Warehouse, table: str, name: str, make: Callable[[str], pl.Expr]
) -> None:
    with pytest.raises(UsageError, match="the filter of a scan holds the float"):
        wh.scan(table).filter(make(name)).collect()
    exact = wh.scan(table).filter(pl.col(name) == A, pl.col("id") > 0.5).select(name).collect()
    assert exact[name].to_list() == [A]


@pytest.mark.parametrize(
    "name", ["pt_root_id_x", "pt_root_id_ref", "segid", "root", "Root ID", "pre", "pt_root_ids"]
)
def test_a_frame_with_such_a_float_is_refused_whatever_its_name(wh: Warehouse, name: str) -> None:
    for frame in (
        pd.DataFrame({name: [NEIGHBOUR, None]}),
        pl.DataFrame({name: [float(NEIGHBOUR), None]}),
        pl.DataFrame({name: [[1.0, float(NEIGHBOUR)]]}),
        pd.DataFrame({name: [A, 1.5]}, dtype=object),
    ):
        with pytest.raises(UsageError, match=f"the frame for local.t holds {name} as a float"):
            wh.register("t", frame)


def test_frames_that_are_exact_are_taken(wh: Warehouse) -> None:
    """An empty column of floats is no id (old caveclients send one), a small number is exact."""
    join = "SELECT nucleus_id FROM local.t JOIN cells USING (pt_root_id)"
    wh.register("t", pd.DataFrame({"pt_root_id": [A], "superceded_id": [np.nan], "score": [np.inf]}))
    assert wh.sql(join).fetchall() == [(1,)]
    wh.register("t", pl.DataFrame({"pt_root_id": [Decimal(A)]}, schema={"pt_root_id": pl.Decimal(20, 0)}))
    assert wh.sql(join).fetchall() == [(1,)]
    wh.register("t", pl.DataFrame({"pt_root_id": [A, NEIGHBOUR]}, schema={"pt_root_id": pl.UInt64}))
    assert wh.sql(join).fetchall() == [(1,)]
    wh.register("t", pd.DataFrame({"nucleus_id": [2, None]}))
    assert wh.sql("SELECT pt_root_id FROM local.t JOIN cells USING (nucleus_id)").fetchall() == [(B,)]


def test_an_index_of_pandas_that_carries_ids_is_a_column(wh: Warehouse) -> None:
    counts = pd.DataFrame({"pre": [A, A], "post": [A, B]}).groupby(["pre", "post"]).size()
    wh.register("t", counts)
    assert wh.sql("SELECT pre, post FROM local.t ORDER BY ALL").fetchall() == [(A, A), (A, B)]
    for index, name in ((pd.Index([A, B], name="pt_root_id"), "pt_root_id"), ([A, B], "index")):
        wh.register("t", pd.DataFrame({"n": [1, 2]}, index=index))
        assert wh.sql(f'SELECT "{name}" FROM local.t ORDER BY ALL').fetchall() == [(A,), (B,)]
    wh.register("t", pd.DataFrame({"id": [3, 4]}, index=pd.Index([A, B], name="id")))
    assert wh.sql("FROM local.t").columns == ["id_of_index", "id"]
    wh.register("t", pd.DataFrame({"n": [1, 2, 3]}).query("n > 1"))  # its index numbers rows
    assert wh.sql("FROM local.t").columns == ["n"]
    with pytest.raises(UsageError, match="as a float"):
        wh.register("t", pd.DataFrame({"n": [1, 2]}, index=[float(A), float(B)]))


def test_what_is_inexact() -> None:
    assert inexact([1, [2.5, {"a": (float(A),)}]]) == float(A)
    others: tuple[Any, ...] = (A, 2.0**53 - 1, float("nan"), float("inf"), None, "x", [], {}, True, Decimal(A))
    for harmless in others:
        assert inexact(harmless) is None
