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
