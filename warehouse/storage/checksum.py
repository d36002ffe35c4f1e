"""A checksum of synapses that does not depend on their order: of id and both roots of every row.

It is the number of rows, and three sums of products of two remainders each. Readers compute it in SQL, the writer
with numpy: two ways to the same number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

SUMMED = ("id", "pre_pt_root_id", "post_pt_root_id")
"""The columns that it is made of."""
_PRIME = 2**31 - 1
"""Products of two remainders fit into 64 bits."""
Sums: TypeAlias = tuple[int, int, int, int]


def sums_of(rows: pa.Table) -> Sums:
    """The part of the checksum that some rows contribute."""
    numbers, pre, post = (rows[name].to_numpy() % _PRIME for name in SUMMED)
    return len(numbers), _exact(numbers * pre), _exact(numbers * post), _exact(pre * post)


def text_of(parts: Iterable[Sums]) -> str:
    """The checksum of all rows whose parts these are."""
    return "-".join(str(sum(column)) for column in zip(*parts, strict=True))


def checksum_of(con: duckdb.DuckDBPyConnection, view: str) -> str:
    """The checksum of the rows of a view."""
    (row,) = con.execute(f"SELECT {checksum_sql()} FROM {view}").fetchall()
    return str(row[0])


def checksum_sql() -> str:
    """The checksum as an aggregate."""
    numbers, pre, post = (f"({name} % {_PRIME})" for name in SUMMED)
    products = ((numbers, pre), (numbers, post), (pre, post))
    totals = ["count(*)", *(f"coalesce(sum({one} * {other}), 0)" for one, other in products)]
    return f"concat_ws('-', {', '.join(totals)})"


def _exact(values: npt.NDArray[np.int64]) -> int:
    """The sum of numbers below 2^62, which 64 bits may not hold."""
    return (int((values >> 31).sum()) << 31) + int((values & _PRIME).sum())
