"""The header of an SQL file: comment lines that say what a row is, why, and how it is to be treated.

It is a summary (one sentence), an explanation, and keys, each on a line of its own (`-- grain: nucleus_id`):

    grain      columns that identify a row
    requires   a table without which the view refuses to answer; `A or B` where one of them is enough
    scope      the synapse scopes in which the answer is right; in others the view refuses. `any` where it
               answers or refuses by itself, whatever the scopes of what it is built on
    warning    what makes people get it wrong
    cite       keys into the citations
    questions  numbers in the question bank
    example    a query that shows it at work; the data dictionary prints it with its answer from a small demo
    store      its rows take long to make: they are written to Parquet, in this order, when the database is built
    row_group  rows in a row group of the stored file: few for quick look-ups in a short one, many for a long one
    buckets    `kept`: the stored rows lie in a file for each bucket (`b`); `made`: they are computed for the
               segments of one bucket of the synapse table at a time
    layout     the layout of a version that has its rows stored; without this line every layout has
    macro      its signature: the file is a macro; a SELECT without FROM is a scalar one
    only       `bundles`: it is there in a bundle and not in a warehouse

A few hidden relations and macros have no SELECT: only the registry or the manifests know their rows, or the value
of the macro, and the build makes them. The function that does so is in `base_relations.py`, under the name of the
file. The header of such a file has:

    made       `of the dataset`: from the registry; `of each version`: from its manifest; `of all versions`: from
               all manifests
    column     each column, `NAME TYPE: meaning [unit]`, the type left out where the dataset decides it; `TABLE.*`
               for all columns of a table or view
    reads      tables and views that it is built on
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from warehouse.errors import ViewError

_KEYS = (
    "grain",
    "requires",
    "scope",
    "warning",
    "cite",
    "questions",
    "example",
    "store",
    "row_group",
    "buckets",
    "layout",
    "macro",
    "only",
    "made",
    "column",
    "reads",
)
MADE = ("of the dataset", "of each version", "of all versions")
"""What the rows of a made relation are made from."""
_KEY_LINE = re.compile(r"([a-z_]+): *(.*)")
_COLUMN = re.compile(r"([a-z_][a-z0-9_]*)(?: ([A-Z]+(?:\[\])?))?: (.+)")
_ALL_COLUMNS = re.compile(r"([a-z0-9_]+)\.\*")
_SIGNATURE = re.compile(r"([a-z_][a-z0-9_]*)\((.*)\)")


def read_header(path: str, lines: list[str]) -> tuple[str, str, dict[str, list[str]]]:
    """Summary, explanation, and the values of each key. An indented line continues the one before."""
    keys: dict[str, list[str]] = {key: [] for key in _KEYS}
    prose: list[str] = []
    current: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix("--").removeprefix(" ")
        if current is not None and text.startswith("  "):
            current[-1] += " " + text.strip()
        elif match := _KEY_LINE.fullmatch(text):
            if match[1] not in keys:
                known = ", ".join(_KEYS)
                raise ViewError(f"sql/{path}, line {number}: there is no key {match[1]!r}; keys are {known}")
            current = keys[match[1]]
            current.append(match[2].strip())
        else:
            current = None
            prose.append(text.strip())
    doc = "\n".join(prose).strip()
    if not doc:
        raise ViewError(f"sql/{path}, line 1: the header says nothing; begin with one sentence on what a row is")
    first = " ".join(doc.split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", first, maxsplit=1)[0], doc, keys


def words(values: list[str]) -> tuple[str, ...]:
    """The values of a key that takes several, separated by commas or on lines of their own."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def signature(name: str, values: list[str]) -> str | None:
    """The arguments of a macro, in parentheses; None where the key is not there.

    Raises:
        ViewError: the macro is not named like its file.
    """
    if not values:
        return None
    match = _SIGNATURE.fullmatch(values[0])
    if match is None or match[1] != name:
        raise ViewError(f"the header's macro is {values[0]!r}; write {name}(arguments)")
    return f"({match[2]})"


@dataclass(frozen=True)
class MadeColumn:
    """A column of a made relation, as its header declares it; with a `source`, all columns of that table or view.

    Attributes:
        name: of the column.
        type: DuckDB's; empty where the dataset decides it.
        text: what it means.
        source: the table or view.
    """

    name: str = ""
    type: str = ""
    text: str = ""
    source: str = ""


def made_columns(values: list[str]) -> tuple[MadeColumn, ...]:
    """The columns that a header declares.

    Raises:
        ViewError: a line cannot be read.
    """
    found = []
    for value in values:
        if match := _ALL_COLUMNS.fullmatch(value):
            found.append(MadeColumn(source=match[1]))
        elif match := _COLUMN.fullmatch(value):
            found.append(MadeColumn(match[1], match[2] or "", match[3]))
        else:
            raise ViewError(f"the header's column is {value!r}; write NAME TYPE: meaning, or TABLE.*")
    return tuple(found)
