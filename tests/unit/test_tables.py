"""The registry keeps its own rules."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest

from warehouse.registry.citations import CITATIONS
from warehouse.registry.schema import Column, Table
from warehouse.registry.tables import TABLES

# CAVE gives these names two meanings; each column's comment says which one it has.
TWO_MEANINGS = {
    "pref_ori",  # radians clockwise, or degrees counter-clockwise
    "pref_dir",
    "status_axon",  # true or false, or one of three words
    "status_dendrite",
    "value",  # a distance, or a code
    "cell_type",  # one table's own set of words, or any table's
    "volume",  # of a table, which CAVE's API rounds, or of a view, which it does not
}


def test_a_column_name_has_one_kind_and_one_unit() -> None:
    meanings = defaultdict(set)
    for table in TABLES.values():
        for column in table.columns:
            meanings[column.name].add((column.kind, column.unit))
    assert {name for name, found in meanings.items() if len(found) > 1} == TWO_MEANINGS


def test_references_and_citations_exist() -> None:
    for table in TABLES.values():
        assert not table.reference or table.reference in TABLES
        assert set(table.citation) <= set(CITATIONS)
        assert ("target_id" in {column.name for column in table.columns}) == bool(table.reference)


def test_integers_have_64_bits_everywhere() -> None:
    for table in TABLES.values():
        for field in table.arrow_schema:
            is_id = field.name == "id" or field.name.endswith(("_id", "_root_id", "_supervoxel_id"))
            if is_id or pa.types.is_integer(field.type):
                assert str(field.type) == "int64", (table.name, field.name)


@pytest.mark.parametrize(
    ("columns", "key", "message"),
    [
        ((Column("id", "id", "x"), Column("id", "id", "x")), ("id",), "more than once"),
        ((Column("id", "id", "x"),), ("target_id",), "no column"),
        ((Column("id", "id", ""),), ("id",), "says nothing"),
    ],
)
def test_a_wrong_declaration_fails_at_import(
    columns: tuple[Column, ...], key: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Table("t", "s", "d", columns, role="nucleus", key=key)
