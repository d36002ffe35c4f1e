"""Which floats may stand for an id: by value, because names of columns do not tell.

From 2^53 on a float stands for several whole numbers. An id of 18 digits that went through one may have become a
neighbouring id, which is another segment; so such a float is never compared with an id.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from warehouse.storage.quoting import quoted

FIRST_INEXACT = 2**53
_FLOATS = ("FLOAT", "DOUBLE")


def inexact(value: Any) -> float | None:
    """The first float of a value, or in it, that may stand for several ids; None where there is none."""
    if isinstance(value, float):  # infinite bounds are no ids
        return value if math.isfinite(value) and abs(value) >= FIRST_INEXACT else None
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return next((found for each in value if (found := inexact(each)) is not None), None)
    return None


def float_columns(columns: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of columns, given as name and DuckDB type, those of floats or lists of them: name to a condition in SQL.

    The condition holds where a value may stand for several ids.
    """
    found = {}
    for name, kind in columns:
        if kind in _FLOATS:
            found[name] = is_inexact_sql(quoted(name))
        elif kind.rstrip("[]0123456789") in _FLOATS:
            values = f"list_filter({quoted(name)}::DOUBLE[], lambda each: {is_inexact_sql('each')})"
            found[name] = f"coalesce(len({values}) > 0, FALSE)"
    return found


def is_inexact_sql(value: str) -> str:
    """Whether a float, given as an expression, may stand for several ids."""
    return f"coalesce(isfinite({value}) AND abs({value}) >= {FIRST_INEXACT}, FALSE)"
