"""What every view, column and macro means, kept as comments in the database, and ways to read it there.

A column's comment is its text with the unit last, in square brackets: "Depth below the pia [um]".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import duckdb

from warehouse.errors import UsageError
from warehouse.storage.quoting import quoted, text_literal

if TYPE_CHECKING:
    import polars as pl

    from warehouse.catalog.views import View

_UNIT = r"\[([^\[\]]+)\]$"

_COLUMNS = """
SELECT schema_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns()
WHERE database_name = $catalog AND table_name = $name AND list_contains($schemas, schema_name)
ORDER BY list_position($schemas, schema_name), column_index
"""
_MACRO_COLUMNS = """
SELECT f.schema_name, m."column", coalesce(m.type, ''), m.comment
FROM duckdb_functions() AS f JOIN {}.main._macro_columns AS m ON m.name = f.function_name
WHERE f.database_name = $catalog AND m.name = $name AND list_contains($schemas, f.schema_name)
ORDER BY list_position($schemas, f.schema_name), m.position
"""
_ABOUT = """
SELECT coalesce(comment, '') FROM (
    SELECT database_name, schema_name, view_name AS name, comment FROM duckdb_views()
    UNION ALL
    SELECT database_name, schema_name, function_name, comment FROM duckdb_functions()
)
WHERE database_name = $catalog AND name = $name AND list_contains($schemas, schema_name)
ORDER BY list_position($schemas, schema_name) LIMIT 1
"""
_NAMES = """
SELECT DISTINCT name FROM (
    SELECT database_name, schema_name, table_name AS name FROM duckdb_columns()
    UNION ALL
    SELECT database_name, schema_name, function_name FROM duckdb_functions()
)
WHERE database_name = $catalog AND list_contains($schemas, schema_name) AND NOT starts_with(name, '_')
"""


def comment_on_view(
    con: duckdb.DuckDBPyConnection, schema: str, name: str, doc: str, columns: Mapping[str, str]
) -> None:
    """Say what a view and its columns mean."""
    view = f"{schema}.{quoted(name)}"
    statements = [f"COMMENT ON VIEW {view} IS {text_literal(doc)}"]
    statements += [
        f"COMMENT ON COLUMN {view}.{quoted(column)} IS {text_literal(text)}" for column, text in columns.items()
    ]
    con.execute(";".join(statements))


def comment_on_macro(con: duckdb.DuckDBPyConnection, schema: str, view: View) -> None:
    """Say what a macro does, how it is called and with which defaults, which no catalog table shows."""
    kind = "MACRO" if view.is_scalar else "MACRO TABLE"
    doc = f"{view.name}{view.signature}: {view.comment}"
    doc += "".join(f"\n\nFor example: {query}" for query in view.examples)
    con.execute(f"COMMENT ON {kind} {schema}.{view.name} IS {text_literal(doc)}")


def describe(con: duckdb.DuckDBPyConnection, catalog: str, schemas: tuple[str, ...], name: str) -> pl.DataFrame:
    """Column, type, unit and description of a view, table or macro, looked up in `schemas` in their order.

    Args:
        con: a connection to the database.
        catalog: the name under which the database is attached.
        schemas: where a bare name is looked up.
        name: as in SQL: `cells`, `local.mine`, `v943.cells`; of a macro without its arguments.

    Raises:
        UsageError: there is no such name; the sentence names the nearest.
    """
    where = _where(catalog, schemas, name)
    rows = con.execute(_COLUMNS, where).fetchall() or _columns_of_macro(con, catalog, where)
    if not rows:
        raise UsageError(_no_such_name(con, catalog, schemas, name))
    return _frame([row[1:] for row in rows if row[0] == rows[0][0]])


def _columns_of_macro(
    con: duckdb.DuckDBPyConnection, catalog: str, where: dict[str, Any]
) -> list[tuple[Any, ...]]:
    try:
        return con.execute(_MACRO_COLUMNS.format(quoted(catalog)), where).fetchall()
    except duckdb.CatalogException:  # a bundle of a release that did not describe macros
        return []


def about(con: duckdb.DuckDBPyConnection, catalog: str, schemas: tuple[str, ...], name: str) -> str:
    """What a row of a view, table or macro means, and its warnings; looked up as `describe` does.

    Of a macro the first words are how it is called.
    """
    row = con.execute(_ABOUT, _where(catalog, schemas, name)).fetchone()
    return str(row[0]) if row else ""


def _where(catalog: str, schemas: tuple[str, ...], name: str) -> dict[str, Any]:
    """The parameters of a look-up of a name, which may come with its schema."""
    schema, _, bare = name.rpartition(".")
    return {"catalog": catalog, "name": bare, "schemas": [schema] if schema else list(schemas)}


def _frame(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    import polars as pl

    table = pl.DataFrame(rows, schema=["column", "type", "comment"], orient="row")
    return table.select(
        "column",
        "type",
        pl.col("comment").str.extract(_UNIT).fill_null("").alias("unit"),
        pl.col("comment").str.replace(_UNIT, "").str.strip_chars().alias("description"),
    )


def _no_such_name(con: duckdb.DuckDBPyConnection, catalog: str, schemas: tuple[str, ...], name: str) -> str:
    from difflib import get_close_matches

    found = con.execute(_NAMES, {"catalog": catalog, "schemas": list(schemas)}).fetchall()
    known = [row[0] for row in found]
    nearest = get_close_matches(name, known, n=1)
    hint = f"the nearest is {nearest[0]}" if nearest else "all names are in the view data_dictionary"
    return f"there is no view, table or macro named {name}; {hint}"
