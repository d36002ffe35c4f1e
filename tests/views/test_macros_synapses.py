"""Macros about the synapses and partners of single cells: what is counted, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.conftest import SmallWarehouse

SYNAPSES = """
    id | pre_pt_root_id | post_pt_root_id | size | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z
    1  | 10             | 20              | 100  | 100               | 100               | 10
    2  | 10             | 20              | 300  | 200               | 100               | 10
    3  | 20             | 10              | 50   | 300               | 100               | 10
    4  | 10             | 10              | 70   | 400               | 100               | 10
    5  | 0              | 10              | 60   | 500               | 100               | 10
    6  | 10             | 1               | 60   | 600               | 100               | 10
    7  | 77             | 20              | 40   | 700               | 100               | 10
    8  | 77             | 10              | 40   | 700               | 100               | 10
    9  | 30             | 10              | 40   | 700               | 100               | 10
    10 | 30             | 20              | 40   | 700               | 100               | 10
    11 | 10             | 88              | 40   | 700               | 100               | 10 """
NUCLEI = "id | pt_root_id\n101 | 10\n102 | 20\n103 | 30\n104 | 40"
TYPES = "target_id | cell_type\n101 | 23P\n102 | BC"
PROOFREAD = "id | pt_root_id | valid_id | status_axon | strategy_axon\n1 | 10 | 10 | true | axon_fully_extended"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWarehouse]:
    """One version for each scope of synapses."""
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("macros") / "root")
    for version, scope in ((1, "all"), (2, "proofread"), (3, "neurons")):
        warehouse.given(
            version,
            scope=scope,
            synapses_pni_2=SYNAPSES,
            nucleus_detection_v0=NUCLEI,
            aibs_metamodel_celltypes_v661=TYPES,
            proofreading_status_and_strategy=PROOFREAD,
        )
    yield warehouse
    warehouse.close()


def test_macros_return_the_columns_of_synapses(cells: SmallWarehouse) -> None:
    wh = cells.connect(1)
    # These macros refuse where rows are missing, so they need not say at which ends rows are complete.
    expected = [name for name in wh.sql("FROM synapses").columns if not name.endswith("_is_complete")]
    for call in ("input_synapses(10)", "output_synapses(10)", "synapses_between(10, 20)"):
        assert wh.sql(f"FROM {call}").columns == expected, call


def test_outputs_of_a_cell_and_of_an_orphan_piece(cells: SmallWarehouse) -> None:
    """The rows sorted by axon hold cells; a piece of axon is found in the whole table."""
    assert cells.ask("SELECT list(id ORDER BY id) FROM output_synapses(10)", 1) == [([1, 2, 4, 6, 11],)]
    assert cells.ask("SELECT list(id ORDER BY id) FROM output_synapses([77, 20])", 1) == [([3, 7, 8],)]


def test_partners_leave_out_autapses_and_what_is_no_segment(cells: SmallWarehouse) -> None:
    cells.expect(
        "output_partners(10)",
        """
            post_pt_root_id | n_syn | sum_size | mean_size | median_size | post_n_nuclei_on_root | post_cell_type
            20              | 2     | 400      | 200.0     | 200.0       | 1                     | BC
            88              | 1     | 40       | 40.0      | 40.0        | 0                     | """,
        1,
    )
    cells.expect(
        "output_partners(10, min_syn := 2)", "post_pt_root_id | pre_strategy_axon\n20 | axon_fully_extended", 1
    )
    cells.expect(
        "input_partners(10)",
        """
            pre_pt_root_id | n_syn | pre_nucleus_id | pre_axon_proofread
            20             | 1     | 102            | false
            30             | 1     | 103            | false
            77             | 1     |                | false """,
        1,
    )


def test_partners_and_synapses_by_type_keep_the_unknown(cells: SmallWarehouse) -> None:
    cells.expect(
        "partner_types(10)",
        "partner_label | n_partners | n_cells | n_syn | sum_size\nBC | 1 | 1 | 2 | 400\nunknown | 1 | 0 | 1 | 40",
        1,
    )
    cells.expect(
        "partner_types(10, side := 'input')",
        "partner_label | n_partners | n_cells | n_syn\nBC | 1 | 1 | 1\nunknown | 2 | 1 | 2",
        1,
    )
    for word, side in (("in", "input"), ("out", "output")):
        query = "FROM partner_types(10, side := '{}') ORDER BY ALL"
        assert cells.ask(query.format(word), 1) == cells.ask(query.format(side), 1), f"{word} means {side}"
    with pytest.raises(duckdb.Error, match="no side named into; the nearest is input, all are input, output"):
        cells.ask("FROM partner_types(10, side := 'into')", 1)
    with pytest.raises(duckdb.Error, match="no label named celltype; the nearest is cell_type, all are"):
        cells.ask("FROM partner_types(10, by := 'celltype')", 1)


def test_common_inputs_are_cells_unless_segments_are_asked_for(cells: SmallWarehouse) -> None:
    cells.expect("common_inputs(10, 102)", "pre_pt_root_id | n_syn_a | n_syn_b\n30 | 1 | 1", 1)
    cells.expect("common_inputs(10, 20, segments := true)", "pre_pt_root_id\n30\n77", 1)
    cells.expect("common_outputs(77, 30)", "post_pt_root_id\n10\n20", 1)
    assert cells.ask("SELECT count(*) FROM common_outputs(10, 30)", 1) == [(1,)]


def test_a_matrix_keeps_its_zeros(cells: SmallWarehouse) -> None:
    cells.expect(
        "connection_matrix([10, 104], ['20', 103, 10])",
        """
            pre_pt_root_id | post_pt_root_id | n_syn | sum_size | pre_label | post_label
            10             | 20              | 2     | 400      | 23P       | BC
            10             | 30              | 0     | 0        | 23P       |
            10             | 10              |       |          | 23P       | 23P
            40             | 20              | 0     | 0        |           | BC
            40             | 30              | 0     | 0        |           |
            40             | 10              | 0     | 0        |           | 23P """,
        1,
    )
    order = cells.ask("SELECT pre_pt_root_id, post_label FROM connection_matrix([40, 20, 10], [30, 20, 10])", 1)
    assert [root for root, _ in order] == [10] * 3 + [20] * 3 + [40] * 3
    assert [label for _, label in order] == ["23P", "BC", None] * 3
    cells.expect("connection_matrix(10, 20, by := 'cell_class')", "pre_label\nexcitatory", 1)
    cells.expect("connection_matrix(10, 20, min_size := 200)", "n_syn\n1", 1)
    cells.expect("connection_matrix(10, 20, min_syn := 3)", "n_syn\n0", 1)


def test_paths_lead_through_proofread_cells_that_are_alone(small: SmallWarehouse) -> None:
    """From 10 to 50: direct, over 20, over 20 and 30; 60 is merged, 70 not proofread, 77 no cell."""
    pairs = [(10, 20), (20, 50), (20, 30), (30, 50), (30, 10), (10, 60), (60, 50), (10, 70), (70, 50), (10, 77)]
    pairs += [(77, 50), (10, 50), (20, 50), (50, 20), (10, 10)]
    small.given(
        synapses_pni_2="pre_pt_root_id | post_pt_root_id | size\n"
        + "\n".join(f"{pre} | {post} | 5" for pre, post in pairs),
        nucleus_detection_v0="id | pt_root_id\n"
        + "\n".join(f"{100 + i} | {root}" for i, root in enumerate((10, 20, 30, 50, 60, 60, 70))),
        aibs_metamodel_celltypes_v661="target_id | cell_type\n100 | 23P\n103 | BC",
        proofreading_status_and_strategy="pt_root_id | valid_id | status_axon | strategy_axon\n"
        + "\n".join(f"{root} | {root} | true | axon_fully_extended" for root in (10, 20, 30, 60, 77)),
    )
    small.expect(
        "paths_between(10, 103, max_hops := 3)",
        """
            n_hops | pt_root_ids      | nucleus_ids          | cell_types            | n_syn_by_hop | min_n_syn
            1      | [10, 50]         | [100, 103]           | [23P, BC]             | [1]          | 1
            2      | [10, 20, 50]     | [100, 101, 103]      | [23P, NULL, BC]       | [1, 2]       | 1
            3      | [10, 20, 30, 50] | [100, 101, 102, 103] | [23P, NULL, NULL, BC] | [1, 1, 1]    | 1 """,
    )
    small.expect("paths_between([10, 20], 50, max_hops := 1)", "pt_root_ids\n[10, 50]\n[20, 50]")
    small.expect("paths_between(20, 50, min_syn := 2, max_hops := 5)", "pt_root_ids\n[20, 50]")
    small.expect("paths_between(10, [20, 50])", "pt_root_ids\n[10, 20]\n[10, 50]")
    small.expect("paths_between(30, 20)", "pt_root_ids\n[30, 10, 20]")
    assert small.ask("SELECT count(*) FROM paths_between(10, 10)") == [(0,)]
    rows = [(10, 50, 1), (10, 20, 3), (20, 50, 5), (30, 20, 2)]
    apart = [(*row, path) for row in rows for (path,) in small.ask(f"SELECT pt_root_ids FROM paths_between{row}")]
    values = ", ".join(map(str, rows))
    together = f"FROM (VALUES {values}) AS v (a, b, hops), LATERAL (FROM paths_between(v.a, v.b, v.hops)) AS p"
    assert small.ask(f"SELECT v.*, p.pt_root_ids {together} ORDER BY ALL") == sorted(apart)
    for call, sentence in {
        "50, 10": "the axon of 50 was not proofread, so that it is not known where it leads",
        "10, 999": "999 is not known",
        "10, 60": "60 holds 2 nuclei; a path leads from a single cell",
        "[60, 10], 50": "60 holds 2 nuclei; a path leads from a single cell",
        "77, 50": "77 holds 0 nuclei; a path leads from a single cell",
        "10, 50, max_hops := 6": "max_hops goes from 1 to 5, not 6",
        "10, 50, max_hops := 0": "max_hops goes from 1 to 5, not 0",
        "10, 50, min_syn := NULL": "min_syn is NULL",
        "20, 30, min_syn := NULL": "min_syn is NULL",
    }.items():
        with pytest.raises(duckdb.Error, match=sentence):
            small.ask(f"SELECT count(*) FROM paths_between({call}) WHERE n_hops > 9")


def test_a_box_is_in_nanometres_and_its_upper_bounds_are_outside(cells: SmallWarehouse) -> None:
    for call in ("400, 0, 0, 1200, 999, 999", "1200, 0, 0, 400, 999, 999", "0.4, 0, 0, 1.2, 1, 1, unit := 'um'"):
        assert cells.ask(f"SELECT list(id ORDER BY id) FROM synapses_in_box({call})", 1) == [([1, 2],)]
    assert cells.ask("SELECT count(*) FROM synapses_in_box(0, 0, 0, 300, 101, 11, unit := 'voxel')", 1) == [(2,)]
    for call in ("'400', '0', '0', '1200', '999', '999'", "'-inf', -1e30, '0', 1e30, 'infinity', 999"):
        assert cells.ask(f"SELECT list(id ORDER BY id) FROM synapses_in_box({call})", 1)[0][0][:2] == [1, 2]


def test_the_bounds_of_a_box_are_known_before_it_is_read(cells: SmallWarehouse) -> None:
    """Numbers in the plan, not what computes them or refuses: else every file would be read for a box."""
    plan = str(cells.ask("EXPLAIN SELECT id FROM synapses_in_box('400', 0, 0, 1200, 999, 999)", 1))
    assert "300" in plan
    assert "error" not in plan.lower()
    assert "CROSS_PRODUCT" not in plan


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            "'a', 0, 0, 1, 1, 1",
            r"corners of the box are \[a, 0, 0, 1, 1, 1\]; two opposite corners are six",
        ),
        ("400, 0, 0, NULL, 999, 999", r"corners of the box are \[400, 0, 0, NULL, 999, 999\]"),
        ("400, 0, 0, 1200, 'nan', 999", "two opposite corners are six numbers: x0, y0, z0, x1, y1, z1"),
        ("[400, 0, 0], [1200, 999, 999], 0, 0, 0, 0", "two opposite corners are six numbers"),
        ("0, 0, 0, 1, 1, 1, unit := 'mm'", "there is no unit named mm; a box is given in nm, um or voxel"),
        ("0, 0, 0, 1, 1, 1, unit := NULL", "there is no unit named NULL"),
        ("0, 0, 0, 1, 1, 1, unit := 4", "there is no unit named 4"),
    ],
)
def test_a_box_that_is_none_is_a_sentence(cells: SmallWarehouse, call: str, sentence: str) -> None:
    """NULL above all: DuckDB's least and greatest leave it out, and the box would be empty."""
    for question in ("SELECT count(*) FROM {}", "SELECT 1 WHERE EXISTS (FROM {})", "FROM {} WHERE size > 0"):
        with pytest.raises(duckdb.Error, match=sentence):
            cells.ask(question.format(f"synapses_in_box({call})"), 1)


