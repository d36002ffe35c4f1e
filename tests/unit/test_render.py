"""Tables on screen."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from warehouse.commands.render import merged, print_frames, print_rows, table_text


def test_columns_align_and_ids_keep_their_digits() -> None:
    text = table_text(("pt_root_id", "type", "share"), [(864691135572530981, "23P", 0.12345), (7, None, None)])
    assert text.splitlines() == [
        "        pt_root_id  type   share",
        "864691135572530981  23P   0.1235",
        "                 7",
    ]


def test_no_rows_leave_the_header() -> None:
    assert table_text(("a", "bb"), []) == "a  bb"


ROOT_ID = 864691135572530981


def printed(capsys: pytest.CaptureFixture[str], form: str, *rows: Sequence[Any], header: str = "a b") -> str:
    print_rows(header.split(), rows, form)
    return capsys.readouterr().out


def test_json_keeps_every_digit_of_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "json", (ROOT_ID, [2**53 - 1, -(2**53), {"x": ROOT_ID}]), (True, Decimal(ROOT_ID)))
    assert json.loads(text) == [
        {"a": str(ROOT_ID), "b": [2**53 - 1, str(-(2**53)), {"x": str(ROOT_ID)}]},
        {"a": True, "b": str(ROOT_ID)},
    ]


def test_json_is_what_every_reader_takes(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = printed(
        capsys, "json", (math.nan, None), (Decimal("1.50"), dt.datetime(2026, 1, 2, 3)), ("µ", math.inf)
    )
    assert json.loads(text, parse_constant=refuse) == [
        {"a": None, "b": None},
        {"a": 1.5, "b": "2026-01-02T03:00:00"},
        {"a": "µ", "b": None},
    ]
    assert json.loads(printed(capsys, "json")) == []


def test_csv_quotes_what_needs_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "csv", ('say "a,b"', None), (True, [{"x": ROOT_ID}]), header="a b,c")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["a", "b,c"]
    assert rows == [['say "a,b"', ""], ["true", f'[{{"x": "{ROOT_ID}"}}]']]


def test_frames_and_rows_are_printed_alike(capsys: pytest.CaptureFixture[str]) -> None:
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 600000)
    frame = pl.DataFrame(
        {"c0": [ROOT_ID, None], "c1": [0.1, 2.0], "c2": [moment, None], "c3": [[ROOT_ID], []]},
        schema={"c0": pl.Int64, "c1": pl.Float32, "c2": pl.Datetime, "c3": pl.List(pl.Int64)},
    )
    header = ["a", "b", "c", "d"]
    print_frames(header, [frame, frame], "json")
    assert json.loads(capsys.readouterr().out) == 2 * [
        {"a": str(ROOT_ID), "b": 0.1, "c": "2026-01-02T03:04:05.600", "d": [str(ROOT_ID)]},
        {"a": None, "b": 2.0, "c": None, "d": []},
    ]
    print_frames(header, [frame], "csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        header,
        [str(ROOT_ID), "0.1", "2026-01-02T03:04:05.600", f'["{ROOT_ID}"]'],
        ["", "2.0", "", "[]"],
    ]


def test_sections_become_one_table() -> None:
    sections = {"one": (("a", "b"), [(1, 2)]), "other": (("b", "c"), [(3, 4)])}
    header, rows = merged(sections)
    assert header == ["section", "a", "b", "c"]
    assert rows == [["one", 1, 2, None], ["other", None, 3, 4]]
