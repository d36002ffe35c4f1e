"""A table as a polars scan that opens only the files which a filter on their sort column leaves.

polars opens every file of a scan to see its columns and statistics; for the 128 files of all synapses that takes
ten times as long as reading the inputs of a cell from one of them. What a file holds the manifest says already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from warehouse.storage.encoding import cast_to, offsets_of, removed_lists
from warehouse.storage.manifest import DataFile, TableEntry

if TYPE_CHECKING:
    import polars as pl

Interval: TypeAlias = tuple[float, float]
"""Smallest and largest value, both inside. Root ids are compared as Python's integers, never as floats."""
_SORTED_BY = "post_pt_root_id"
"""Only synapses lie in more than one file, and these are sorted by the receiving root."""
_ALL: list[Interval] = [(float("-inf"), float("inf"))]


@dataclass(frozen=True)
class ScannedFile:
    """One file.

    Attributes:
        frame: makes a LazyFrame of its rows.
        min, max: of the sort column; None of a file without rows.
    """

    frame: Callable[[], pl.LazyFrame]
    min: Any
    max: Any

    def may_hold(self, intervals: Sequence[Interval]) -> bool:
        """Whether a value of its range lies in one of the intervals."""
        return self.min is None or any(low <= self.max and self.min <= high for low, high in intervals)


def scan(folder: Path, entry: TableEntry) -> pl.LazyFrame:
    """The table as a polars LazyFrame with CAVE's columns; filters reach the files.

    Args:
        folder: the published folder of the version.
        entry: the table in that version's manifest.
    """
    import polars as pl  # an old processor may not be able to, and nothing else here needs it

    frame = _logical(folder, entry, entry.files)
    if (base := entry.base) is None:
        return frame
    kept = _logical(folder.parent / f"v{base.version}", entry, base.files)
    for file, key, column in removed_lists(base):
        kept = kept.join(pl.scan_parquet(folder / file.path), left_on=column, right_on=key, how="anti")
    return pl.concat([kept, frame])


def _logical(folder: Path, entry: TableEntry, files: Sequence[DataFile]) -> pl.LazyFrame:
    import polars as pl

    offsets = offsets_of(entry.encoding)
    columns = []
    for name, kind in entry.columns.items():
        offset, shown = offsets.get(name), cast_to(entry.encoding, name, kind)
        column = pl.col(name) if offset is None else pl.col(offset[1]).cast(pl.Int64) + pl.col(offset[0])
        if shown is not None:  # a cast keeps filters from the statistics of a file
            column = column.cast(pl.Float64 if shown == "DOUBLE" else pl.Int64)
        columns.append(column.alias(name))

    def frame(file: DataFile) -> pl.LazyFrame:
        return pl.scan_parquet(folder / file.path, hive_partitioning=False).select(columns)

    if len(files) == 1:
        return frame(files[0])
    return pruned_scan([ScannedFile(partial(frame, file), file.min, file.max) for file in files], _SORTED_BY)


def pruned_scan(files: Sequence[ScannedFile], column: str) -> pl.LazyFrame:
    """All rows of files, one after the other; a filter on `column` leaves out the files that cannot hold any.

    Args:
        files: the files, which have the same columns; one at least.
        column: the column whose smallest and largest value the files know.
    """
    from polars.io.plugins import register_io_source

    def rows(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        intervals = _intervals(predicate, column)
        chosen = [file for file in files if file.may_hold(intervals)] or [files[0]]
        for file in chosen:
            frame = file.frame()
            frame = frame if predicate is None else frame.filter(predicate)
            frame = frame if columns is None else frame.select(columns or [column])  # else it would have no rows
            found = (frame if n_rows is None else frame.head(n_rows)).collect()
            yield found
            n_rows = None if n_rows is None else n_rows - len(found)
            if n_rows == 0:
                return

    return register_io_source(rows, schema=lambda: files[0].frame().collect_schema())


def _intervals(predicate: pl.Expr | None, column: str) -> list[Interval]:
    """Where the values of a column must lie for a predicate to hold; everywhere, if it cannot be told."""
    if predicate is None:
        return _ALL
    try:
        return _of_node(json.loads(predicate.meta.serialize(format="json")), column)
    except (
        Exception
    ):  # another polars may write expressions otherwise: then all files are read, and the answer is right
        return _ALL


def _of_node(node: Any, column: str) -> list[Interval]:
    match node:
        case {"BinaryExpr": {"left": left, "op": "And", "right": right}}:
            a, b = _of_node(left, column), _of_node(right, column)
            return [
                (max(low, other), min(high, top))
                for low, high in a
                for other, top in b
                if low <= top and other <= high
            ]
        case {"BinaryExpr": {"left": left, "op": "Or", "right": right}}:
            return [*_of_node(left, column), *_of_node(right, column)]
        case {"BinaryExpr": {"left": {"Column": name}, "op": op, "right": value}} if name == column:
            return _compared(op, value)
        case {"BinaryExpr": {"left": value, "op": op, "right": {"Column": name}}} if name == column:
            return _compared(_MIRRORED.get(op, op), value)
        case {"Function": {"input": [{"Column": name}, *values], "function": {"Boolean": what}}} if name == column:
            return _tested(what, values)
    return _ALL


_MIRRORED = {"Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq"}


def _compared(op: str, value: Any) -> list[Interval]:
    if op not in ("Eq", *_MIRRORED):
        return _ALL
    (number,) = _values(value)
    low = number if op in ("Eq", "Gt", "GtEq") else float("-inf")
    high = number if op in ("Eq", "Lt", "LtEq") else float("inf")
    return [(low, high)]


def _tested(what: Any, values: Sequence[Any]) -> list[Interval]:
    match what:
        case {"IsIn": _}:
            return [(value, value) for value in _values(values[0])]
        case {"IsBetween": _}:
            (low,), (high,) = map(_values, values)
            return [(low, high)]
    return _ALL


def _values(literal: Any) -> list[Any]:
    """The numbers that an expression without columns stands for."""
    import polars as pl

    expression = pl.Expr.deserialize(json.dumps(literal).encode(), format="json")
    values = pl.select(expression).to_series()
    while values.dtype.is_nested():
        values = values.explode()
    if not values.dtype.is_integer():
        raise TypeError("only whole numbers are compared with ids")
    return [value for value in values.to_list() if value is not None]
