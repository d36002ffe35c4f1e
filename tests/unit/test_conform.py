"""Columns are taken by their names, whatever their order is when they arrive."""

from __future__ import annotations

import pyarrow as pa

from ingest.parts.conform import adapted, conform, reduced
from tests.conftest import filled
from warehouse.registry.tables import TABLES
from warehouse.storage.logical import logical_rows

PROOFREADING = TABLES["proofreading_status_and_strategy"]
ROWS = filled(
    PROOFREADING,
    """
    id | valid | pt_root_id | valid_id | status_dendrite | status_axon | strategy_axon   | strategy_dendrite
    1  | true  | 10         | 11       | false           | true        | axon_interareal | none
    2  | true  | 20         | 20       | true            | false       | none            | dendrite_clean """,
)
ORDERS = (ROWS.column_names[::-1], sorted(ROWS.column_names), ROWS.column_names[3:] + ROWS.column_names[:3])


def test_rows_of_a_server_that_sends_columns_in_another_order() -> None:
    """Root and valid id, or the two statuses, are of one type: by place they would change without a word."""
    for order in ORDERS:
        assert conform(PROOFREADING, ROWS.select(order), is_merged=False).equals(ROWS)


def test_rows_of_a_database_with_columns_in_another_order() -> None:
    expected = logical_rows(PROOFREADING, ROWS)
    assert expected["valid_id"].to_pylist() == [11, 20]
    for order in ORDERS:
        assert logical_rows(PROOFREADING, ROWS.select(order)).equals(expected)


def test_a_declaration_does_not_follow_the_order_of_what_is_sent() -> None:
    view = TABLES["single_neurons"]
    sent = pa.schema([("pt_root_id", pa.int64()), ("id", pa.int64())])
    assert adapted(view, sent).arrow_schema == view.arrow_schema
    backwards = pa.schema([ROWS.schema.field(name) for name in ORDERS[0]])
    assert reduced(PROOFREADING, backwards, "a file").arrow_schema == PROOFREADING.arrow_schema
