"""A user's own tables: `local/NAME.parquet` or `local/NAME.csv` is the view `local.NAME`.

A root id has 18 digits and does not survive a float: spreadsheets and pandas columns with gaps change it silently
to a neighbouring number. So columns named like ids are whole numbers here, or the table refuses to answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from warehouse.storage.quoting import quoted, refusing_select, text_literal

_READERS = {".parquet": "read_parquet", ".csv": "read_csv"}
_FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")


def create_local_views(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """(Re)create `local` and a view for each file of `folder`, in the current database.

    A file that cannot be used becomes a view that says why, so that one bad file spoils nothing else.
    """
    con.execute("DROP SCHEMA IF EXISTS local CASCADE; CREATE SCHEMA local")
    named: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix in _READERS and not path.name.startswith("."):
            named.setdefault(path.stem, []).append(path)
    for name, paths in named.items():
        con.execute(f"CREATE VIEW local.{quoted(name)} AS {_select(con, paths)}")


def float_ids(columns: Iterable[tuple[str, str]]) -> list[str]:
    """Which columns, given as name and DuckDB type, are named like ids and are floats."""
    return [name for name, kind in columns if _is_id(name) and kind.startswith(_FLOATS)]


def float_ids_sentence(what: str, names: list[str]) -> str:
    """Why a table with such columns is refused."""
    return (
        f"{what} holds {', '.join(names)} as a float, in which ids of 18 digits are no longer exact; "
        "write it again with whole numbers (in pandas: astype('Int64') when it is read)"
    )


def _select(con: duckdb.DuckDBPyConnection, paths: list[Path]) -> str:
    if len(paths) > 1:
        return _refuse(f"both {paths[0].name} and {paths[1].name} would be local.{paths[0].stem}; rename one")
    path = paths[0]
    reader = _READERS[path.suffix]
    try:
        columns = con.execute(f"DESCRIBE FROM {reader}({text_literal(str(path))})").fetchall()
    except duckdb.Error as error:
        return _refuse(f"{path} cannot be read: {error}")
    if wrong := float_ids((row[0], row[1]) for row in columns):
        return _refuse(float_ids_sentence(str(path), wrong))
    where = f"main._path({text_literal(f'local/{path.name}')})"
    if path.suffix == ".parquet":
        return f"SELECT * FROM read_parquet({where})"
    ids = [row[0] for row in columns if _is_id(row[0]) and row[1] != "VARCHAR"]
    if not ids:
        return f"SELECT * FROM read_csv({where})"
    # Only the head of the file was looked at, and a cast takes 8.6e17 for a whole number: so digits are required.
    texts = ", ".join(f"{text_literal(name)}: 'VARCHAR'" for name in ids)
    numbers = ", ".join(f"{_whole_number(name, path)} AS {quoted(name)}" for name in ids)
    return f"SELECT * REPLACE ({numbers}) FROM read_csv({where}, types = {{{texts}}})"


def _whole_number(name: str, path: Path) -> str:
    sentence = text_literal(float_ids_sentence(str(path), [name]))
    digits = f"{quoted(name)} IS NULL OR regexp_full_match({quoted(name)}, '\\s*-?[0-9]+\\s*')"
    return f"CASE WHEN {digits} THEN {quoted(name)}::BIGINT ELSE error({sentence}) END"


def _refuse(sentence: str) -> str:
    return refusing_select([("id", "BIGINT")], sentence)


def _is_id(name: str) -> bool:
    return name.lower() == "id" or name.lower().endswith("_id")
