"""Clustering: whatever the parts and their order, what was written holds the source's rows, sorted, each once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse.errors import SnapshotDamaged
from warehouse.query.scan import scan
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.manifest import TableEntry

TABLE = TABLES[SYNAPSE]
FAR = 2**31 - 1


def synapses(rows: int, roots: int, merged: float, far: bool, seed: int) -> pa.Table:
    """Random rows.

    Args:
        rows: how many.
        roots: how many receiving segments there are, root 0 among them.
        merged: which part of the rows one merged root receives.
        far: whether the sides lie anywhere and supervoxels are any number, as no synapse is.
        seed: of the randomness.
    """
    rng = np.random.default_rng(seed)
    post = rng.integers(0, roots, rows) * 864691135000000007
    post[rng.random(rows) < merged] = 864691135572530981
    columns = {"id": rng.choice(20 * rows + 1, rows, replace=False), "post_pt_root_id": post}
    for field in TABLE.arrow_schema:
        near = (0, 1_000) if not field.name.endswith("id") else (77_808_318_927_000_000, 77_808_318_928_000_000)
        wide = (0, FAR) if not field.name.endswith("id") else (0, 2**62)
        columns.setdefault(field.name, rng.integers(*(wide if far else near), rows))
    return pa.table(columns).select(TABLE.arrow_schema.names).cast(TABLE.arrow_schema)


def write(rows: pa.Table, cuts: list[float], again: list[int], shuffled: int, folder: Path) -> list[Path]:
    """The rows as parts, cut anywhere, out of order, some of them twice."""
    order = np.random.default_rng(shuffled).permutation(rows.num_rows)
    places = [0, *sorted(int(cut * rows.num_rows) for cut in cuts), rows.num_rows]
    slices = [order[start:stop] for start, stop in pairwise(places)]
    slices += [slices[number % len(slices)] for number in again]
    paths = [folder / f"{number}.parquet" for number in range(len(slices))]
    for path, chosen in zip(paths, slices, strict=True):
        pq.write_table(rows.take(pa.array(chosen)), path)
    return paths


def require_sound(folder: Path, entry: TableEntry) -> None:
    """What the files themselves say: order, bounds, one row for each id, and what the manifest says of them."""
    seen: list[int] = []
    previous = -1
    for file in entry.files:
        rows = pl.read_parquet(folder / file.path, hive_partitioning=False)
        keys = rows.select("post_pt_root_id", "id")
        assert keys.equals(keys.sort("post_pt_root_id", "id"))
        bucket = int(file.path.split("b=")[1].split("/")[0])
        assert bucket > previous
        previous = bucket
        numbers = np.searchsorted(entry.bounds, rows["post_pt_root_id"].to_numpy(), side="right")
        assert set(numbers.tolist()) <= {bucket}
        assert (file.rows, file.min, file.max) == (
            len(rows), rows["post_pt_root_id"].min(), rows["post_pt_root_id"].max(),
        )  # fmt: skip
        seen += rows["id"].to_list()
    assert len(seen) == len(set(seen)) == entry.rows


@settings(max_examples=25, deadline=None)
@given(
    rows=st.sampled_from([0, 1, 7, 300, 5_000]),
    roots=st.sampled_from([1, 3, 500]),
    merged=st.sampled_from([0.0, 0.5, 1.0]),
    far=st.booleans(),
    cuts=st.lists(st.floats(0, 1), max_size=5),
    again=st.lists(st.integers(0, 5), max_size=3),
    seed=st.integers(0, 1_000),
)
@example(rows=400_000, roots=500, merged=0.75, far=True, cuts=[0.3, 0.3, 0.9], again=[1], seed=1)
def test_clustered_tables_hold_exactly_the_source_rows(
    rows: int, roots: int, merged: float, far: bool, cuts: list[float], again: list[int], seed: int
) -> None:
    """With mergers of hundreds of thousands of synapses, root 0, empty parts and offsets of any size."""
    source = synapses(rows, roots, merged, far, seed)
    with TemporaryDirectory() as directory:
        parts, folder = Path(directory) / "parts", Path(directory) / "assembled"
        parts.mkdir()
        entry = cluster_synapses(folder, TABLE, write(source, cuts, again, seed, parts), source="synthetic")
        require_sound(folder, entry)
        names = TABLE.arrow_schema.names
        found = scan(folder, entry).select(names).sort("id").collect()
        assert found.to_arrow().cast(TABLE.arrow_schema).equals(source.sort_by("id"))
        assert [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet"] == []


@pytest.mark.parametrize("changed", ["size", "post_pt_root_id"])
def test_a_synapse_with_two_different_rows_is_damage(tmp_path: Path, changed: str) -> None:
    """In one bucket, and in two, where only the count of ids can tell."""
    rows = synapses(300, 50, 0, False, 1)
    field = rows.schema.field(changed)
    fives = pa.array([5] * len(rows), field.type)
    other = rows.set_column(rows.schema.get_field_index(changed), field, fives)
    with pytest.raises(SnapshotDamaged, match="microns snapshot"):
        cluster_synapses(tmp_path, TABLE, pa.concat_tables([rows, other.slice(0, 1)]), source="synthetic")
