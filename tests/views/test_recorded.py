"""Tables out of a real server: what is absent, and which roots changed. The oracle compares the views' rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.slow

Ask = Callable[[int, str], pl.DataFrame]


@pytest.mark.parametrize("version", [943, 1300])
def test_what_needs_an_absent_table_refuses_or_is_empty(recorded: Ask, version: int) -> None:
    with pytest.raises(Exception, match="neurons needs the table nucleus_ref_neuron_svm"):
        recorded(version, "SELECT count(*) FROM neurons")
    assert recorded(version, "FROM nucleus_alternative_points").is_empty()
    assert recorded(version, "SELECT DISTINCT is_neuron FROM cells").rows() == [(None,)]
    assert recorded(version, "SELECT DISTINCT root_source FROM cells").rows() == [("centroid",)]


def test_root_changes(recorded: Ask, shared_dir: Path) -> None:
    paths = (
        shared_dir / f"cave-recordings/tables/v{number}/nucleus_detection_v0.parquet" for number in (943, 1300)
    )
    older, newer = (pl.read_parquet(path).filter("valid") for path in paths)
    both = older.join(newer, "id").filter(pl.col("pt_root_id") != pl.col("pt_root_id_right"))
    changes = recorded(1300, "FROM root_id_changes WHERE change = 'root changed' ORDER BY nucleus_id")
    assert changes["nucleus_id"].to_list() == both["id"].sort().to_list()
