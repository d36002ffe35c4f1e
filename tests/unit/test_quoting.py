"""Names and texts with quotes in them, as SQL text that DuckDB reads back."""

from __future__ import annotations

import duckdb
import pytest

from tests.conftest import SmallWarehouse
from warehouse.storage.quoting import (
    empty_select,
    file_literal,
    quoted,
    refusing_select,
    text_literal,
    value_literal,
)

WORDS = ["O'Brien", 'say "it"', "''", '""', "a;b", "*?[x]"]


@pytest.mark.parametrize("word", WORDS)
def test_what_is_quoted_is_read_back(word: str) -> None:
    with duckdb.connect() as con:
        found = con.execute(f"SELECT {text_literal(word)} AS {quoted(word)}, {value_literal(word)}")
        assert found.description is not None
        assert found.description[0][0] == word
        assert found.fetchall() == [(word, word)]
        con.execute(empty_select({word: "BIGINT"}))
        with pytest.raises(duckdb.Error) as raised:
            con.execute(refusing_select([(word, "BIGINT")], word)).fetchall()
        assert word in str(raised.value)


def test_values_of_rows() -> None:
    assert [value_literal(value) for value in (None, "", 7, 0, True)] == ["NULL", "NULL", "7", "0", "True"]


def test_a_path_with_wildcards_is_one_file() -> None:
    assert file_literal("a*b?c[d'e") == "'a[*]b[?]c[[]d''e'"


def test_a_warehouse_in_a_folder_with_a_quote_answers(small: SmallWarehouse) -> None:
    small.folder = type(small.folder).of(small.folder.path.parent / "O'Brien's")
    small.given(
        nucleus_detection_v0="id | pt_root_id\n1 | 10", synapses_pni_2="pre_pt_root_id | post_pt_root_id\n7 | 10"
    )
    with small.connect() as warehouse:
        assert warehouse.sql("SELECT $name", name="O'Brien").fetchall() == [("O'Brien",)]
        assert warehouse.sql("SELECT count(*) FROM input_synapses($id)", id="10").fetchall() == [(1,)]
