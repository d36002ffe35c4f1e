"""The mapping from database rows to the rows of a snapshot, property-tested on small tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import SchemaDrift
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

NUCLEI = TABLES["nucleus_detection_v0"]
SYNAPSES = TABLES[SYNAPSE]

BIG = st.integers(min_value=2**54, max_value=2**60)
SMALL = st.integers(min_value=0, max_value=500_000)
ROW = st.fixed_dictionaries(
    {
        "valid": st.sampled_from([True, True, False, None]),
        "volume": st.one_of(st.none(), st.just(math.nan), st.floats(0, 1e6)),
        "pt_root_id": st.one_of(st.none(), st.just(0), BIG),
        "pt_supervoxel_id": st.one_of(st.none(), BIG),
        "pt_position_x": SMALL,
    }
)


def database(rows: list[dict[str, Any]]) -> pa.Table:
    """Nucleus rows with ids counted down, so that order is not given."""
    fields = [(name, pa.float64() if name == "volume" else kind) for name, kind in _declared()]
    full = [{**{name: None for name, _ in fields}, "id": len(rows) - i, **row} for i, row in enumerate(rows)]
    return pa.Table.from_pylist(full, schema=pa.schema(fields))


def _declared() -> list[tuple[str, pa.DataType]]:
    return [(field, column.arrow_type) for column in NUCLEI.columns for field in column.fields]


@settings(deadline=None)  # the first call loads half of Arrow
@given(st.lists(ROW, max_size=12))
def test_each_row_is_mapped_alone_and_kept_only_if_valid(rows: list[dict[str, Any]]) -> None:
    served = logical_rows(NUCLEI, database(rows))
    assert served.schema == NUCLEI.arrow_schema
    kept = {len(rows) - i: row for i, row in enumerate(rows) if row["valid"]}
    assert served["id"].to_pylist() == sorted(kept)
    for row in served.to_pylist():
        before = kept[row["id"]]
        assert row["pt_root_id"] == (1 if before["pt_root_id"] is None else before["pt_root_id"])
        assert row["pt_supervoxel_id"] == (1 if before["pt_supervoxel_id"] is None else before["pt_supervoxel_id"])
        volume = before["volume"]
        missing = volume is None or math.isnan(volume)
        assert row["volume"] == (None if missing else float(np.float32(volume)))
        assert row["pt_position_x"] == before["pt_position_x"]


@settings(deadline=None)
@given(st.lists(ROW, max_size=8))
def test_mapping_twice_changes_nothing(rows: list[dict[str, Any]]) -> None:
    once = logical_rows(NUCLEI, database(rows))
    assert logical_rows(NUCLEI, once).equals(once)


def synapse(**given: Any) -> pa.Table:
    fields = [
        (field, pa.float64() if field == "size" else column.arrow_type)
        for column in SYNAPSES.columns
        for field in column.fields
    ]
    row = {name: 1 for name, _ in fields} | {"created": None, "valid": True, "size": 12.0} | given
    return pa.Table.from_pylist([row], schema=pa.schema(fields))


def test_cleft_sizes_become_whole_numbers_and_api_only_columns_are_dropped() -> None:
    served = logical_rows(SYNAPSES, synapse(size=17_012.0))
    assert served.schema == SYNAPSES.arrow_schema
    assert served["size"].to_pylist() == [17_012]
    assert "created" not in served.column_names


def test_a_fraction_of_a_voxel_is_drift() -> None:
    with pytest.raises(SchemaDrift, match=r"synapses_pni_2\.size does not fit int64"):
        logical_rows(SYNAPSES, synapse(size=1.5))


def test_a_missing_column_is_drift() -> None:
    with pytest.raises(SchemaDrift, match="lacks the columns size"):
        logical_rows(SYNAPSES, synapse().drop_columns(["size"]))


def test_an_outdated_valid_id_is_never_taken_for_a_missing_segmentation_row() -> None:
    table = TABLES["proofreading_status_and_strategy"]
    rows = pa.table({name: pa.nulls(1, kind) for name, kind in _fields(table)})
    served = logical_rows(table, rows.set_column(rows.column_names.index("valid"), "valid", pa.array([True])))
    assert served["valid_id"].to_pylist() == [None]
    assert served["pt_root_id"].to_pylist() == [1]


def _fields(table: Any) -> list[tuple[str, pa.DataType]]:
    return [(field, column.arrow_type) for column in table.columns for field in column.fields]
