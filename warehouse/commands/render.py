"""Rows on standard output: a table for people, CSV or JSON for programs. Every command prints through here.

JSON is one list with an object for each row, a row a line. Integers of 2^53 and above are text there, because
many readers of JSON would round them: root ids have 18 digits. NULL is null in JSON and an empty cell in CSV;
timestamps are ISO 8601.
"""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import polars as pl

Rows: TypeAlias = Iterable[Sequence[Any]]

_EXACT = 2**53
"""Integers below it are the same in JSON readers that know only doubles."""
_DIGITS = 15
"""A decimal number of so many digits survives as a double."""
_ISO = "%Y-%m-%dT%H:%M:%S%.f"


def print_rows(header: Sequence[str], rows: Rows, form: str) -> None:
    """Print rows as they come; a table waits for the last one, because its columns are aligned.

    Args:
        header: names of the columns.
        rows: values in the order of the header.
        form: `table`, `csv` or `json`.
    """
    if form == "table":
        print(table_text(header, list(rows)))
    elif form == "json":
        _write(_json_lines(header, rows))
    else:
        _write(_csv_lines(header, rows))


def print_frames(header: Sequence[str], frames: Iterable[pl.DataFrame], form: str) -> None:
    """Print frames of the same columns one after the other, under names that may be there twice."""
    if form == "csv":
        print(_csv_line(header))
        for frame in frames:
            _write([_flat(frame).write_csv(include_header=False)])
    else:
        print_rows(header, (row for frame in frames for row in _plain(frame).iter_rows()), form)


def merged(sections: Mapping[str, tuple[Sequence[str], Rows]]) -> tuple[list[str], list[list[Any]]]:
    """Several small tables as one: the column `section` names each, columns that a table lacks are None."""
    header = list(dict.fromkeys(name for names, _ in sections.values() for name in names))
    rows = []
    for section, (names, values) in sections.items():
        for row in values:
            cells = dict(zip(names, row, strict=True))
            rows.append([section, *(cells.get(name) for name in header)])
    return ["section", *header], rows


def table_text(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under a header, columns aligned, numbers to the right; ids keep all their digits."""
    numeric = [any(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]
    cells = [tuple(header), *(tuple(map(_text, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        padded = (
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(row, widths, numeric, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(texts: Iterable[str]) -> None:
    for text in texts:
        sys.stdout.write(text)


def _csv_lines(header: Sequence[str], rows: Rows) -> Iterator[str]:
    yield _csv_line(header) + "\n"
    for row in rows:
        yield _csv_line([_csv_cell(value) for value in row]) + "\n"


def _csv_line(cells: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return _encoded(value) if isinstance(value, list | tuple | dict) else value


def _json_lines(header: Sequence[str], rows: Rows) -> Iterator[str]:
    """The list, a row a line. Nothing comes before the first row, so a mistake found there prints nothing."""
    start = "[\n"
    for row in rows:
        yield start + _encoded(dict(zip(header, row, strict=True)))
        start = ",\n"
    yield "[]\n" if start == "[\n" else "\n]\n"


def _encoded(value: Any) -> str:
    return json.dumps(_json_value(value), ensure_ascii=False, default=str)


def _json_value(value: Any) -> Any:
    """What stands for a value in JSON: integers that a double cannot hold are text, what is not finite is null."""
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in value]
    if isinstance(value, Decimal):
        return _json_decimal(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _json_decimal(value: Decimal) -> Any:
    if value.as_tuple().exponent == 0:
        return _json_value(int(value))
    return float(value) if len(value.as_tuple().digits) <= _DIGITS else str(value)


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Times as ISO text; single precision as the shortest numbers that mean the same (0.1, not 0.10000000149)."""
    import polars as pl
    import polars.selectors as cs

    zoned = cs.datetime(time_zone="*")
    return frame.with_columns(
        (cs.datetime() - zoned).dt.strftime(_ISO),
        zoned.dt.convert_time_zone("UTC").dt.strftime(_ISO + "Z"),
        cs.by_dtype(pl.Float32).cast(pl.String).cast(pl.Float64),
    )


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The same for CSV, where lists and structs are JSON text."""
    import polars as pl

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    texts = [pl.Series(name, [_csv_cell(each) for each in frame[name].to_list()], pl.String) for name in nested]
    return _plain(frame).with_columns(texts)
