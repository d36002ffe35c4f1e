"""docs/questions.md and the headers of the views say the same about which view answers which question."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse.catalog.views import load_views
from warehouse.registry.datastacks import MINNIE65

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
ROW = re.compile(r"^\| (Q\d\d) \| (.+?) \| (.+?) \|$", re.MULTILINE)
BANK = {
    number: (question, re.findall(r"`(\w+)(?:\(\))?`", names))
    for number, question, names in ROW.findall(PAGE.read_text("utf-8"))
}
"""Number, the question, the views and macros that answer it: the table of docs/questions.md."""


NEEDS_NO_SOURCE = {"fold_deg", "layer_of", "macros", "data_dictionary"}
"""Arithmetic, what names its source in its text, and what is about the database itself."""


def test_the_bank_is_whole() -> None:
    assert list(BANK) == [f"Q{number:02}" for number in range(1, 67)]


@pytest.mark.parametrize("number", BANK)
def test_an_answer_exists_and_says_what_it_answers(number: str) -> None:
    served = {view.name: view.questions for view in load_views(MINNIE65).values() if not view.hidden}
    for name in BANK[number][1]:
        assert name in served, f"{number} ({BANK[number][0]}): there is no {name}"
        assert number in served[name], f"{name} does not say that it answers {number}"


def test_no_header_names_a_question_that_is_not_in_the_bank() -> None:
    assert {q for view in load_views(MINNIE65).values() for q in view.questions} <= set(BANK)


def test_what_a_header_says_it_answers_is_in_the_list() -> None:
    """So a reader of the page finds every view that answers a question."""
    views = [view for view in load_views(MINNIE65).values() if not view.hidden]
    missing = [(q, view.name) for view in views for q in view.questions if view.name not in BANK[q][1]]
    assert missing == []


def test_every_view_and_macro_has_an_example_and_a_source() -> None:
    views = [view for view in load_views(MINNIE65).values() if not view.hidden]
    assert [view.name for view in views if not view.examples] == []
    assert [view.name for view in views if not (view.cites or view.name in NEEDS_NO_SOURCE)] == []
    assert [view.name for view in views if not (view.grain or view.is_scalar)] == []
