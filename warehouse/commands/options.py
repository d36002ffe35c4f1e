"""Options that several commands take, each said once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from warehouse.errors import UsageError, WarehouseError
from warehouse.storage.paths import Folder

Root = Annotated[
    Path | None,
    Parameter(
        help="The folder of the data. If not given: $MICRONS_ROOT, else the platform's data folder.",
    ),
]
Datastack = Annotated[str, Parameter(help="CAVE's name of the dataset.")]
Version = Annotated[
    int | None, Parameter(help="The version to ask, for example 1718. If not given: the default version.")
]
Memory = Annotated[str | None, Parameter(help='The most memory that this may take, for example "4GB".')]
Bundle = Annotated[
    Path | None,
    Parameter(help="A bundle, for example class.duckdb. If not given: the warehouse."),
]

_ID = re.compile(r"[0-9]+")


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How rows are printed: a table for people if nothing is chosen."""

    csv: Annotated[
        bool, Parameter(help="Print CSV: a header, then a line for each row; NULL is an empty cell.")
    ] = False
    json: Annotated[
        bool,
        Parameter(
            help="Print JSON: a list of objects, one a line. Integers of 2^53 and above (root ids) are text.",
        ),
    ] = False

    @property
    def form(self) -> str:
        """`table`, `csv` or `json`.

        Raises:
            UsageError: two were chosen.
        """
        if self.csv and self.json:
            raise UsageError("--csv and --json exclude each other; give one of them")
        return "csv" if self.csv else "json" if self.json else "table"


_SHOWN = 200
"""Characters of a text that an error repeats."""
TABLE = Output()
"""What is printed if nothing is chosen."""


def versions_here(folder: Folder) -> list[int]:
    """The versions that are in the folder.

    Raises:
        WarehouseError: there is none; the sentence says how to get one.
    """
    if not (versions := folder.versions()):
        raise WarehouseError(
            f"there is no version in {folder.path}; fetch one with: microns snapshot 1718, or try: microns demo"
        )
    return versions


def _lines(text: str, option: str) -> list[str]:
    """The lines of a file of ids."""
    shown = text if len(text) <= _SHOWN and text.isprintable() else f"{text[:_SHOWN]!r}..."
    try:
        return Path(text).expanduser().read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{option} {shown} is no file of text; write one id in each line") from None
    except (OSError, ValueError, RuntimeError):  # no file, or no name of one
        raise UsageError(
            f"{option} {shown} is neither a list of ids with commas nor a file that is there"
        ) from None


def ids_of(text: str | None, option: str) -> tuple[int, ...]:
    """Ids out of an option: numbers with commas, or a file of which the first column holds them."""
    if text is None:
        return ()
    path = Path(text)
    words = [word.strip() for word in text.split(",")]
    if not all(map(_ID.fullmatch, words)):
        lines = [line.split(",")[0].strip().strip('"') for line in _lines(text, option)]
        words = [word for number, word in enumerate(lines) if word and (number or _ID.fullmatch(word))]
    if wrong := next((word for word in words if not _ID.fullmatch(word)), None):
        raise UsageError(
            f"{wrong!r} in {path} is no id: root ids and nucleus ids are whole numbers, all digits written"
        )
    if not words:
        raise UsageError(f"there is no id in {path}")
    return tuple(map(int, words))
