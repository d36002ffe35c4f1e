"""Numbers of the synthetic volume that must add up, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from warehouse.query.session import connect

if TYPE_CHECKING:
    from warehouse.query.session import Warehouse
    from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow

TYPES = "pre_strategy_axon, pre_cell_type, post_cell_type"


@pytest.fixture(scope="module")
def demo(synthetic: Folder) -> Iterator[Warehouse]:
    with connect(root=synthetic.path.parent) as opened:
        yield opened


def test_rows_of_cells_add_up_to_rows_of_types(demo: Warehouse) -> None:
    counts = "n_possible, n_connected, n_syn, sum_size"
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in counts.split(", "))
    by_cell = f"SELECT {TYPES}, {sums} FROM connectivity_by_cell WHERE pre_is_current GROUP BY ALL"
    by_type = f"SELECT {TYPES}, {counts} FROM cell_type_connectivity"
    assert_frame_equal(demo.sql(by_type).pl(), demo.sql(by_cell).pl(), check_row_order=False)


def test_compartments_add_up_to_all_inputs(demo: Warehouse) -> None:
    sums = "sum(n_spine_syn + n_shaft_syn + n_soma_syn + n_untagged_syn), sum(n_spine_syn) > 0"
    classes = "sum(n_excitatory + n_inhibitory + n_nonneuron + n_unknown), sum(n_input_syn)"
    ((tagged, some, classed, inputs),) = demo.sql(f"SELECT {sums}, {classes} FROM ei_balance").fetchall()
    assert some
    assert tagged == classed == inputs
