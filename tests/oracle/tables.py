"""CAVE's rows of one version, and what all definitions need: no module of the oracle imports the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

SYNAPSES = "synapses_pni_2"
NUCLEI = "nucleus_detection_v0"
NEWER, OLDER = "proofreading_status_and_strategy", "proofreading_status_public_release"


@dataclass(frozen=True, eq=False)
class Version:
    """The tables that a version has, by CAVE's names.

    Attributes:
        number: the materialization version.
        tables: their rows, as every reader gets them.
        unknown_to_cave: tables that a version of this number does not have in CAVE.
        world: all local versions, this one among them.
    """

    number: int
    tables: Mapping[str, pl.DataFrame]
    unknown_to_cave: frozenset[str] = frozenset()
    world: Mapping[int, Version] = field(default_factory=dict)

    def has_any(self, *names: str) -> bool:
        """Whether one of the tables is here."""
        return any(name in self.tables for name in names)

    def rows(self, name: str, *columns: str) -> pl.DataFrame:
        """The rows of a table; none where it is not here."""
        if name in self.tables:
            return self.tables[name]
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.Int64))


def latest(rows: pl.DataFrame, *key: str) -> pl.DataFrame:
    """Of several annotations about one thing, the one that was made last: it has the largest id."""
    return rows.sort("id").unique(key, keep="last", maintain_order=True)


def is_segment(name: str) -> pl.Expr:
    """Roots 0 and 1 mean that there is none."""
    return ~pl.col(name).is_in([0, 1])


def named(rows: pl.DataFrame, end: str) -> pl.DataFrame:
    """The columns of one end of a connection."""
    return rows.select(pl.all().name.prefix(f"{end}_"))


def no_value(kind: pl.DataType | type[pl.DataType] = pl.Int64) -> pl.Expr:
    """NULL: nobody was asked."""
    return pl.lit(None, kind)


def count(condition: pl.Expr | None = None) -> pl.Expr:
    """A number of rows, in 64 bits."""
    return (pl.len() if condition is None else condition.fill_null(False).sum()).cast(pl.Int64)
