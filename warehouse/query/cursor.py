"""The connections that a session hands out, which its cursors inherit their names from."""

from __future__ import annotations

from typing import Any, Self

import duckdb

from warehouse.storage.quoting import text_literal


class Cursor:
    """A DuckDB connection in which bare names are those of one version, and in every cursor that is made of it.

    DuckDB forgets that in a cursor of a cursor, which is what polars' and pandas' readers ask with.
    """

    __module__ = (
        "duckdb"  # polars looks there for how rows are fetched: as Arrow, so that ids and NULLs stay exact
    )

    def __init__(self, con: duckdb.DuckDBPyConnection, path: str) -> None:
        """Take a connection over.

        Args:
            con: the connection.
            path: the schemas in which bare names are looked up.
        """
        self._con, self._path = con, path
        con.execute(f"SET search_path = {text_literal(path)}")

    def cursor(self) -> Cursor:
        """Another connection with the same names."""
        return Cursor(self._con.cursor(), self._path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._con.close()
