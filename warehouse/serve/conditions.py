"""Filters as SQL, with PostgreSQL's rules for what can be compared with what."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from warehouse.registry.schema import AXES
from warehouse.serve.body import Filter
from warehouse.serve.refused import Refused, crash
from warehouse.serve.served import Kind, Served, ServedColumn
from warehouse.storage.quoting import quoted

_DATABASE_TYPES = {
    Kind.BIG_INTEGER: "BIGINT",
    Kind.INTEGER: "BIGINT",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.STRING: "VARCHAR",
    Kind.DATE_TIME: "TIMESTAMP",
}

_LARGEST_EXPONENT = 400
"""Of a power of ten; a double ends at 308."""
_BOOLEANS = {"t": True, "true": True, "f": False, "false": False}
Condition = tuple[str, list[Any]]
_NEVER: Condition = ("false", [])


class _NotComparable(Exception):
    """A value that the column's type cannot be compared with."""


def _number(value: Any) -> Decimal:
    """A number with every digit; one that no column could hold would take all time to write out."""
    if isinstance(value, str):
        value = value.strip()
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (ArithmeticError, TypeError, ValueError):
        raise _NotComparable from None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise _NotComparable
    return number


def _value(column: ServedColumn, value: Any) -> Any:
    """A filter value as the column's type; numbers keep every digit that was written."""
    kind = column.kind
    if isinstance(value, bool) != (kind is Kind.BOOLEAN) and not isinstance(value, str):
        raise _NotComparable
    if kind in (Kind.BIG_INTEGER, Kind.INTEGER):
        number = _number(value)
        if isinstance(value, str) and number != int(number):
            raise _NotComparable
        return int(number) if number == int(number) else number
    if kind is Kind.FLOAT:
        return float(_number(value))
    if kind is Kind.BOOLEAN:
        if isinstance(value, str) and value.lower() not in _BOOLEANS:
            raise _NotComparable
        return _BOOLEANS[value.lower()] if isinstance(value, str) else value
    if not isinstance(value, str) or kind is Kind.POINT:
        raise _NotComparable
    if kind is Kind.DATE_TIME:
        return _time(value)
    return value


def _time(value: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(value)
    except ValueError:
        raise _NotComparable from None
    return time.astimezone(dt.UTC).replace(tzinfo=None) if time.tzinfo else time


@dataclass(frozen=True)
class Conditions:
    """Turns the filters of one query into SQL.

    Attributes:
        double_percent: double every `%` in a text, as the real server does; the text then never matches.
        fail: makes the error for a comparison that the database refuses.
    """

    double_percent: bool
    fail: Callable[[str], Refused]

    def sql(self, alias: str, served: Served, condition: Filter) -> Condition:
        """The condition and its parameters; names a column that does not exist as the server does."""
        column = served.column(condition.column)
        if column is None:
            raise crash(f"'{condition.column}'")
        if condition.operator == "spatial":
            return _within(alias, column, condition.value)
        reference = f"{alias}.{quoted(column.name)}"
        if condition.operator in ("in", "notin"):
            return self._membership(reference, column, condition)
        if condition.value is None:
            return (f"{reference} IS NULL", []) if condition.operator == "=" else _NEVER
        value = self._typed(column, condition.value)
        if condition.operator == "regex":
            return f"regexp_matches({reference}, ?)", [value]
        if isinstance(value, Decimal):
            # Not a whole number: equal to no integer, and the comparison must not round it.
            return f"{reference} {condition.operator} {value:f}", []
        return f"{reference} {condition.operator} ?", [value]

    def _membership(self, reference: str, column: ServedColumn, condition: Filter) -> Condition:
        try:
            given = list(condition.value)
        except TypeError:
            raise crash(f"'{type(condition.value).__name__}' object is not iterable") from None
        typed = [self._typed(column, value) for value in given if value is not None]
        values = [value for value in typed if not isinstance(value, Decimal)]
        inside = f"{reference} IN (SELECT unnest(?::{_DATABASE_TYPES[column.kind]}[]))"
        if condition.operator == "notin":
            return (f"NOT {inside}" if values else "true"), ([values] if values else [])
        return (inside, [values]) if values else _NEVER

    def _typed(self, column: ServedColumn, value: Any) -> Any:
        try:
            typed = _value(column, value)
        except _NotComparable:
            type_ = _DATABASE_TYPES.get(column.kind, "geometry").lower()
            raise self.fail(f'invalid input syntax for type {type_}: "{value}"') from None
        return typed.replace("%", "%%") if self.double_percent and isinstance(typed, str) else typed


def _within(alias: str, column: ServedColumn, box: Any) -> Condition:
    match box:
        case [[_, _, _] as low, [_, _, _] as high] if all(map(_is_coordinate, (*low, *high))):
            pass
        case _:
            raise crash(f"400 Bad Request: a box has two corners of three numbers, not {str(box)[:100]}")
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise crash(f"min bounds: {_bounds(low)} must be less than max bounds: {_bounds(high)}")
    tests = [f"{alias}.{quoted(f'{column.name}_{axis}')} BETWEEN ? AND ?" for axis in AXES]
    return " AND ".join(tests), [value for pair in zip(low, high, strict=True) for value in pair]


def _is_coordinate(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 2**63


def _bounds(values: Sequence[int]) -> str:
    """A vector as numpy prints it, which the message quotes."""
    width = max(len(str(value)) for value in values)
    return "[" + " ".join(str(value).rjust(width) for value in values) + "]"
