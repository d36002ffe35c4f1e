"""Names, texts and rows as SQL text: the one place where anything is quoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def value_literal(value: Any) -> str:
    """A value of a row as a SQL literal; an empty text is NULL."""
    if value is None or value == "":
        return "NULL"
    return text_literal(value) if isinstance(value, str) else str(value)


def file_literal(path: str) -> str:
    """A path as a SQL literal that names this one file: DuckDB reads *, ? and [ in paths as wildcards."""
    return text_literal("".join(f"[{each}]" if each in "*?[" else each for each in path))


def empty_select(columns: Mapping[str, str]) -> str:
    """A SELECT with these columns (name and type) and no rows, which the planner knows."""
    return f"SELECT {', '.join(f'NULL::{kind} AS {quoted(name)}' for name, kind in columns.items())} WHERE false"


def refusing_select(columns: Iterable[tuple[str, str]], sentence: str) -> str:
    """A SELECT with these columns (name and type) that raises `sentence` whatever is asked of it.

    The columns come out of the error too: constant NULLs would let the planner answer a filter or a join on them
    with no rows, and the condition alone would be lost; the condition is for count(*), which needs no column.
    """
    items = ", ".join(f"refusal::{kind} AS {quoted(name)}" for name, kind in columns)
    return (
        f"SELECT {items} FROM (SELECT error({text_literal(sentence)})::VARCHAR AS refusal) WHERE refusal IS NULL"
    )


def literals(paths: Sequence[Path]) -> str:
    """Paths as SQL text."""
    return ", ".join(text_literal(str(path)) for path in paths)