def test_a_snapshot_of_proofread_outputs_answers_for_these_only(cells: SmallWarehouse) -> None:
    assert cells.ask("SELECT count(*) FROM output_synapses(10)", 2) == [(5,)]
    assert cells.ask("SELECT count(*) FROM partner_types(10)", 2) == [(2,)]
    for call in ("output_synapses(20)", "synapses_between(20, 10)"):
        with pytest.raises(duckdb.Error, match="the axon of 20 was not proofread"):
            cells.ask(f"SELECT count(*) FROM {call}", 2)
    for call in ("input_synapses(10)", "input_partners(10)", "common_inputs(10, 20)", "partner_types(10, 'in')"):
        with pytest.raises(duckdb.Error, match="would be wrong: version 2 here holds only the outputs"):
            cells.ask(f"SELECT count(*) FROM {call}", 2)


def test_a_snapshot_of_neurons_answers_between_neurons(cells: SmallWarehouse) -> None:
    assert cells.ask("SELECT count(*) FROM synapses_between(10, 20)", 3) == [(2,)]
    with pytest.raises(duckdb.Error, match="77 has no nucleus"):
        cells.ask("FROM synapses_between(77, 20)", 3)
    with pytest.raises(duckdb.Error, match="output_synapses would be wrong"):
        cells.ask("FROM output_synapses(10)", 3)
