"""Values for a query's names: what arrives is what was given, of DuckDB's own type for it."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse.query.parameters import with_variables
from warehouse.storage.exact import inexact

WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
FLOATS = st.floats().filter(lambda value: inexact(value) is None)
VALUES = st.one_of(st.none(), st.booleans(), WHOLE, FLOATS, st.text(), st.lists(WHOLE), st.lists(st.text()))


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def asked(con: duckdb.DuckDBPyConnection, value: Any) -> tuple[Any, str]:
    query = with_variables(con, "SELECT $v, typeof($v)", {"v"}, {"v": value})
    ((found, kind),) = con.execute(query).fetchall()
    return found, kind


@settings(deadline=None)  # the first value that DuckDB converts itself loads pandas
@given(value=VALUES)
@example(value="O'Brien")
@example(value="''; DROP TABLE x --")
@example(value=["O'Brien", 'say "it"'])
def test_a_value_arrives_as_it_was_given(con: duckdb.DuckDBPyConnection, value: Any) -> None:
    found, kind = asked(con, value)
    if isinstance(value, float) and math.isnan(value):
        assert math.isnan(found)
    else:
        assert found == value
        assert isinstance(found, type(value))
    if not isinstance(value, list | None):  # whole numbers in a list may be narrower, which no id is
        ((own,),) = con.execute("SELECT typeof($v)", {"v": value}).fetchall()
        assert kind == own


@pytest.mark.parametrize("value", [2**63, -(2**63), {"a": [1]}, [1, None], [True], (1, 2), [np.int64(3)], b"\x00"])
def test_other_values_arrive_too(con: duckdb.DuckDBPyConnection, value: Any) -> None:
    assert asked(con, value)[0] == value or list(asked(con, value)[0]) == list(value)


def test_a_quote_in_a_text_ends_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """In a value, in a name, and in the query itself."""
    query = """SELECT $name AS "it's", 'O''Brien' = $name, $name || $by, '$name'"""
    given = {"name": "O'Brien", "by": "'"}
    assert con.execute(with_variables(con, query, given, given)).fetchall() == [
        ("O'Brien", True, "O'Brien'", "$name")
    ]


def test_usual_values_do_not_wait_for_pandas() -> None:
    """DuckDB 1.5 loads it to convert parameters, which takes longer than most questions."""
    code = """
import sys, duckdb
from warehouse.query.parameters import with_variables
from warehouse.storage.exact import inexact
con, given = duckdb.connect(), {"a": [1, 2], "b": 3, "c": "x", "d": 0.5, "e": None, "f": True}
query = with_variables(con, "SELECT $a, $b, $c, $d, $e, $f", set(given), given)
assert con.execute(query).fetchall() == [([1, 2], 3, "x", 0.5, None, True)]
assert "pandas" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
