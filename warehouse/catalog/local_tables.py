"""A user's own tables: `local/NAME.parquet` or `local/NAME.csv` is the view `local.NAME`.

A root id has 18 digits and does not survive a float: spreadsheets and pandas columns with gaps change it silently
to a neighbouring number. So columns named like ids are whole numbers here, or the table refuses to answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import duckdb

from warehouse.storage.quoting import file_literal, quoted, refusing_select, text_literal

log = logging.getLogger(__name__)

_READERS = {".parquet": "read_parquet", ".csv": "read_csv"}
_FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")


def create_local_views(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """(Re)create `local` and a view for each file of `folder`, in the current database.

    A file that cannot be used becomes a view that says why, so that one bad file spoils nothing else.
    """
    con.execute("DROP SCHEMA IF EXISTS local CASCADE; CREATE SCHEMA local")
    named: dict[str, list[Path]] = {}
    for path in _files(folder):
        if path.suffix in _READERS and not path.name.startswith("."):
            named.setdefault(_text(path.stem).lower(), []).append(path)  # names in SQL are the same in capitals
    for paths in named.values():
        view = f"local.{quoted(_text(paths[0].stem))}"
        try:
            con.execute(f"CREATE VIEW {view} AS {_select(con, paths)}")
        except duckdb.Error as error:
            refused = _refuse(f"{_text(paths[0])} cannot be read: {error}")
            con.execute(f"CREATE VIEW {view} AS {refused}")


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        log.warning("%s cannot be read (%s), so there are no tables in local", folder, error.strerror)
        return []


def _text(path: Path | str) -> str:
    """A path as text that anything can print: names of files need not be UTF-8."""
    return str(path).encode("utf-8", "replace").decode()


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
        both = " and ".join(_text(each.name) for each in paths[:2])
        return _refuse(f"both {both} would be local.{_text(paths[0].stem)}; rename one")
    path = paths[0]
    if _text(path) != str(path):
        return _refuse(f"the name of {_text(path)} is not UTF-8, so DuckDB cannot open it; rename the file")
    if not path.is_file():
        return _refuse(f"{path} is no file (a pipe, a folder, or a link to nothing); put a file in its place")
    reader = _READERS[path.suffix]
    try:
        columns = con.execute(f"DESCRIBE FROM {reader}({file_literal(str(path))})").fetchall()
    except duckdb.Error as error:
        return _refuse(f"{path} cannot be read: {error}")
    if wrong := float_ids((row[0], row[1]) for row in columns):
        return _refuse(float_ids_sentence(str(path), wrong))
    where = f"main._path({file_literal(f'local/{path.name}')})"
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
