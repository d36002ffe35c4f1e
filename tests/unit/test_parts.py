"""What a snapshot keeps while it is not finished: a note that is damaged is as good as none."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.parts.plan import Part
from ingest.parts.saved import PartsFolder, SavedPart

PART = Part(3, 9, (1, 2))


@pytest.fixture
def stored(tmp_path: Path) -> SavedPart:
    return PartsFolder(tmp_path).save(PART, pa.table({"id": [3, 4]}), seen=5)


def note_of(stored: SavedPart) -> Path:
    return stored.path.with_suffix(".json")


def test_a_part_comes_back_in_another_job_and_place(stored: SavedPart, tmp_path: Path) -> None:
    assert PartsFolder(tmp_path).load() == [stored]
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    (found,) = PartsFolder(moved).load()
    assert (found.part, found.path, found.rows, found.seen) == (PART, moved / stored.path.name, 2, 5)
    moved.rename(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"rows": "2"},
        {"seen": None},
        {"part": {"low": 3, "high": 9, "among": ["a"]}},
        {"part": 7},
        {"sha256": "0" * 64},
        {"bytes": 7},
        {"min_id": 3.5},
    ],
)
def test_a_note_that_says_something_else_is_none(
    change: dict[str, object], stored: SavedPart, tmp_path: Path
) -> None:
    note_of(stored).write_text(json.dumps({**json.loads(note_of(stored).read_bytes()), **change}))
    assert PartsFolder(tmp_path).load() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[]", b"7", b"\xff", b'{"part": {"low"', b"[" * 10_000])
def test_a_note_that_is_no_note_is_none(content: bytes, stored: SavedPart, tmp_path: Path) -> None:
    note_of(stored).write_bytes(content)
    assert PartsFolder(tmp_path).load() == []
