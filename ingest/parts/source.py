"""What the snapshot job needs of a source: CAVE, the archive's files, Delta tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pyarrow as pa

from ingest.parts.plan import Part
from ingest.parts.saved import PartsFolder, SavedPart
from warehouse.registry.schema import Table

Scope = Literal["proofread", "neurons", "all"]
SCOPES: tuple[Scope, ...] = ("proofread", "neurons", "all")
SourceName = Literal["cave", "archive", "delta"]
SOURCE_NAMES: tuple[SourceName, ...] = ("cave", "archive", "delta")
DEFAULT_SCOPE: Scope = "proofread"


@dataclass(frozen=True)
class Selection:
    """What a snapshot takes of a version.

    Attributes:
        version: the materialization version.
        time_stamp: the moment it describes: UTC, ISO 8601 without a zone.
        tables: in the order in which they can be fetched.
        absent: declared tables that the version does not have there, and why.
    """

    version: int
    time_stamp: str
    tables: tuple[Table, ...]
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What it takes to fetch the rest of a table, about.

    Attributes:
        requests: requests or files.
        rows: that come; None where nobody says.
        bytes: on the way.
    """

    requests: int
    rows: int | None
    bytes: int


class SourceTable(Protocol):
    """One table to fetch.

    Attributes:
        table: the declaration, as the parts hold it.
        scope: which rows are kept.
        parts_folder: where its parts wait.
    """

    table: Table
    scope: Scope
    parts_folder: PartsFolder

    @property
    def rows_to_come(self) -> int | None:
        """How many rows there are, where that is known beforehand."""

    def keep_only(self, wanted: Mapping[str, pa.Array]) -> None:
        """Keep only rows whose value in each of these columns is among the given ones."""

    def missing(self) -> list[Part]:
        """What is still to be fetched."""

    def fetch(self, part: Part) -> list[Part]:
        """Fetch a part and keep it; returns what is left to be fetched instead."""

    def smaller(self, part: Part) -> list[Part]:
        """Parts that together are this one, which the source may manage to send; none if it cannot be cut."""

    def complete(self) -> list[SavedPart]:
        """The parts, having seen that nothing is left out.

        Raises:
            SourceUnavailable: something is.
        """

    def cost(self, rows: Mapping[str, int]) -> Cost:
        """What the rest costs, given the rows of tables that are here or will be."""

    def size_notice(self) -> str:
        """What to say before a long job begins; "" when there is nothing to say."""

    def entry(self) -> dict[str, Any]:
        """What the manifest says of where the table comes from: fields of a `TableEntry`."""


class Source(Protocol):
    """Where tables of one datastack come from.

    Attributes:
        name: "cave", "archive" or "delta".
        datastack: CAVE's name of the dataset.
        workers: how many parts are fetched at once.
    """

    name: SourceName
    datastack: str
    workers: int

    def select(self, version: int, names: Sequence[str], scope: Scope, here: Mapping[str, Any]) -> Selection:
        """Resolve the names of tables against what there is; none for all that a snapshot takes by itself.

        Args:
            version: the materialization version.
            names: CAVE's names.
            scope: which synapses are kept; it may need further tables.
            here: the tables that are in the warehouse already, by name.

        Raises:
            UsageError: a name is unknown.
            SourceRefused: the version, or the scope in it, cannot be had.
        """

    def source_table(
        self, selection: Selection, table: Table, scope: Scope, parts_folder: PartsFolder
    ) -> SourceTable:
        """A table of a selection, to be fetched."""

    def tools(self) -> dict[str, str]:
        """Versions of what serves and reads it."""

    def stop(self) -> None:
        """Try nothing again that fails from now on."""
