"""A user's own tables: ids are whole numbers or the table refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from warehouse.catalog.build import build

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

ROOT_ID = 864691135572530981


@pytest.fixture(scope="module")
def template(small_module: SmallWarehouse) -> SmallWarehouse:
    small_module.given(1718, nucleus_detection_v0=f"id | pt_root_id\n1 | {ROOT_ID}")
    build(small_module.folder)
    return small_module


@pytest.fixture
def local(small: SmallWarehouse, template: SmallWarehouse) -> SmallWarehouse:
    small.copy_of(template)
    small.folder.local.mkdir(parents=True)
    return small


def test_files_are_tables(local: SmallWarehouse) -> None:
    frame = pl.DataFrame({"pt_root_id": [ROOT_ID], "score": [0.5]})
    frame.write_parquet(local.folder.local / "mine.parquet")
    frame.write_csv(local.folder.local / "my table.csv")
    for name in ("mine", '"my table"'):
        query = f"SELECT nucleus_id, score FROM local.{name} JOIN cells USING (pt_root_id)"
        assert local.ask(query) == [(1, 0.5)]


def test_a_file_that_comes_later_is_there_in_the_next_session(local: SmallWarehouse) -> None:
    local.connect()
    (local.folder.local / "late.csv").write_text("a\n1\n")
    assert local.ask("FROM local.late") == [(1,)]


def test_ids_in_csv_are_whole_numbers_also_with_gaps(local: SmallWarehouse) -> None:
    (local.folder.local / "gaps.csv").write_text(f"nucleus_id,pt_root_id,name_id\n1,{ROOT_ID},a\n2,,b\n")
    assert local.ask("SELECT pt_root_id, name_id FROM local.gaps ORDER BY 2") == [(ROOT_ID, "a"), (None, "b")]
    types = local.ask("SELECT column_type FROM (DESCRIBE local.gaps)")
    assert types == [("BIGINT",), ("BIGINT",), ("VARCHAR",)]


@pytest.mark.parametrize("name", ["id", "pt_root_id", "Target_ID"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_ids_that_went_through_a_float_are_refused(local: SmallWarehouse, name: str, suffix: str) -> None:
    frame = pl.DataFrame({name: [float(ROOT_ID), None]})
    path = local.folder.local / f"rounded.{suffix}"
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
    (local.folder.local / "good.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.Error, match=f"holds {name} as a float"):
        local.ask("SELECT count(*) FROM local.rounded")
    assert local.ask("FROM local.good") == [(1,)]


def test_a_float_far_down_in_a_csv_is_an_error_not_a_rounded_id(local: SmallWarehouse) -> None:
    rows = "\n".join([str(ROOT_ID)] * 30_000)
    (local.folder.local / "late.csv").write_text(f"pt_root_id\n{rows}\n8.646911355725310e17\n")
    with pytest.raises(duckdb.Error, match=r"late.csv holds pt_root_id as a float"):
        local.ask("SELECT sum(pt_root_id) FROM local.late")


def test_two_files_of_one_name_and_an_unreadable_one_refuse(local: SmallWarehouse) -> None:
    for name in ("twice.csv", "twice.parquet", "broken.parquet"):
        (local.folder.local / name).write_text("a\n1\n")
    (local.folder.local / ".hidden.csv").write_text("a\n1\n")
    (local.folder.local / "notes.txt").write_text("a\n1\n")
    with pytest.raises(duckdb.Error, match=r"both twice.csv and twice.parquet would be local.twice; rename one"):
        local.ask("FROM local.twice")
    with pytest.raises(duckdb.Error, match=r"broken.parquet cannot be read"):
        local.ask("FROM local.broken")
    names = local.ask("SELECT DISTINCT name FROM data_dictionary WHERE schema = 'local' ORDER BY 1")
    assert names == [("broken",), ("twice",)]


NEIGHBOUR = ROOT_ID + 3


@pytest.mark.parametrize("name", ["pt_root_id_x", "root", "Root ID", "pt_root_ids"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_by_value_and_not_by_name(local: SmallWarehouse, name: str, suffix: str) -> None:
    """Also where no column is asked for; an empty column of floats and a small number are harmless."""
    frame = pl.DataFrame({name: [0.5, float(NEIGHBOUR), None]})
    good = pl.DataFrame({name: [0.5, None], "nucleus_id": [1.0, None], "superceded_id": [None, None]})
    good = good.with_columns(pl.col("superceded_id").cast(pl.Float64))
    for each, file in ((frame, "rounded"), (good, "fine")):
        path = local.folder.local / f"{file}.{suffix}"
        each.write_csv(path) if suffix == "csv" else each.write_parquet(path)
    for query in ("SELECT count(*) FROM local.rounded", f'SELECT count("{name}") FROM local.rounded'):
        with pytest.raises(duckdb.Error, match=f"holds {name} as a float"):
            local.ask(query)
    assert local.ask("SELECT pt_root_id FROM local.fine JOIN cells USING (nucleus_id)") == [(ROOT_ID,)]


def test_lists_of_floats_are_looked_into(local: SmallWarehouse) -> None:
    pl.DataFrame({"ids": [[1.5], [float(NEIGHBOUR)]]}).write_parquet(local.folder.local / "lists.parquet")
    with pytest.raises(duckdb.Error, match="holds ids as a float"):
        local.ask("FROM local.lists")


@pytest.mark.parametrize("missing", ["NA", "nan", "NaN", "None", "", "<NA>", "NULL"])
@pytest.mark.parametrize("name", ["pt_root_id", "root"])
def test_words_for_what_is_missing_are_null(local: SmallWarehouse, missing: str, name: str) -> None:
    """R writes NA: the column stays one of whole numbers."""
    (local.folder.local / "mine.csv").write_text(f"{name},label\n{ROOT_ID},a\n{missing},b\n")
    assert local.ask(f"SELECT {name}, typeof({name}) FROM local.mine ORDER BY label") == [
        (ROOT_ID, "BIGINT"),
        (None, "BIGINT"),
    ]
    assert local.ask(f"SELECT nucleus_id FROM local.mine AS m JOIN cells AS c ON c.pt_root_id = m.{name}") == [
        (1,)
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("M-17", "M-17 in the column mouse_id of .*late.csv is no id: it is a text"),
        ("0x1f", "0x1f in the column mouse_id of .*late.csv is no id: it is hexadecimal"),
        ("2.5", "holds mouse_id as a float"),
        ("8.646911355725310e17", "holds mouse_id as a float"),
        ("864691135572530944.0", "holds mouse_id as a float"),
    ],
)
def test_what_is_no_id_far_down_has_its_own_reason(local: SmallWarehouse, value: str, why: str) -> None:
    rows = "\n".join(map(str, range(30_000)))
    (local.folder.local / "late.csv").write_text(f"mouse_id\n{rows}\n{value}\n")
    with pytest.raises(duckdb.Error, match=why):
        local.ask("SELECT count(*) FROM local.late")


def test_files_of_other_kinds_say_what_to_do(local: SmallWarehouse) -> None:
    for name in ("x.tsv", "y.feather"):
        (local.folder.local / name).write_text("a")
    with pytest.raises(duckdb.Error, match=r"x.tsv is not read; write it as x.csv"):
        local.ask("FROM local.x")
    with pytest.raises(duckdb.Error, match=r"y.parquet"):
        local.ask("FROM local.y")
