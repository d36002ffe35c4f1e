"""How a macro is called and what comes out of it, which DuckDB's catalog does not know.

The types of the results stand in sql/macro_types.json, written by `microns docs`: to have DuckDB find them when a
database is built would take a tenth of its time, and they are the same in every version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

import duckdb

from warehouse.catalog.views import View, sql_root
from warehouse.storage.quoting import quoted

TYPES_FILE = "macro_types.json"
Types: TypeAlias = Mapping[str, Mapping[str, str]]
"""Name of a macro to its columns, those to their DuckDB types."""

MACROS = {
    "name": ("VARCHAR", "Name of the macro"),
    "signature": ("VARCHAR", "How it is called; `:=` gives the value of an argument that is left out"),
    "returns": ("VARCHAR", "rows: used in FROM; value: used in an expression"),
    "description": ("VARCHAR", "What it answers, and its warnings"),
    "example": ("VARCHAR", "A query that shows it at work"),
}
MACRO_COLUMNS = {
    "name": ("VARCHAR", "Name of the macro"),
    "position": ("BIGINT", "Place of the column in the result, from 1"),
    "column": ("VARCHAR", "Name of the column; of a macro that returns a value, the macro's name"),
    "type": ("VARCHAR", "DuckDB type; where it follows the arguments, that of DOUBLE ones"),
    "comment": ("VARCHAR", "What the column means, with its unit"),
}


def arguments(view: View) -> list[str]:
    """The arguments that pass a macro's parameters on: `a` for `a`, `b := b` for `b := 1`."""
    inner = (view.signature or "()")[1:-1]
    names = [part.split(":=") for part in inner.split(",") if part.strip()]
    return [
        quoted(part[0].strip()) if len(part) == 1 else f"{part[0].strip()} := {quoted(part[0].strip())}"
        for part in names
    ]  # quoted, because a parameter may be called `by`


def sample_call(schema: str, view: View, value: str = "0") -> str:
    """A call that DuckDB can bind, with one value for every argument that has no default."""
    values = ", ".join(value for argument in arguments(view) if ":=" not in argument)
    return f"{schema}.{view.name}({values})"


@cache
def macro_types() -> Types:
    """The types that are on record; a macro that is new since `microns docs` is not."""
    file = sql_root() / TYPES_FILE
    types: Types = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return types


def described_types(con: duckdb.DuckDBPyConnection, schema: str, views: Mapping[str, View]) -> Types:
    """The types of all public macros, as DuckDB finds them in the schema of a version."""
    types = {}
    for view in _public(views):
        call = sample_call(schema, view, "0::DOUBLE" if view.is_scalar else "0")
        what = f"SELECT {call} AS {view.name}" if view.is_scalar else f"FROM {call}"
        types[view.name] = {row[0]: row[1] for row in con.execute(f"DESCRIBE {what}").fetchall()}
    return types


def types_text(types: Types) -> str:
    """The content of the file of types."""
    return json.dumps(types, indent=1) + "\n"


def macro_rows(views: Mapping[str, View]) -> list[tuple[str, ...]]:
    """The rows of the view `macros`."""
    return [
        (
            view.name,
            f"{view.name}{view.signature}",
            "value" if view.is_scalar else "rows",
            view.comment,
            "; ".join(view.examples),
        )
        for view in _public(views)
    ]


def column_rows(views: Mapping[str, View]) -> Iterator[tuple[str, int, str, str | None, str]]:
    """The rows of the view `_macro_columns`, which `data_dictionary` reads."""
    types = macro_types()
    for view in _public(views):
        for position, (column, text) in enumerate(view.columns.items(), start=1):
            yield view.name, position, column, types.get(view.name, {}).get(column), text


def _public(views: Mapping[str, View]) -> list[View]:
    public = (view for view in views.values() if view.is_macro and not view.hidden)
    return sorted(public, key=lambda view: view.name)
