"""Two versions, the later one stored against the earlier, counted by hand: what each view of changes says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.conftest import SmallWarehouse, filled
from warehouse.catalog.build import build
from warehouse.errors import UsageError
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.manifest import read_manifest
from warehouse.storage.publish import publish
from warehouse.versions.promote_and_drop import drop, promote
from warehouse.versions.store_difference import BaseVersion, store_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

EARLY, LATE = 1507, 1718
# 1 is edited and takes in the piece 60; 2 loses its volume; 3 and 4 are merged; 5 loses its root; 6 is new.
NUCLEI = {
    EARLY: "id | pt_root_id | volume\n1 | 10 | 7\n2 | 20 | 7\n3 | 30 | 7\n4 | 40 | 7\n5 | 50 | 7",
    LATE: "id | pt_root_id | volume\n1 | 11 | 7\n2 | 20 |\n3 | 31 | 7\n4 | 31 | 7\n5 | 0 | 7\n6 | 66 | 7",
}
AXONS = {
    EARLY: "20 | 20 | true | axon_fully_extended\n10 | 10 | false | none",
    LATE: "20 | 19 | true | axon_partially_extended\n11 | 11 | true | axon_interareal",
}
# 3 goes and 9 comes; of 4 one point of its two sides becomes unknown, and nothing else; 5 gets a size.
SYNAPSES = {
    EARLY: """
        id | pre_pt_root_id | post_pt_root_id | size | pre_pt_position_x
        1  | 10             | 20              | 5    | 1
        2  | 60             | 20              | 5    | 1
        3  | 10             | 20              | 5    | 1
        4  | 20             | 77              | 5    | 1
        5  | 77             | 20              | 5    | 1
        6  | 30             | 10              | 5    | 1
        7  | 10             | 10              | 5    | 1
        8  | 70             | 0               | 5    | 1 """,
    LATE: """
        id | pre_pt_root_id | post_pt_root_id | size | pre_pt_position_x
        1  | 11             | 20              | 5    | 1
        2  | 11             | 20              | 5    | 1
        4  | 20             | 77              | 5    |
        5  | 77             | 20              | 6    | 1
        6  | 31             | 11              | 5    | 1
        7  | 11             | 11              | 5    | 1
        8  | 71             | 0               | 5    | 1
        9  | 20             | 11              | 5    | 1 """,
}


@pytest.fixture(scope="module")
def two(small_module: SmallWarehouse) -> SmallWarehouse:
    for version in (EARLY, LATE):
        small_module.given(
            version,
            nucleus_detection_v0=NUCLEI[version],
            proofreading_status_and_strategy="pt_root_id | valid_id | status_axon | strategy_axon\n"
            + AXONS[version],
            **({SYNAPSE: SYNAPSES[version]} if version == EARLY else {}),
        )
    folder, table = small_module.folder, TABLES[SYNAPSE]
    manifest, draft = read_manifest(folder.manifest(LATE)), folder.staging(LATE)
    base = BaseVersion.of(folder, EARLY)
    entry = store_difference(draft, LATE, table, filled(table, SYNAPSES[LATE]), base, source="synthetic")
    publish(folder, draft, replace(manifest, tables=manifest.tables | {SYNAPSE: entry}))
    build(folder)
    return small_module


@pytest.fixture
def copied(two: SmallWarehouse, tmp_path: Path) -> Iterator[SmallWarehouse]:
    """Its own copy of both versions, for a test that changes them."""
    copy = SmallWarehouse(tmp_path / "root").copy_of(two)
    yield copy
    copy.close()


def rows(warehouse: SmallWarehouse, version: int) -> str:
    """The synapses of a version, written as they were given."""
    found = warehouse.ask(
        "SELECT id, pre_pt_root_id, post_pt_root_id, size, pre_pt_position_x FROM synapses", version
    )
    return "\n".join(" | ".join("" if value is None else str(value) for value in row) for row in sorted(found))


def written(version: int) -> str:
    lines = SYNAPSES[version].strip().splitlines()[1:]
    return "\n".join(" | ".join(cell.strip() for cell in line.split("|")) for line in lines)


def test_each_version_has_its_rows(two: SmallWarehouse) -> None:
    assert read_manifest(two.folder.manifest(LATE)).tables[SYNAPSE].base is not None
    for version in (EARLY, LATE):
        assert rows(two, version) == written(version)


def test_what_became_of_each_root(two: SmallWarehouse) -> None:
    """Counted by sides: 10 sent 1, 7 and received 6, 7; 3 is gone, and so is its side."""
    two.expect(
        "root_lineage",
        f"""
        version_a | version_b | pt_root_id_a | pt_root_id_b | n_sides
        {EARLY}   | {LATE}    | 10           | 11           | 4
        {EARLY}   | {LATE}    | 30           | 31           | 1
        {EARLY}   | {LATE}    | 60           | 11           | 1
        {EARLY}   | {LATE}    | 70           | 71           | 1 """,
    )


def test_what_became_of_each_cell(two: SmallWarehouse) -> None:
    two.expect(
        "root_id_changes",
        """
        nucleus_id | pt_root_id_a | pt_root_id_b | change        | kind
        1          | 10           | 11           | root changed  | edited
        3          | 30           | 31           | root changed  | merged
        4          | 40           | 31           | root changed  | merged
        5          | 50           | 0            | root lost     | vanished
        6          |              | 66           | nucleus added | appeared """,
    )
    two.expect("(FROM id_map WHERE nucleus_id = 1)", f"version | pt_root_id\n{EARLY} | 10\n{LATE} | 11")


def test_which_synapses_each_cell_kept_gained_and_lost(two: SmallWarehouse) -> None:
    """Autapse 7 is none of them."""
    two.expect(
        "(SELECT nucleus_id, COLUMNS('n_input_syn_(.*)') AS 'in_\\1', COLUMNS('n_output_syn_(.*)') AS 'out_\\1' "
        "FROM cell_synapse_changes)",
        """
        nucleus_id | in_kept | in_gained | in_lost | out_kept | out_gained | out_lost
        1          | 1       | 1         | 0       | 1        | 1          | 1
        3          |         |           |         | 1        | 0          | 0
        4          |         |           |         | 0        | 1          | 0 """,
    )


def test_a_value_that_is_gone_is_a_change(two: SmallWarehouse) -> None:
    """Of nuclei: the roots of 1, 3, 4 and 5, and the volume of 2, which became NULL."""
    two.expect(
        "(FROM table_changes WHERE n_rows_a IS NOT NULL)",
        """
        table_name                       | n_rows_a | n_rows_b | n_rows_added | n_rows_removed | n_rows_changed
        nucleus_detection_v0             | 5        | 6        | 1            | 0              | 5
        proofreading_status_and_strategy | 2        | 2        | 0            | 0              | 2
        synapses_pni_2                   | 8        | 8        | 1            | 1              | 7 """,
    )


def test_what_changed_in_proofreading(two: SmallWarehouse) -> None:
    two.expect(
        "proofreading_changes",
        """
        nucleus_id | strategy_axon_a     | strategy_axon_b         | change
        1          | none                | axon_interareal         | axon proofread
        2          | axon_fully_extended | axon_partially_extended | axon downgraded """,
    )


def test_an_id_of_the_other_version_is_translated(two: SmallWarehouse) -> None:
    two.expect("check_ids([10, 60, 70, 50])", "id | moved_to_root_id\n10 | 11\n60 | 11\n70 | 71\n50 |", LATE)
    two.expect("check_ids([11, 71, 31])", "id | moved_to_root_id\n11 | 10\n71 | 70\n31 | 30", EARLY)


def test_a_promoted_version_has_the_same_rows_and_needs_no_other(copied: SmallWarehouse) -> None:
    with pytest.raises(UsageError, match=f"make a full copy first, with: microns promote {LATE}"):
        drop(copied.folder, EARLY)
    promote(copied.folder, LATE)
    entry = read_manifest(copied.folder.manifest(LATE)).tables[SYNAPSE]
    assert (entry.base, entry.rows) == (None, 8)
    assert rows(copied, LATE) == written(LATE)
    with pytest.raises(UsageError, match=f"plain names answer from version {EARLY}"):
        drop(copied.folder, EARLY)
    build(copied.folder, default=LATE)
    assert drop(copied.folder, EARLY) > 0
    assert copied.folder.versions() == [LATE]
    assert rows(copied, LATE) == written(LATE)
    copied.expect("versions", f"version | is_default\n{LATE} | true")


def test_a_dropped_version_takes_nothing_from_its_base(copied: SmallWarehouse) -> None:
    drop(copied.folder, LATE)
    assert copied.folder.versions() == [EARLY]
    assert rows(copied, EARLY) == written(EARLY)
