"""A user's own tables: `local/NAME.parquet` or `local/NAME.csv` is the view `local.NAME`.

A root id has 18 digits and does not survive a float: spreadsheets and pandas columns with gaps change it silently
to a neighbouring number. So a table refuses to answer if it holds a float of 2^53 or more, whatever the column is
called. In text files, in columns of whole numbers, words for "not there" (NA, nan, None) are NULL.
"""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb

from warehouse.storage.exact import FIRST_INEXACT, float_columns
from warehouse.storage.quoting import file_literal, quoted, refusing_select, text_literal

log = logging.getLogger(__name__)

_READERS = {".parquet": "read_parquet", ".csv": "read_csv"}
_OTHERS = (".tsv", ".feather", ".arrow", ".xlsx", ".xls")
"""Files of tables that people put here and that are not read."""
_MISSING = ("", "NA", "N/A", "<NA>", "nan", "NaN", "None", "NULL", "null")
"""What programs write for an id that is not there."""


def create_local_views(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """(Re)create `local` and a view for each file of `folder`, in the current database.

    A file that cannot be used becomes a view that says why, so that one bad file spoils nothing else.
    """
    con.execute("DROP SCHEMA IF EXISTS local CASCADE; CREATE SCHEMA local")
    named: dict[str, list[Path]] = {}
    for path in _files(folder):
        if path.suffix in (*_READERS, *_OTHERS) and not path.name.startswith("."):
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
    if path.suffix in _OTHERS:
        return _refuse(f"{path} is not read; write it as {path.stem}.csv (with commas) or {path.stem}.parquet")
    if not path.is_file():
        return _refuse(f"{path} is no file (a pipe, a folder, or a link to nothing); put a file in its place")
    reader = _READERS[path.suffix]
    try:
        columns = [row[:2] for row in con.execute(f"DESCRIBE FROM {reader}({file_literal(str(path))})").fetchall()]
        ids = _text_ids(con, path) if path.suffix == ".csv" else []
    except duckdb.Error as error:
        return _refuse(f"{path} cannot be read: {error}")
    rules = {
        name: (condition, text_literal(float_ids_sentence(str(path), [name])))
        for name, condition in float_columns(each for each in columns if each[0] not in ids).items()
    }
    rules |= {name: (f"NOT ({_is_id_sql(name)})", _why(name, path)) for name in ids}
    source = f"main._path({file_literal(f'local/{path.name}')})"
    types = ", ".join(f"{text_literal(name)}: 'VARCHAR'" for name in ids)
    texts = f", types = {{{types}}}" if ids else ""
    numbers = ", ".join(f"{_whole_number(name)} AS {quoted(name)}" for name in ids)
    checks = (f"CASE WHEN {wrong} THEN error({why})::BOOLEAN ELSE TRUE END" for wrong, why in rules.values())
    where = " AND ".join(checks)  # not in the columns, of which count(*) needs none
    return (
        f"SELECT *{f' REPLACE ({numbers})' if ids else ''} FROM {reader}({source}{texts})"
        f"{f' WHERE {where}' if rules else ''}"
    )


def _text_ids(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Columns of a text file whose head holds whole numbers or nothing; or floats, under the name of an id."""
    # Only the head of the file is looked at, and a cast takes 8.6e17 for a whole number: so they are read as text.
    missing = ", ".join(map(text_literal, _MISSING))
    described = con.execute(f"DESCRIBE FROM read_csv({file_literal(str(path))}, nullstr = [{missing}])").fetchall()
    return [row[0] for row in described if row[1] == "BIGINT" or (_is_id(row[0]) and row[1] != "VARCHAR")]


def _is_id_sql(name: str) -> str:
    """Whether a text is an id, or none: whole numbers, also as small floats, which are exact."""
    text, missing = f"trim({quoted(name)})", ", ".join(map(text_literal, _MISSING))
    small = f"coalesce(abs(try_cast({text} AS DOUBLE)) < {FIRST_INEXACT}, FALSE)"
    whole = f"regexp_full_match({text}, '-?[0-9]+(\\.0*)?')"
    digits = f"regexp_full_match({text}, '-?[0-9]+')"
    return f"{quoted(name)} IS NULL OR {text} IN ({missing}) OR {digits} OR ({whole} AND {small})"


def _whole_number(name: str) -> str:
    # A whole number that BIGINT cannot hold is an error of DuckDB, with the number.
    text, missing = f"trim({quoted(name)})", ", ".join(map(text_literal, _MISSING))
    return (
        f"CASE WHEN {text} IN ({missing}) THEN NULL "
        f"WHEN regexp_full_match({text}, '-?[0-9]+') THEN {text}::BIGINT "
        f"ELSE try_cast({text} AS DOUBLE)::BIGINT END"
    )


def _why(name: str, path: Path) -> str:
    """Why a text is no id, as an expression in SQL."""
    text = f"trim({quoted(name)})"
    no_id = text_literal(f" in the column {name} of {path} is no id: ")
    return (
        f"CASE WHEN regexp_full_match({text}, '0[xX][0-9a-fA-F]+') "
        f"THEN {text} || {no_id} || 'it is hexadecimal; write ids with the digits 0 to 9' "
        f"WHEN try_cast({text} AS DOUBLE) IS NOT NULL THEN {text_literal(float_ids_sentence(str(path), [name]))} "
        f"ELSE {text} || {no_id} || 'it is a text; write whole numbers, or give the column a name that does not "
        "end in id' END"
    )


def _refuse(sentence: str) -> str:
    return refusing_select([("id", "BIGINT")], sentence)


def _is_id(name: str) -> bool:
    return name.lower() == "id" or name.lower().endswith("_id")
