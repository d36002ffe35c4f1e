"""How much memory a job may take."""

from __future__ import annotations

import os
import re
from pathlib import Path

from warehouse.errors import UsageError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_LEAST = 100 * 2**20
_LAPTOP = 8 * 2**30
"""Assumed where the machine does not tell (Windows)."""


def byte_count(text: str | None) -> int:
    """The number of bytes in "4GB" or "500 MB"; without a text, half of what the machine or its cgroup allows.

    Raises:
        UsageError: the text is not an amount of memory.
    """
    if text is None:
        return _machine_bytes() // 2
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


def _machine_bytes() -> int:
    """What the machine has, or less where a cgroup (a container, a cluster job) allows less."""
    limits = [_physical_bytes()]
    for path in _CGROUP_LIMITS:
        if path.exists() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits)


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _LAPTOP
