"""Tables that are not declared keep their numbers, exactly, or are refused."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import warehouse
from ingest.archive.source import ArchiveSource
from ingest.files.remote import FolderFiles
from ingest.job.order import Order
from ingest.job.snapshot import Snapshot
from warehouse.catalog.build import build
from warehouse.errors import SchemaDrift
from warehouse.storage.paths import Folder

ROOT = 864691135572530981
NAME = "counts_by_post"


class Taken:
    """A table of an archive of one's own, taken and opened."""

    def __init__(self, tmp_path: Path) -> None:
        self.files, self.folder = tmp_path / "files" / "v1412", Folder.of(tmp_path / "root")
        self.files.mkdir(parents=True)

    def __call__(self, columns: Sequence[tuple[str, str]], *rows: Sequence[object], name: str = NAME) -> Any:
        header = "".join(f'"{column.replace(chr(34), chr(34) * 2)}",{kind}\n' for column, kind in columns)
        (self.files / f"{name}_header.csv").write_text(header)
        with gzip.open(self.files / f"{name}.csv.gz", "wt") as file:
            file.writelines(",".join(map(str, row)) + "\n" for row in rows)
        source = ArchiveSource(self.folder.datastack, FolderFiles(self.files.parent), is_usual=False)
        Snapshot(self.folder, Order(1412, (name,))).run(lambda: source)
        build(self.folder)
        return warehouse.connect(root=self.folder.path.parent)


@pytest.fixture
def take(tmp_path: Path) -> Taken:
    return Taken(tmp_path)


def test_numbers_are_those_of_the_file(take: Taken) -> None:
    columns = [
        ("id", "bigint"), ("total", "numeric"), ("area", "double precision"), ("small", "real"),
        ("root_as_numeric", "numeric"), ("share", "numeric"), ("mixed", "numeric"), ("nothing", "numeric"),
    ]  # fmt: skip
    first = (1, 337312429, 123456789.123, 0.5, ROOT, "12.3456789012345678", f"{ROOT}.25", "")
    second = (2, 2**62 + 1, 1e300, 0.25, "", "0.00000000000000000012", "0.5", "NaN")
    with take(columns, first, second) as wh:
        rows = wh.sql(f"FROM v1412_cave.{NAME} ORDER BY id").fetchall()
        types = dict(wh.sql(f"SELECT column_name, column_type FROM (DESCRIBE v1412_cave.{NAME})").fetchall())
        scanned = wh.scan(NAME).sort("id").collect().rows()
    assert rows == [
        (1, 337312429, 123456789.123, 0.5, ROOT, 12.3456789012345678, Decimal(f"{ROOT}.25"), None),
        (2, 2**62 + 1, 1e300, 0.25, None, 0, Decimal("0.5"), None),
    ]
    assert scanned == rows
    assert [types[name] for name, _ in columns] == [
        "BIGINT", "BIGINT", "DOUBLE", "FLOAT", "BIGINT", "DOUBLE", "DECIMAL(38,18)", "BIGINT",
    ]  # fmt: skip


def test_a_number_that_no_type_holds_is_refused(take: Taken) -> None:
    with pytest.raises(SchemaDrift, match="does not hold what its header says"):
        take([("id", "bigint"), ("huge", "numeric")], (1, 10**30))


def test_names_that_sql_does_not_tell_apart_are_refused(take: Taken) -> None:
    with pytest.raises(SchemaDrift, match=r"has the columns Group and group, which SQL does not tell apart"):
        take([("id", "bigint"), ("Group", "integer"), ("group", "integer")], (1, 2, 3), name="two_cases")
    with pytest.raises(SchemaDrift, match=r"cannot be used in SQL; name the tables to take without it"):
        take([("id", "bigint"), ('a"b', "integer")], (1, 2), name="quote")
    with take([("id", "bigint"), ("two words", "integer"), ("it's", "integer")], (1, 2, 3)) as wh:
        assert wh.sql(f"FROM v1412_cave.{NAME}").fetchall() == wh.scan(NAME).collect().rows() == [(1, 2, 3)]


def test_floats_of_caves_views_are_not_rounded(take: Taken) -> None:
    """They are double on the wire, and a sum of sizes goes beyond what 32 bits hold."""
    columns = [(name, "bigint") for name in ("pre_pt_root_id", "post_pt_root_id", "n_syn")]
    columns += [("sum_size", "numeric"), ("pre_nuc_id", "bigint"), ("post_nuc_id", "bigint")]
    with take(columns, (10, 20, 7, 337312429, "", ""), name="connections_with_nuclei") as wh:
        query = "SELECT sum_size, typeof(sum_size) FROM v1412_cave.connections_with_nuclei"
        assert wh.sql(query).fetchall() == [(337312429, "DOUBLE")]
