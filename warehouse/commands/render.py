"""Rows as text for people: aligned columns, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


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
    return f"{value:.4g}" if isinstance(value, float) else str(value)
