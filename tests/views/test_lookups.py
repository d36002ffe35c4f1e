"""What a look-up of one cell reads of the files, as DuckDB counted it while it ran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import SmallWarehouse
from warehouse.registry.tables import SYNAPSE, TABLES

pytestmark = pytest.mark.slow
ROWS = 1_300_000
"""More than a million: below that DuckDB reads the whole table, which then takes no time either."""
FOLDERS = ("synapses", "axon_synapses")
FIRST = 864691135000000000
CELL = 50
ROOT = FIRST + CELL


@pytest.fixture(scope="module")
def wide(small_module: SmallWarehouse) -> SmallWarehouse:
    """2,000 segments, half of them cells, a hundred of those proofread; four files of five row groups.

    Beside it a smaller version with more orphan pieces: what a planner believes of their number must not matter.
    """
    for version, rows, segments in ((1718, ROWS, 2_000), (1822, 20_000, 2_600)):
        given_segments(small_module, version, rows, segments)
    return small_module


def given_segments(small: SmallWarehouse, version: int, rows: int, segments: int) -> None:
    rng = np.random.default_rng(0)
    schema = TABLES[SYNAPSE].arrow_schema
    columns = {name: np.zeros(rows, int) for name in schema.names} | {"id": np.arange(rows)}
    columns |= {f"{side}_pt_root_id": FIRST + rng.integers(1, segments + 1, rows) for side in ("pre", "post")}
    proofread = "\n".join(f"{n} | {FIRST + n} | {FIRST + n} | true | axon_fully_extended" for n in range(1, 101))
    small.given(
        version,
        nucleus_detection_v0="id | pt_root_id\n" + "\n".join(f"{n} | {FIRST + n}" for n in range(1, 1_001)),
        proofreading_status_and_strategy=f"id | pt_root_id | valid_id | status_axon | strategy_axon\n{proofread}",
        synapses_pni_2=pa.table(columns).cast(schema),
    )


def scans(plan: dict[str, Any], folder: str) -> Iterator[tuple[int, int]]:
    """Files read and rows found by each scan of a folder that read anything."""
    about = plan.get("extra_info") or {}
    if folder in str(about.get("Filename(s)", "")) and int(about.get("Total Files Read", 0)):
        yield (
            int(about["Total Files Read"]),
            int(plan.get("operator_cardinality", plan.get("intermediate_rows", 0))),
        )
    for child in plan.get("operator", plan.get("children", ())):
        yield from scans(child, folder)


def row_groups(small: SmallWarehouse, folder: str, column: str) -> int:
    """How many row groups may hold the cell, by the statistics in the files."""
    found = 0
    for path in small.folder.version(1718).glob(f"model/{folder}-*/**/*.parquet"):
        metadata = pq.read_metadata(path)
        index = metadata.schema.to_arrow_schema().get_field_index(column)
        for number in range(metadata.num_row_groups):
            statistics = metadata.row_group(number).column(index).statistics
            found += statistics.min <= ROOT <= statistics.max
    return found


@pytest.mark.parametrize("id", [ROOT, str(ROOT), CELL, [ROOT]], ids=["root", "text", "nucleus", "list"])
@pytest.mark.parametrize("how", ["literal", "parameter"])
@pytest.mark.parametrize(
    ("macro", "folder", "column"),
    [("input_synapses", "synapses", "post_pt_root_id"), ("output_synapses", "axon_synapses", "pre_pt_root_id")],
)
def test_a_look_up_by_macro_reads_one_file(
    wide: SmallWarehouse, macro: str, folder: str, column: str, how: str, id: int | str | list[int]
) -> None:
    wh = wide.connect()
    asked, given = (f"{macro}({id!r})", {}) if how == "literal" else (f"{macro}($id)", {"id": id})
    (count,) = wh.sql(f"SELECT count(*) FROM synapses WHERE {column} = {ROOT}").fetchall()[0]
    ((_, plan),) = wh.sql(f"EXPLAIN (ANALYZE, FORMAT json) SELECT sum(size) FROM {asked}", **given).fetchall()
    assert list(scans(json.loads(plan), f"/model/{folder}-")) == [(1, count)]
    assert row_groups(wide, folder, column) in (1, 2)
    assert "supervoxel" not in plan


@pytest.mark.parametrize(
    ("call", "reads"),
    {
        "input_partners(50)": "synapses",
        "output_partners(50)": "axon_synapses",
        "partner_types(50)": "axon_synapses",
        "partner_types(50, side := 'input')": "synapses",
        "common_inputs(50, 51)": "synapses",
        "common_outputs(50, 51)": "axon_synapses",
        "synapses_between(50, 51)": "axon_synapses",
        "connection_matrix(50, 51)": "axon_synapses",
    }.items(),
)
def test_what_is_built_on_look_ups_reads_one_file_for_each_id(wide: SmallWarehouse, call: str, reads: str) -> None:
    ((_, plan),) = wide.ask(f"EXPLAIN (ANALYZE, FORMAT json) FROM {call}")
    read = {name: list(scans(json.loads(plan), f"/model/{name}-")) for name in FOLDERS}
    assert {files for files, _ in read[reads]} == {1}
    assert [name for name in read if read[name]] == [reads]


def test_paths_are_found_in_the_stored_pairs(wide: SmallWarehouse) -> None:
    ((_, plan),) = wide.ask("EXPLAIN (ANALYZE, FORMAT json) FROM paths_between(50, 51, max_hops := 3)")
    assert [list(scans(json.loads(plan), f"/model/{name}-")) for name in ("synapses", "axon_synapses")] == [[], []]


def test_a_filter_on_a_view_reads_one_file(wide: SmallWarehouse) -> None:
    query = f"SELECT sum(sum_size) FROM connections_proofread WHERE pre_pt_root_id = {ROOT}"
    ((_, plan),) = wide.ask(f"EXPLAIN (ANALYZE, FORMAT json) {query}")
    ((files, rows),) = scans(json.loads(plan), "/model/axon_synapses-")
    assert files == 1
    assert rows < ROWS / 1_000
    assert list(scans(json.loads(plan), "/model/synapses-")) == []
