"""Which root became which, between any two local versions, however they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from msgspec.structs import replace

from tests.conftest import filled
from warehouse.catalog.build import build
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.publish import publish
from warehouse.versions.promote_and_drop import drop, promote
from warehouse.versions.store_difference import BaseVersion, store_difference

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

pytestmark = pytest.mark.slow

ROWS = {
    7: "1|10|20\n2|10|20\n3|10|30\n4|30|20\n5|50|20\n6|1|20",
    8: "1|11|20\n2|12|20\n3|11|30\n4|30|20\n5|50|20\n6|60|20",
    9: "1|13|20\n2|12|20\n3|13|13\n4|13|20\n5|51|20\n7|51|20",
}
"""10 is split into 11 and 12; then 11 takes in 30, and 50 is edited. A side gets a root, a row goes, one comes."""
LINEAGE = [
    (7, 8, 10, 11, 2), (7, 8, 10, 12, 1),
    (7, 9, 10, 12, 1), (7, 9, 10, 13, 2), (7, 9, 30, 13, 2), (7, 9, 50, 51, 1),
    (8, 9, 11, 13, 2), (8, 9, 30, 13, 2), (8, 9, 50, 51, 1),
]  # fmt: skip
BASES = {"full": {}, "base in the middle": {7: 8, 9: 8}, "one of each": {9: 7}}
"""How they are stored; all against one base in `test_it_is_found_once_and_again_when_rows_are_replaced`."""


def table(version: int) -> pa.Table:
    return filled(TABLES[SYNAPSE], f"id | pre_pt_root_id | post_pt_root_id\n{ROWS[version]}")


def given(small: SmallWarehouse, version: int, base: int | None, scope: str = "all") -> None:
    draft = small.folder.staging(version)
    if base is None:
        entry = cluster_synapses(draft, TABLES[SYNAPSE], table(version), scope=scope)
    else:
        other = BaseVersion.of(small.folder, base)
        entry = store_difference(draft, version, TABLES[SYNAPSE], table(version), other, scope=scope)
    publish(small.folder, draft, Manifest(small.folder.datastack, version, "2026-01-01", {SYNAPSE: entry}))


def lineage(small: SmallWarehouse) -> list[tuple[int, ...]]:
    return small.ask("FROM root_lineage ORDER BY ALL")


@pytest.mark.parametrize("bases", BASES.values(), ids=BASES)
def test_roots_are_followed_between_any_two_versions(small: SmallWarehouse, bases: dict[int, int]) -> None:
    for version in sorted(ROWS, key=lambda each: each in bases):
        given(small, version, bases.get(version))
    build(small.folder)
    assert lineage(small) == LINEAGE


def test_it_is_found_once_and_again_when_rows_are_replaced(
    small: SmallWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    for version in ROWS:
        given(small, version, None if version == 7 else 7)
    caplog.set_level("INFO", logger="warehouse.catalog.root_lineage")
    caplog.clear()
    build(small.folder)
    assert lineage(small) == LINEAGE
    build(small.folder, default=9)
    assert caplog.messages == ["version 9: following the roots of version 8"]
    promote(small.folder, 8)
    assert caplog.messages[1:] == ["version 9: following the roots of version 8"]
    promote(small.folder, 9)
    drop(small.folder, 7)
    assert lineage(small) == [row for row in LINEAGE if row[0] == 8]


def test_another_scope_is_followed_by_what_both_have(small: SmallWarehouse, tmp_path: Path) -> None:
    for version in (7, 8):
        given(small, version, None)
    manifest = read_manifest(small.folder.manifest(8))
    some = table(8).slice(1, 3)
    entry = cluster_synapses(tmp_path / "some", TABLES[SYNAPSE], some, scope="proofread")
    publish(small.folder, tmp_path / "some", replace(manifest, tables={SYNAPSE: entry}))
    assert lineage(small) == [(7, 8, 10, 11, 1), (7, 8, 10, 12, 1)]
