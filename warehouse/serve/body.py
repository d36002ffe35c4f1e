"""The JSON body of a query: which keys it may have, and what they must look like."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from warehouse.serve.refused import bad_body, crash

FILTER_KEYS = {
    "filter_in_dict": "in",
    "filter_notin_dict": "notin",
    "filter_equal_dict": "=",
    "filter_greater_dict": ">",
    "filter_less_dict": "<",
    "filter_greater_equal_dict": ">=",
    "filter_less_equal_dict": "<=",
    "filter_regex_dict": "regex",
    "filter_spatial_dict": "spatial",
}
JOIN_KEYS = ("tables", "suffix_map", "suffixes")
_TYPES: dict[str, tuple[type, str]] = {
    **dict.fromkeys(
        (*FILTER_KEYS, "select_column_map", "suffix_map", "suffixes"), (dict, "Not a valid mapping type.")
    ),
    **dict.fromkeys(("select_columns", "tables", "desired_resolution"), (list, "Not a valid list.")),
}


@dataclass(frozen=True)
class Filter:
    """One condition on one column of one table."""

    operator: str
    table: str
    column: str
    value: Any


@dataclass(frozen=True)
class Body:
    """A parsed request body."""

    filters: tuple[Filter, ...] = ()
    select: list[str] | None = None
    select_map: dict[str, list[str]] | None = None
    offset: int = 0
    limit: int | None = None
    resolution: tuple[float, float, float] | None = None
    tables: tuple[tuple[str, str], ...] = ()
    suffixes: Mapping[str, str] | None = None


def _integer(value: Any) -> int:
    if isinstance(value, bool) or abs(number := int(value)) >= 2**63:
        raise ValueError(value)
    return number


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_names_of_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_names, value.values()))


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_is_names(pair) and len(pair) == 2 for pair in value)


def _is_resolution(value: Any) -> bool:
    """Three voxel sizes that positions can be divided by."""
    return isinstance(value, list) and all(type(size) in (int, float) and 1e-6 <= size <= 1e9 for size in value)


_CONTENTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "select_columns": (_is_names, "Not a valid string."),
    "select_column_map": (_is_names_of_tables, "Not a valid list."),
    "suffix_map": (_is_texts, "Not a valid string."),
    "suffixes": (_is_texts, "Not a valid string."),
    "tables": (_is_pairs, "Not a valid list."),
    "desired_resolution": (_is_resolution, "Not a valid number."),
}
"""What is in the values of some keys, and the sentence if it is not."""


def _refuse_bad_types(raw: dict[str, Any], allowed: set[str]) -> None:
    errors: dict[str, list[str]] = {}
    for key, value in raw.items():
        if key not in allowed:
            errors[key] = ["Unknown field."]
        elif key in _TYPES and value is not None and not isinstance(value, _TYPES[key][0]):
            errors[key] = [_TYPES[key][1]]
        elif key in _CONTENTS and value is not None and not _CONTENTS[key][0](value):
            errors[key] = [_CONTENTS[key][1]]
        elif key in ("limit", "offset") and value is not None:
            try:
                _integer(value)
            except (TypeError, ValueError, OverflowError):
                errors[key] = ["Not a valid integer."]
    resolution = raw.get("desired_resolution")
    if isinstance(resolution, list) and len(resolution) != 3:
        errors["desired_resolution"] = ["Length must be 3."]
    if errors:
        raise bad_body(errors)


def _filters(raw: dict[str, Any]) -> tuple[Filter, ...]:
    found = []
    for key, operator in FILTER_KEYS.items():
        for table, conditions in (raw.get(key) or {}).items():
            if not isinstance(conditions, dict):
                raise crash(f"'{type(conditions).__name__}' object has no attribute 'items'")
            found += [Filter(operator, table, column, value) for column, value in conditions.items()]
    return tuple(found)


def parse(content: bytes, join: bool) -> Body:
    """Read a request body as the server does; refuses unknown keys.

    Args:
        content: the bytes of the request.
        join: whether the join endpoint was asked, which takes further keys.
    """
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        message = "400 Bad Request: The browser (or proxy) sent a request that this server could not understand."
        raise crash(message) from None
    if not isinstance(raw, dict):
        raise bad_body({"_schema": ["Invalid input type."]})
    allowed = {*FILTER_KEYS, "select_columns", "select_column_map", "offset", "limit", "desired_resolution"}
    _refuse_bad_types(raw, allowed | {*JOIN_KEYS} if join else allowed)
    resolution = raw.get("desired_resolution")
    limit = raw.get("limit")
    return Body(
        filters=_filters(raw),
        select=raw.get("select_columns") or None,
        select_map=raw.get("select_column_map") or None,
        offset=_integer(raw.get("offset") or 0),
        limit=None if limit is None else _integer(limit),
        resolution=None
        if resolution is None
        else (float(resolution[0]), float(resolution[1]), float(resolution[2])),
        tables=tuple((str(table), str(key)) for table, key in raw.get("tables") or ()),
        suffixes=raw.get("suffix_map") or raw.get("suffixes"),
    )
