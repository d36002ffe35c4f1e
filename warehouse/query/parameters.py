"""Values for a query's `$name`s, as DuckDB's variables instead of prepared parameters.

A variable is a constant when the query is planned, a parameter is not: a macro with one is planned twice, at first
without knowing which files it needs. Measured at 30 million synapses: twice the time for the inputs of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Set, ValuesView
from typing import Any

import duckdb
import numpy as np

from warehouse.errors import UsageError
from warehouse.storage.exact import inexact
from warehouse.storage.quoting import quoted, text_literal

_NAME = re.compile(rb"\$(\w+)")
_AFTER_IN = re.compile(rb"(\bFOR\s+\w+\s+)?\bIN\s*$", re.IGNORECASE)
"""With `FOR x` before it, it is no comparison."""
_GOES_ON = re.compile(rb"\s*(\[|\|\||::|\.)")
_MOST_WRITTEN_OUT = 5000


def with_variables(
    con: duckdb.DuckDBPyConnection, query: str, named: Collection[str], parameters: Mapping[str, Any]
) -> str:
    """The query with `getvariable('name')` for each `$name`; the variables are set in `con`.

    A list of some ids after `IN` is written out: a row is then looked up in it, not compared with each of its
    values, and row groups are left out that hold none of them.

    Args:
        con: where the query will run; it must not be shared.
        query: one statement.
        named: the names in it, as DuckDB found them.
        parameters: value of each name; numpy's integers and arrays and polars' series are fine.

    Raises:
        UsageError: a value is missing, or one is given that the query does not name, or it is a float of 2^53
            or more, which may stand for several ids.
    """
    if missing := sorted(set(named) - set(parameters)):
        raise UsageError(f"no value was given for ${missing[0]}; write: sql(query, {missing[0]}=...)")
    if unknown := sorted(set(parameters) - set(named)):
        raise UsageError(f"a value was given for {unknown[0]}, but the query does not name ${unknown[0]}")
    given = {name: plain(value) for name, value in parameters.items()}
    for name, each in given.items():
        if (wrong := inexact(each)) is not None:
            raise UsageError(float_sentence(f"the value of ${name}", wrong))
    for name, each in given.items():  # quoted, because one may be called `by`
        if written := _as_text(each):
            con.execute(f"SET VARIABLE {quoted(name)} = {written}")
        else:
            con.execute(f"SET VARIABLE {quoted(name)} = $value", {"value": each})
    text = query.encode()
    for position, kind in reversed(duckdb.tokenize(query)):  # positions count bytes
        found = _NAME.match(text, position) if kind == duckdb.token_type.operator else None
        if found and (name := found[1].decode()) in given:
            value = f"getvariable({text_literal(name)})"
            after_in = _AFTER_IN.search(text, 0, position)
            if after_in and not after_in[1] and not _GOES_ON.match(text, found.end()):
                value = _written_out(given[name]) or value
            text = text[:position] + value.encode() + text[found.end() :]
    return text.decode()


def float_sentence(what: str, value: float) -> str:
    """Why a float is refused."""
    return (
        f"{what} holds the float {value!r}, which may stand for several ids of 18 digits; pass whole numbers or "
        "text (in pandas: read the column with dtype='Int64')"
    )


def _as_text(value: Any) -> str:
    """A usual value as SQL text, empty for others: to convert a value itself, DuckDB loads pandas, in 0.2 s."""
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    if _is_whole(value):
        return str(value)
    if isinstance(value, str) and "\0" not in value:
        return text_literal(value)
    if isinstance(value, float):
        return f"{text_literal(repr(value))}::DOUBLE"
    if isinstance(value, list) and value and all(map(_is_whole, value)):
        return f"{text_literal(str(value))}::BIGINT[]"
    return ""


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _written_out(value: Any) -> str:
    """A list of ids as SQL text; empty for anything else, and for so many that it would take long to read."""
    if isinstance(value, list) and 0 < len(value) <= _MOST_WRITTEN_OUT and {type(each) for each in value} == {int}:
        return f"({', '.join(map(str, value))})"
    return ""


def plain(value: Any) -> Any:
    """A parameter as DuckDB takes it; a set and the keys of a dict are lists of ids, too."""
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | Set | ValuesView):
        return [None if type(each).__name__ == "NAType" else plain(each) for each in value]
    if hasattr(value, "to_list"):  # a series, or an index
        return plain(value.to_list())
    return dict(value) if isinstance(value, Mapping) else value
