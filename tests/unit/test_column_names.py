"""How columns are named, held over every public view and macro: one idea has one name.

The names, units and texts are those that the database itself gives (`data_dictionary`), so a view that is added is
held to the same rules. The views that repeat a view of CAVE, and CAVE's own columns, keep CAVE's names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warehouse.catalog.views import load_views
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.tables import TABLES

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

PHYSICAL = {"um3": "_um3", "um": "_um", "nm": "_nm", "deg": "_deg", "rad": "_rad"}
OWN_PLACE = {"depth_um", "layer"}
"""Of a synapse too: bare in a row about a synapse, they are the synapse's own, not those of one of its ends."""
CAVES = {field for table in TABLES.values() for column in table.columns for field in column.fields}
CHANGES = Path(__file__).parents[2] / "CHANGELOG.md"


@dataclass(frozen=True)
class Named:
    """A column of a public view or macro."""

    of: str
    name: str
    kind: str
    unit: str
    text: str

    def __str__(self) -> str:
        return f"{self.of}.{self.name}"

    @property
    def bare(self) -> str:
        """Without the end or the side of a pair that it is of."""
        return re.sub(r"_(a|b|ab|ba)$", "", re.sub(r"^(pre|post)_", "", self.name))

    @property
    def is_caves(self) -> bool:
        """Whether CAVE has a column of this name, or the name is that and a unit."""
        return bool({self.bare, re.sub(rf"({'|'.join(PHYSICAL.values())})$", "", self.bare)} & CAVES)


@pytest.fixture(scope="module")
def columns(small_module: SmallWarehouse) -> list[Named]:
    small_module.given(1507, nucleus_detection_v0="id | pt_root_id\n1 | 10")
    rows = small_module.ask(
        'SELECT name, "column", type, unit, description FROM data_dictionary '
        "WHERE schema = 'main' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY ALL",
        1507,
    )
    public = [Named(*(each or "" for each in row)) for row in rows]
    assert {view.name for view in load_views(MINNIE65).values() if not (view.hidden or view.only)} <= {
        each.of for each in public
    }
    return [each for each in public if each.of not in TABLES]


def by_view(columns: Iterable[Named]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for each in columns:
        found[each.of].add(each.name)
    return found


def broken(columns: Iterable[Named], pattern: str) -> list[str]:
    return [str(each) for each in columns if not re.search(pattern, each.name) and not each.is_caves]


def test_a_row_with_two_ends_says_of_each_column_which_end_it_is_of(columns: list[Named]) -> None:
    views = by_view(columns)
    one_cell = (views["cells"] | views["proofreading"]) - OWN_PLACE
    for view, names in views.items():
        if any(name.startswith(("pre_", "post_")) for name in names):
            assert not names & one_cell, f"{view} has {names & one_cell} of neither end"


def test_of_a_pair_both_are_there(columns: list[Named]) -> None:
    for view, names in by_view(columns).items():
        for name in names:
            if match := re.fullmatch(r"(\w+)_(a|b|ab|ba)", name):
                other = {"a": "b", "b": "a", "ab": "ba", "ba": "ab"}[match[2]]
                assert f"{match[1]}_{other}" in names, f"{view}.{name} is alone"
                assert match[1] not in names, f"{view}.{match[1]} is of neither"


def test_what_is_measured_ends_in_its_unit(columns: list[Named]) -> None:
    """Only CAVE's columns say it in their text alone."""
    for each in columns:
        suffix = PHYSICAL.get(each.unit)
        assert suffix is None or each.name.endswith(suffix) or each.bare in CAVES, f"{each} is in {each.unit}"
        for unit, ending in PHYSICAL.items():
            if each.name.endswith(ending):
                assert each.unit == unit, f"{each} is in {each.unit or 'no unit'}"
    sizes = [each for each in columns if each.unit == "voxel"]
    assert sizes
    assert broken(sizes, r"(^|_)size(_|$)") == []


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (r"Number of", r"(^|_)n_"),
        (r"Share of", r"_fraction$"),
        (r"Distance (to|between|of)", r"distance|lateral"),
        (r"The table that \w+ comes from", r"_source$"),
    ],
)
def test_what_a_text_says_shows_in_the_name(columns: list[Named], text: str, pattern: str) -> None:
    said = [each for each in columns if re.match(text, each.text)]
    assert said
    assert broken(said, pattern) == []


def test_the_type_shows_in_the_name(columns: list[Named]) -> None:
    assert broken((each for each in columns if each.kind == "BOOLEAN"), r"^((pre|post)_)?is_|_proofread$") == []
    assert broken((each for each in columns if each.kind.endswith("[]")), r"s(_nm)?$|_by_hop$") == []
    for each in columns:
        if each.bare.startswith("n_"):
            assert each.kind.startswith(("BIGINT", "INTEGER")), f"{each} is no number of things"
        if re.search(r"root|nucleus", each.bare) and each.kind == "BIGINT" and not each.bare.startswith("n_"):
            assert each.bare.endswith("_id") or each.of == each.name, f"{each} is an id"


def test_one_name_has_one_unit_and_one_kind_of_value(columns: list[Named]) -> None:
    """An integer is one of any width, and so is a number with a fraction."""
    widths = {"INTEGER": "BIGINT", "FLOAT": "DOUBLE"}
    seen: dict[str, Named] = {}
    for each in columns:
        first = seen.setdefault(each.name, each)
        kinds = {widths.get(kind, kind) for kind in (each.kind, first.kind)}
        assert len(kinds) == 1, f"{each} and {first} are of different kinds"
        assert each.unit == first.unit, f"{each} and {first} are in different units"


def test_a_side_is_an_input_or_an_output_wherever_it_is_asked_for() -> None:
    """The short words are taken too, but only the full ones are taught."""
    asked = [each for each in load_views(MINNIE65).values() if re.search(r"\bside\b", each.signature or "")]
    asked = [each for each in asked if not each.hidden]
    assert asked
    for view in asked:
        assert "_side(side)" in view.text, f"{view.name} takes `side` as it is given"
        assert all(f"'{word}'" in view.doc for word in ("input", "output")), view.name
        assert re.search(r"side := '(both|input|output)'", view.signature or ""), view.name
        assert not re.search(r"'(in|out)'", " ".join(view.examples)), view.name


def renames() -> Iterator[tuple[str, str, str]]:
    """View, old name and new name, as the list of changes says."""
    text = CHANGES.read_text("utf-8")
    start = text.index("- `views_version` 2")
    for item in re.findall(r"^  - (.+(?:\n    .+)*)", text[start : text.index("- `views_version` 1")], re.M):
        of, _, changes = re.sub(r"\s+", " ", item).partition(": ")
        for old, new in re.findall(r"`(\w+)` -> (`\w+`(?: and `\w+`)*)", changes):
            for view in re.findall(r"`(\w+)`", of):
                yield from ((view, old, name) for name in re.findall(r"`(\w+)`", new))


def test_the_list_of_renames_is_true(columns: list[Named]) -> None:
    views, listed = by_view(columns), list(renames())
    assert len(listed) > 50
    for view, old, new in listed:
        assert new in views[view], f"{view} has no {new}"
        assert old not in views[view], f"{view} still has {old}"
