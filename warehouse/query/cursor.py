"""The connections that a session hands out, which its cursors inherit their names from."""

from __future__ import annotations

from typing import Any, Self

import duckdb

from warehouse.query.reading import only_reads
from warehouse.storage.quoting import text_literal

_ASKING = ("execute", "executemany", "sql", "query", "from_query")
"""The methods of a connection that run a text."""


class Cursor:
    """A DuckDB connection in which bare names are those of one version, and in every cursor that is made of it.

    DuckDB forgets that in a cursor of a cursor, which is what polars' and pandas' readers ask with.
    """

    __module__ = (
        "duckdb"  # polars looks there for how rows are fetched: as Arrow, so that ids and NULLs stay exact
    )

    def __init__(self, con: duckdb.DuckDBPyConnection, path: str, may_only_read: bool = False) -> None:
        """Take a connection over.

        Args:
            con: the connection.
            path: the schemas in which bare names are looked up.
            may_only_read: whether statements that do more than read are refused.
        """
        self._con, self._path, self._may_only_read = con, path, may_only_read
        con.execute(f"SET search_path = {text_literal(path)}")

    def cursor(self) -> Cursor:
        """Another connection with the same names."""
        return Cursor(self._con.cursor(), self._path, self._may_only_read)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._con, name)
        if not (self._may_only_read and name in _ASKING):
            return found

        def asked(query: str | duckdb.Statement, *arguments: Any, **options: Any) -> Any:
            only_reads(query if isinstance(query, str) else query.query, may_name_values=True)
            return found(query, *arguments, **options)

        return asked

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._con.close()
