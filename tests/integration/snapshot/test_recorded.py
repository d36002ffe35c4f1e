"""Tables of a real server's database, in both of its layouts, served and snapshotted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

pytestmark = pytest.mark.slow

TABLES_OF = {1300: 8, 943: 5}


def stored(folder: Path, version: int, name: str) -> pa.Table:
    """The logical rows of a recorded table; the merged layout of old versions serves no bookkeeping."""
    rows = pq.read_table(folder / "tables" / f"v{version}" / f"{name}.parquet")
    if version == 943:
        rows = rows.drop_columns([name for name in ("created", "superceded_id") if name in rows.column_names])
        for column in ("created", "superceded_id"):
            rows = rows.append_column(column, pa.nulls(len(rows)))
    return logical_rows(TABLES[name], rows)


@pytest.mark.parametrize("version", [943, 1300])
def test_recorded_tables_come_back_row_for_row(
    recorded: Any, serve_recorded: Any, tmp_path: Path, bench: Any, version: int
) -> None:
    with serve_recorded(recorded, row_cap=90_000) as service:
        here = type(bench)(service, bench.folder)
        here.sizes = type(bench.sizes)(rows=60_000)
        manifest = here.take(version=version, synapses="all")
        assert len(manifest.tables) == TABLES_OF[version]
        assert manifest.time_stamp[:4] == {943: "2024", 1300: "2025"}[version]
        for name in manifest.tables:
            wanted = stored(recorded.folder, version, name)
            order = [(column, "ascending") for column in TABLES[name].sort_by]
            assert (
                here.rows(name, version).sort_by(order).combine_chunks() == wanted.sort_by(order).combine_chunks()
            )
        assert manifest.absent["nucleus_alternative_points"] == (
            f"not among the {TABLES_OF[version]} tables that CAVE lists for version {version}"
        )


def test_the_old_proofreading_table_gives_the_proofread_axons(
    recorded: Any, serve_recorded: Any, bench: Any
) -> None:
    with serve_recorded(recorded) as service:
        here = type(bench)(service, bench.folder)
        here.sizes = type(bench.sizes)()
        manifest = here.take(version=943)
    assessed = stored(recorded.folder, 943, "proofreading_status_public_release").to_pylist()
    roots = {row["pt_root_id"] for row in assessed if row["status_axon"] in ("clean", "extended")} - {0, 1}
    synapses = stored(recorded.folder, 943, SYNAPSE)
    wanted = [
        row["id"]
        for row in synapses.select(["id", "pre_pt_root_id"]).to_pylist()
        if row["pre_pt_root_id"] in roots
    ]
    assert manifest.tables[SYNAPSE].scope == "proofread"
    assert sorted(here.rows(SYNAPSE, 943)["id"].to_pylist()) == sorted(wanted)
    assert 0 < len(wanted) < synapses.num_rows


def test_an_expired_recorded_version_is_refused(recorded: Any, serve_recorded: Any, bench: Any) -> None:
    from warehouse.errors import SourceRefused

    with (
        serve_recorded(recorded) as service,
        pytest.raises(SourceRefused, match="1181 of minnie65_public has expired"),
    ):
        type(bench)(service, bench.folder).take(version=1181)
