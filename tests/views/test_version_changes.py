"""What differs between two versions: rows, proofreading, synapses, roots; in numbers that can be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from msgspec.structs import replace

from tests.conftest import SmallWarehouse, assert_views_answer_or_refuse, filled
from warehouse.catalog.build import build
from warehouse.commands.check import check
from warehouse.commands.cli import main
from warehouse.commands.diff import diff
from warehouse.errors import SnapshotNotFound, UsageError
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.manifest import read_manifest
from warehouse.storage.publish import publish
from warehouse.versions.store_difference import BaseVersion, store_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

NUCLEI = {
    1507: "id | pt_root_id | pt_supervoxel_id\n1|10|7\n2|20|7\n3|30|7\n4|40|7\n5|50|7\n6|60|7",
    1718: "id | pt_root_id | pt_supervoxel_id\n1|11|7\n2|20|7\n3|31|8\n4|41|7\n5|41|7\n6|60|7",
}
SYNAPSES = {
    1507: """
        id | pre_pt_root_id | post_pt_root_id
        1  | 90             | 10
        2  | 90             | 10
        3  | 10             | 20
        4  | 91             | 20
        5  | 40             | 91
        6  | 92             | 92
        7  | 92             | 20
        8  | 93             | 0 """,
    1718: """
        id | pre_pt_root_id | post_pt_root_id
        1  | 94             | 11
        2  | 95             | 99
        3  | 11             | 20
        4  | 91             | 20
        5  | 41             | 91
        6  | 11             | 11
        7  | 11             | 20
        8  | 93             | 31 """,
}
PROOFREAD = {
    1507: """
        pt_root_id | valid_id | status_axon | strategy_axon           | strategy_dendrite
        10         | 10       | true        | axon_partially_extended | dendrite_clean
        20         | 20       | true        | axon_fully_extended     | dendrite_clean
        30         | 30       | false       | none                    | dendrite_clean
        60         | 60       | true        | axon_fully_extended     | dendrite_clean """,
    1718: """
        pt_root_id | valid_id | status_axon | strategy_axon           | strategy_dendrite
        11         | 11       | true        | axon_fully_extended     | dendrite_clean
        20         | 20       | false       | none                    | dendrite_clean
        31         | 31       | false       | none                    | dendrite_extended
        60         | 60       | true        | axon_fully_extended     | dendrite_clean """,
}
OLD_PROOFREADING = """
    pt_root_id | valid_id | status_axon | status_dendrite
    10         | 10       | extended    | clean
    20         | 20       | non         | clean """
LINEAGE = """
    version_a | version_b | pt_root_id_a | pt_root_id_b | n_sides
    1507      | 1718      | 10           | 11           | 2
    1507      | 1718      | 10           | 99           | 1
    1507      | 1718      | 40           | 41           | 1
    1507      | 1718      | 90           | 94           | 1
    1507      | 1718      | 90           | 95           | 1
    1507      | 1718      | 92           | 11           | 3 """


def given_against(small: SmallWarehouse, version: int, base: int) -> None:
    """Publish synapses of a version again, as what differs from another one's."""
    table, manifest = TABLES[SYNAPSE], read_manifest(small.folder.manifest(version))
    assembled = small.folder.staging(version)
    rows = filled(table, SYNAPSES[1718 if version == 1718 else 1507])
    entry = store_difference(
        assembled, version, table, rows, BaseVersion.of(small.folder, base), source="synthetic"
    )
    publish(small.folder, assembled, replace(manifest, tables=manifest.tables | {SYNAPSE: entry}))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """1507 in full and 1718 against it."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("two"))
    for version in (1507, 1718):
        warehouse.given(
            version,
            nucleus_detection_v0=NUCLEI[version],
            synapses_pni_2=SYNAPSES[version],
            proofreading_status_and_strategy=PROOFREAD[version],
        )
    given_against(warehouse, 1718, 1507)
    build(warehouse.folder)
    yield warehouse
    warehouse.close()


def test_roots_of_any_segment_are_followed(two: SmallWarehouse) -> None:
    """90 was split; 10 lost a piece (99) and took in 92; 0 and 1 became nothing, and nothing became them."""
    two.expect("root_lineage", LINEAGE)


def test_a_stale_id_is_translated_in_either_direction(two: SmallWarehouse) -> None:
    ids = "check_ids([10, 92, 90, 91, 7777])"
    two.expect(ids, "id | moved_to_root_id\n10|11\n92|11\n90|94\n91|\n7777|", 1718)
    problems = dict(two.ask(f"SELECT id, problem FROM {ids}", 1718))
    assert problems[92] == (
        "92 is not in v1718; it was in v1507 as a segment without a nucleus, and all of its synapses are on "
        "root 11 now; see root_lineage"
    )
    assert "1 of the 2 sides of its synapses are on root 94 now" in problems[90]
    assert "its nucleus 1 is on root 11 now" in problems[10]
    assert "is not known" in problems[7777]
    two.expect("check_ids([11, 95, 31])", "id | moved_to_root_id\n11|10\n95|90\n31|30", 1507)
    with pytest.raises(duckdb.Error, match=r"92 is not in v1718; it was in v1507 .* on root 11 now"):
        two.ask("FROM input_synapses(92)", 1718)


def test_synapses_gained_and_lost_by_each_cell(two: SmallWarehouse) -> None:
    """Of 1: input 1 stays, 2 goes; output 3 stays, 7 comes; 6 is an autapse. 2 kept its root and is not listed."""
    two.expect(
        "(SELECT nucleus_id, COLUMNS('n_input_syn_(.*)') AS 'in_\\1', COLUMNS('n_output_syn_(.*)') AS 'out_\\1' "
        "FROM cell_synapse_changes)",
        """
            nucleus_id | in_kept | in_gained | in_lost | out_kept | out_gained | out_lost
            1          | 1       | 0         | 1       | 1        | 1          | 0
            3          | 0       | 1         | 0       |          |            |
            4          |         |           |         | 1        | 0          | 0
            5          |         |           |         | 0        | 1          | 0 """,
    )
    two.expect(
        "(SELECT c.nucleus_id, n_input_syn_kept + n_input_syn_gained = n_input_syn AS inputs, "
        "n_output_syn_kept + n_output_syn_gained = n_output_syn AS outputs "
        "FROM cell_synapse_changes AS c JOIN in_out_degree AS d USING (nucleus_id) WHERE c.nucleus_id IN (1, 4))",
        "nucleus_id | inputs | outputs\n1 | true | true",
        1718,
    )


def test_upgrades_of_proofreading(two: SmallWarehouse) -> None:
    two.expect(
        "proofreading_changes",
        """
            nucleus_id | strategy_axon_a         | strategy_axon_b     | change
            1          | axon_partially_extended | axon_fully_extended | axon upgraded
            2          | axon_fully_extended     | none                | axon withdrawn
            3          | none                    | none                | dendrite """,
    )


def test_rows_that_differ(two: SmallWarehouse) -> None:
    """Of nuclei 4 have another root or point; of synapses 4 is as it was."""
    two.expect(
        "(FROM table_changes WHERE n_rows_a IS NOT NULL)",
        """
            table_name                       | n_rows_added | n_rows_removed | n_rows_changed | change
            nucleus_detection_v0             | 0            | 0              | 4              | changed
            proofreading_status_and_strategy | 0            | 0              | 3              | changed
            synapses_pni_2                   | 0            | 0              | 7              | changed """,
    )
    two.expect("(FROM root_id_changes WHERE nucleus_id <= 3)", "nucleus_id | is_same_supervoxel\n1|true\n3|false")


def test_without_a_base_rows_are_counted_and_the_newer_may_be_the_base(small: SmallWarehouse) -> None:
    for version in (1507, 1718):
        small.given(version, nucleus_detection_v0=NUCLEI[version], synapses_pni_2=SYNAPSES[version])
    counted = "(FROM table_changes WHERE table_name = 'synapses_pni_2')"
    small.expect(counted, "n_rows_added | n_rows_removed | n_rows_changed\n0|0|7")
    small.expect("root_lineage", LINEAGE)
    given_against(small, 1507, 1718)
    build(small.folder)
    small.expect(counted, "n_rows_added | n_rows_removed | n_rows_changed\n0|0|7")
    small.expect("(FROM root_lineage WHERE pt_root_id_a = 92)", "version_a | pt_root_id_b | n_sides\n1507|11|3")


def test_the_outputs_of_proofread_axons_can_be_compared_too(small: SmallWarehouse) -> None:
    """Cell 1 was proofread in both, 2 only in the first: of that one, all outputs seem lost, and are left out."""
    for version, outputs in ((1507, "3|10|20"), (1718, "3|11|20\n6|11|11\n7|11|20")):
        small.given(
            version,
            scope="proofread",
            nucleus_detection_v0=NUCLEI[version],
            synapses_pni_2=f"id | pre_pt_root_id | post_pt_root_id\n{outputs}",
            proofreading_status_and_strategy=PROOFREAD[version],
        )
    small.expect(
        "cell_synapse_changes",
        "nucleus_id | n_input_syn_kept | n_output_syn_kept | n_output_syn_gained | n_output_syn_lost\n"
        "1 |  | 1 | 1 | 0",
    )


def test_diff_prints_every_section(two: SmallWarehouse, capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "1718", "1507", "--root", str(two.folder.path.parent)])
    cells, tables, proofreading, synapses, roots = capsys.readouterr().out.split("\n\n")
    assert cells.splitlines()[1:] == [
        "kind    cells  moved", "edited      2      1", "kept        2      0", "merged      2      0",
    ]  # fmt: skip
    assert len(tables.splitlines()) == 5
    assert tables.splitlines()[1].split()[2:4] == ["rows_v1507", "rows_v1718"]
    assert "axon upgraded" in proofreading
    assert "all 4 cells" in synapses
    assert roots.splitlines()[2].split() == ["4", "5", "4", "9"]


def test_nuclei_without_a_segment_are_not_called_kept(small: SmallWarehouse) -> None:
    for version in (1507, 1718):
        small.given(version, nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 0\n3 | 1\n4 | 40")
    build(small.folder)
    assert next(diff(small.folder, 1507, 1718)).splitlines()[2:] == [
        "kept            2      0", "no segment      2      0",
    ]  # fmt: skip


def test_what_cannot_be_compared_is_said(two: SmallWarehouse) -> None:
    with pytest.raises(UsageError, match="does not differ from itself"):
        list(diff(two.folder, 1718, 1718))
    with pytest.raises(SnapshotNotFound, match="version 943 is not in"):
        list(diff(two.folder, 1718, 943))


def test_versions_without_nuclei_have_little_to_compare(small: SmallWarehouse) -> None:
    for version in (117, 1718):
        small.given(version, synapses_pni_2=SYNAPSES[1507 if version == 117 else 1718])
    build(small.folder)
    cells, tables, *_, roots = diff(small.folder, 117, 1718)
    assert "needs the table nucleus_detection_v0, which is not here" in cells
    assert "synapses_pni_2" in tables
    assert roots.splitlines()[2].split() == ["4", "5", "4", "9"]


def test_old_versions_with_few_tables_answer_or_refuse(small: SmallWarehouse) -> None:
    """117 has synapses and nuclei, 943 an older proofreading table; against a base of today they still do."""
    small.given(1718, nucleus_detection_v0=NUCLEI[1718], synapses_pni_2=SYNAPSES[1718])
    for version in (117, 943):
        more = {"proofreading_status_public_release": OLD_PROOFREADING} if version == 943 else {}
        small.given(version, nucleus_detection_v0=NUCLEI[1507], synapses_pni_2=SYNAPSES[1507], **more)
        given_against(small, version, 1718)
    build(small.folder)
    for version in (117, 943):
        with small.connect(version) as warehouse:
            assert_views_answer_or_refuse(warehouse, f"needs the table .* not here for version {version}")
        assert [str(result) for result in check(small.folder, version) if not result.ok] == []
    assert small.ask("SELECT strategy_axon FROM proofreading WHERE status_axon", 943) == [("axon_fully_extended",)]
    with pytest.raises(duckdb.Error, match="proofreading needs the table"):
        small.ask("FROM proofreading", 117)
    assert small.ask("FROM proofreading_changes") == []


def test_what_several_versions_say_of_a_segment_is_not_added_up(small: SmallWarehouse) -> None:
    for version, root in ((943, 50), (1078, 50), (1718, 60)):
        small.given(
            version,
            nucleus_detection_v0="id | pt_root_id\n1 | 20",
            synapses_pni_2=f"id | pre_pt_root_id | post_pt_root_id\n1 | {root} | 20\n2 | {root} | 20",
        )
    assert small.ask("SELECT moved_to_root_id, problem FROM check_ids(50)", 1718) == [
        (
            60,
            "50 is not in v1718; it was in v1078, v943 as a segment without a nucleus, and all of its synapses "
            "are on root 60 now; see root_lineage",
        )
    ]
