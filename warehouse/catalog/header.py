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
"""

from __future__ import annotations

import re

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
)
_KEY_LINE = re.compile(r"([a-z_]+): *(.*)")
_SIGNATURE = re.compile(r"([a-z_][a-z0-9_]*)\((.*)\)")


def read_header(path: str, lines: list[str]) -> tuple[str, str, dict[str, list[str]]]:
    """Summary, explanation, and the values of each key. An indented line continues the one before."""
    keys: dict[str, list[str]] = {key: [] for key in _KEYS}
    prose: list[str] = []
    current: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        said = line.removeprefix("--").removeprefix(" ")
        if current is not None and said.startswith("  "):
            current[-1] += " " + said.strip()
        elif match := _KEY_LINE.fullmatch(said):
            if match[1] not in keys:
                known = ", ".join(_KEYS)
                raise ViewError(f"sql/{path}, line {number}: there is no key {match[1]!r}; keys are {known}")
            current = keys[match[1]]
            current.append(match[2].strip())
        else:
            current = None
            prose.append(said.strip())
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
