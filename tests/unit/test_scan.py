"""A filter leaves out files, and never a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.query.scan import ScannedFile, pruned_scan

ROOT = 864691135000000000
"""Of 18 digits: as floats these and their neighbours would be the same."""
FILES = [[0, 1, 1, 4], [5, 5, 9], [], [10, 11, 17]]
numbers = st.integers(-1, 19).map(lambda n: ROOT + n)


def scanned(opened: list[int]) -> pl.LazyFrame:
    """Four files of roots in ascending order, one of them empty; those that are read are noted."""

    def frame(number: int) -> pl.LazyFrame:
        opened.append(number)
        roots = np.array(FILES[number], np.int64) + ROOT
        return pl.LazyFrame({"root": roots, "size": np.arange(len(roots))}, {"root": pl.Int64, "size": pl.Int64})

    ends = [(min(each, default=None), max(each, default=None)) for each in FILES]
    parts = [
        ScannedFile(partial(frame, number), *(end if end is None else ROOT + end for end in each))
        for number, each in enumerate(ends)
    ]
    return pruned_scan(parts, "root")


def whole() -> pl.DataFrame:
    return scanned([]).collect()


@pytest.mark.parametrize(
    ("condition", "files"),
    [
        (pl.col("root") == ROOT + 5, {1, 2}),
        (pl.lit(ROOT + 5) == pl.col("root"), {1, 2}),
        (pl.col("root").is_in([ROOT, ROOT + 17]), {0, 2, 3}),
        (pl.col("root").is_in(pl.Series([ROOT + 10])), {2, 3}),
        (pl.col("root").is_between(ROOT + 2, ROOT + 3), {0, 2}),
        ((pl.col("root") >= ROOT + 10) & (pl.col("size") > 0), {2, 3}),
        ((pl.col("root") > ROOT + 11) & (pl.col("root") < ROOT + 3), {2}),
        ((pl.col("root") == ROOT) | (pl.col("root") == ROOT + 11), {0, 2, 3}),
        ((pl.col("root") == ROOT) | (pl.col("size") == 2), {0, 1, 2, 3}),
        (pl.col("root") != ROOT, {0, 1, 2, 3}),
        (~(pl.col("root") == ROOT), {0, 1, 2, 3}),
        (pl.col("root") * 2 == ROOT, {0, 1, 2, 3}),
        (pl.col("root") == pl.col("size"), {0, 1, 2, 3}),
        (pl.col("root") == float(ROOT), {0, 1, 2, 3}),
    ],
    ids=str,
)
def test_a_filter_opens_what_may_hold_its_rows(condition: pl.Expr, files: set[int]) -> None:
    opened: list[int] = []
    found = scanned(opened).filter(condition).collect()
    assert found.equals(whole().filter(condition))
    assert set(opened[1:]) == files  # the first one was asked for its columns


CONDITIONS: list[Callable[[int, int], pl.Expr]] = [
    lambda a, b: pl.col("root") == a,
    lambda a, b: pl.col("root") != a,
    lambda a, b: pl.col("root") <= a,
    lambda a, b: pl.lit(a) < pl.col("root"),
    lambda a, b: pl.col("root").is_in([a, b]),
    lambda a, b: ~pl.col("root").is_in([a, b]),
    lambda a, b: pl.col("root").is_between(a, b, closed="left"),
    lambda a, b: pl.col("size") >= a % 3,
]


@given(st.lists(st.tuples(st.sampled_from(CONDITIONS), numbers, numbers, st.booleans()), min_size=1, max_size=4))
def test_no_row_is_lost(drawn: list[tuple[Callable[[int, int], pl.Expr], int, int, bool]]) -> None:
    condition = pl.lit(True)
    for make, a, b, together in drawn:
        condition = condition & make(a, b) if together else condition | make(a, b)
    assert scanned([]).filter(condition).collect().equals(whole().filter(condition))


def test_rows_are_counted_where_no_column_is_asked_for() -> None:
    rows = scanned([])
    assert rows.with_row_index().select(pl.col("index").max()).collect().item() == 9
    assert rows.head(4).with_row_index().select(pl.len()).collect().item() == 4
    two = pl.LazyFrame({"k": [1, 2]})
    assert two.join(rows, how="cross").select(pl.len()).collect(engine="streaming").item() == 20


def test_columns_and_the_first_rows() -> None:
    assert scanned([]).select("size").head(5).collect().equals(whole().select("size").head(5))
    assert scanned([]).select(pl.len()).collect().item() == 10
    assert scanned([]).filter(pl.col("root") > ROOT + 4).head(2).collect()["root"].to_list() == [ROOT + 5] * 2
