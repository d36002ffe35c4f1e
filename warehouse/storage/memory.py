"""How much memory a job may take."""

from __future__ import annotations

import re

import duckdb

from warehouse.errors import UsageError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_LEAST = 100 * 2**20
_SHARE_OF_DUCKDB = 0.8
"""DuckDB takes this share of the memory if it is not told otherwise."""


def byte_count(text: str | None) -> int:
    """The number of bytes in "4GB" or "500 MB"; without a text, half of what there is.

    Raises:
        UsageError: the text is not an amount of memory.
    """
    if text is None:
        return machine_bytes() // 2
    if (amount := size_of(text, "--memory")) < _LEAST:
        raise UsageError(f"--memory {text} is too little to sort synapses in; give at least --memory 500MB")
    return amount


def size_of(text: str, option: str) -> int:
    """The number of bytes in "4GB" or "500 MB", which is the value of an option.

    Raises:
        UsageError: the text is not a number of bytes.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if not found:
        raise UsageError(f"{option} {text!r} is not a number of bytes; write for example {option} 4GB")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def machine_bytes() -> int:
    """What the machine has, or less where a container or a job of a cluster may take less; DuckDB knows."""
    with duckdb.connect() as con:
        ((limit,),) = con.execute("SELECT current_setting('memory_limit')").fetchall()
    return int(size_of(limit, "memory_limit") / _SHARE_OF_DUCKDB)
