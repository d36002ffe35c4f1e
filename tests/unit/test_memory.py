"""Amounts of memory as people write them."""

from __future__ import annotations

import pytest

from warehouse.errors import UsageError
from warehouse.storage.memory import byte_count


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4GB", 4 * 2**30), ("500 mb", 500 * 2**20), ("1.5G", 3 * 2**29), ("2GiB", 2**31), ("1000000000", 10**9)],
)
def test_amounts(text: str, expected: int) -> None:
    assert byte_count(text) == expected


def test_the_default_is_a_part_of_the_machine() -> None:
    assert 2**27 < byte_count(None) < 2**45


def test_next_to_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least --memory 500MB"):
        byte_count("0")


@pytest.mark.parametrize("text", ["", "much", "4 GBs", "-1GB"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a number of bytes"):
        byte_count(text)
