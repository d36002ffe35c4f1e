"""The synthetic volume: what it promises about tables, seeds, ids, streams and the step between versions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from warehouse.demo.synthetic import Volume, cells_for, space, stream_synapses, synthesize
from warehouse.demo.synthetic.ids import CHUNK, CHUNK_ORIGIN
from warehouse.errors import UsageError
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

ONLY_NEWER = {
    "aibs_metamodel_celltypes_v661_corrections",
    "aibs_metamodel_mtypes_v661_v2_corrections",
    "cell_type_multifeature_combo",
    "synapse_target_predictions_ssa_v2",
}
ONLY_OLDER = {"functional_properties_v3_bcm"}
RETIRED_LONG_AGO = {"proofreading_status_public_release"}


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(cells=600, seed=7)


def logical(volume: Volume, version: int, name: str) -> pl.DataFrame:
    frame = pl.from_arrow(logical_rows(TABLES[name], volume.table(version, name)))
    assert isinstance(frame, pl.DataFrame)
    return frame


def test_every_declared_table_exists_where_it_should(volume: Volume) -> None:
    declared = {name for name, table in TABLES.items() if table.kind == "table"} - RETIRED_LONG_AGO
    assert set(volume.table_names(1507)) == declared - ONLY_NEWER
    assert set(volume.table_names(1718)) == declared - ONLY_OLDER


@pytest.mark.parametrize("version", [1507, 1718])
def test_tables_have_the_registry_columns_in_order_valid_and_invalid_rows(volume: Volume, version: int) -> None:
    for name in volume.table_names(version):
        rows = volume.table(version, name)
        assert rows.column_names == [field for column in TABLES[name].columns for field in column.fields], name
        kinds = {rows.schema.field(name).type for name in rows.column_names}
        assert pa.float32() not in kinds, "CAVE's database holds doubles"
        assert set(rows["valid"].to_pylist()) == {True, False}, name
        assert len(set(rows["id"].to_pylist())) == rows.num_rows, name
        served = logical_rows(TABLES[name], rows)
        required = [column.name for column in TABLES[name].stored_columns if not column.nullable]
        empty = {name for name in required if name in served.column_names and served[name].null_count}
        assert not empty, f"{name} has nulls in {empty}"


@pytest.mark.parametrize("version", [1507, 1718])
def test_categories_are_known_and_references_resolve(volume: Volume, version: int) -> None:
    for name in volume.table_names(version):
        table, rows = TABLES[name], logical(volume, version, name)
        for column in table.stored_columns:
            if column.values:
                assert set(rows[column.name].drop_nulls()) <= set(column.values), f"{name}.{column.name}"
        if table.reference:
            targets = logical(volume, version, table.reference)["id"]
            assert rows["target_id"].is_in(targets.implode()).all(), name


def test_metadata_says_what_a_table_is(volume: Volume) -> None:
    metadata = volume.metadata("proofreading_status_and_strategy")
    assert metadata.schema_type == "compartment_proofread_status_strategy"
    assert "valid_id" in metadata.notice_text
    assert volume.metadata("aibs_metamodel_celltypes_v661").reference_table == "nucleus_detection_v0"
    for name in volume.table_names(1507):
        assert volume.metadata(name).created < volume.versions[0].time_stamp


def test_unknown_names_and_versions_are_usage_errors(volume: Volume) -> None:
    with pytest.raises(UsageError, match="no table nothing"):
        volume.table(1507, "nothing")
    with pytest.raises(UsageError, match="has the versions"):
        volume.table(1621, SYNAPSE)
    with pytest.raises(UsageError, match="no view nothing"):
        volume.view(1507, "nothing")
    with pytest.raises(UsageError, match="at least"):
        synthesize(cells=10)


def test_a_seed_gives_the_same_volume_and_another_seed_another() -> None:
    first, again, other = synthesize(250, seed=3), synthesize(250, seed=3), synthesize(250, seed=4)
    for version in (1507, 1718):
        for name in first.table_names(version):
            rows, same, different = (logical(each, version, name) for each in (first, again, other))
            assert rows.equals(same), name
            assert not rows.equals(different), name


def test_the_stream_does_not_depend_on_its_batches_and_is_the_valid_part_of_the_table(volume: Volume) -> None:
    for name in (SYNAPSE, "synapse_target_structure"):
        small = pa.Table.from_batches(volume.stream(1718, name, batch=7_001))
        large = pa.Table.from_batches(volume.stream(1718, name, batch=10**9))
        assert small.equals(large)
        valid = logical_rows(TABLES[name], volume.table(1718, name))
        assert logical_rows(TABLES[name], small).drop_columns(_own(name)).equals(valid.drop_columns(_own(name)))
        sizes = [batch.num_rows for batch in volume.stream(1718, name, batch=7_001)]
        assert set(sizes[:-1]) == {7_001}


def _own(name: str) -> list[str]:
    """Columns that differ because the table counts its invalid rows too."""
    return [] if name == SYNAPSE else ["id", "created", "superceded_id"]


def test_a_stream_has_as_many_rows_as_asked_ordered_by_id() -> None:
    batches = list(stream_synapses(rows=500_003, seed=1, batch=100_000))
    assert [batch.num_rows for batch in batches] == [100_000] * 5 + [3]
    ids = np.concatenate([batch["id"].to_numpy() for batch in batches])
    assert (np.diff(ids) > 0).all()
    assert cells_for(500_003) == 214


def test_ids_have_the_bits_and_the_spread_of_real_ones(volume: Volume, shared_dir: Path) -> None:
    pandas = pytest.importorskip("pandas")
    real = pandas.read_pickle(shared_dir / "real/caveclient_fixtures/synapse_query_split.pkl")
    made = volume.table(1507, SYNAPSE).to_pandas().dropna(subset=["pre_pt_root_id"])
    made = made[(made.pre_pt_supervoxel_id > 0) & (made.post_pt_supervoxel_id > 0)]
    for frame in (real, made):
        for side in ("pre", "post"):
            supervoxel = frame[f"{side}_pt_supervoxel_id"].to_numpy().astype(np.int64)
            assert set(supervoxel >> 56) == {1}
            for axis, shift, origin in zip("xyz", (46, 36, 26), CHUNK_ORIGIN, strict=True):
                position = frame[f"{side}_pt_position_{axis}"].to_numpy()
                assert ((supervoxel >> shift & 1023) == (position - origin) // CHUNK).all()
            within = supervoxel & (2**26 - 1)
            depth = (frame[f"{side}_pt_position_z"].to_numpy() - CHUNK_ORIGIN[2]) % CHUNK
            assert within.max() < 720_000
            assert np.corrcoef(within, depth)[0, 1] > 0.9
            for axis, spread in zip("xyz", (44, 44, 4.7), strict=True):
                away = frame[f"{side}_pt_position_{axis}"] - frame[f"ctr_pt_position_{axis}"]
                assert away.std() == pytest.approx(spread, rel=0.12)
                assert away.abs().max() < 170
        assert np.corrcoef(frame.id, frame.ctr_pt_position_x)[0, 1] > 0.99
    spans = [frame[f"ctr_pt_position_{axis}"].std() for axis in "xyz" for frame in (real, made)]
    assert spans[1::2] == pytest.approx(spans[::2], rel=0.35)


def test_roots_look_like_those_of_the_recordings(volume: Volume, shared_dir: Path) -> None:
    import pyarrow.parquet as pq

    recorded = pq.read_table(shared_dir / "cave-recordings/tables/v1300/nucleus_detection_v0.parquet")
    real = np.array([root for root in recorded["pt_root_id"].to_pylist() if root and root > 1])
    made = logical(volume, 1507, SYNAPSE)["post_pt_root_id"].unique().to_numpy()
    made = made[made > 1]
    assert set(real >> 56) == set(made >> 56) == {12}
    assert {len(str(root)) for root in made.tolist()} == {18}
    assert np.percentile(made, [5, 95]) == pytest.approx(np.percentile(real, [5, 95]), rel=2e-9)


def test_a_synapse_changed_exactly_when_one_of_its_old_roots_is_retired(volume: Volume) -> None:
    older, newer = logical(volume, 1507, SYNAPSE), logical(volume, 1718, SYNAPSE)
    older, newer = older.sort("id"), newer.sort("id")
    static = [name for name in older.columns if not name.endswith("root_id")]
    assert older.select(static).equals(newer.select(static))
    sides = ["pre_pt_root_id", "post_pt_root_id"]
    roots_of = [pl.concat([frame[side] for side in sides]).unique() for frame in (older, newer)]
    retired = set(roots_of[0]) - set(roots_of[1])
    assert not retired & {0, 1}
    changed = (older[sides[0]] != newer[sides[0]]) | (older[sides[1]] != newer[sides[1]])
    touched = older[sides[0]].is_in(list(retired)) | older[sides[1]].is_in(list(retired))
    assert (changed == touched).all()
    assert 0.03 < changed.mean() < 0.12  # type: ignore[operator]


def test_a_root_that_both_versions_have_holds_the_same_supervoxels(volume: Volume) -> None:
    def supervoxels(version: int) -> pl.DataFrame:
        rows = logical(volume, version, SYNAPSE)
        ends = [
            rows.select(root=f"{side}_pt_root_id", supervoxel=f"{side}_pt_supervoxel_id")
            for side in ("pre", "post")
        ]
        nuclei = logical(volume, version, "nucleus_detection_v0")
        ends.append(nuclei.select(root="pt_root_id", supervoxel="pt_supervoxel_id"))
        return pl.concat(ends).filter(pl.col("root") > 1)

    older, newer = supervoxels(1507), supervoxels(1718)
    assert (older.group_by("supervoxel").agg(pl.col("root").n_unique())["root"] == 1).all()
    both = older.join(newer, on="root", how="semi")
    assert both.sort("root", "supervoxel").equals(
        newer.join(older, on="root", how="semi").sort("root", "supervoxel")
    )


def test_everything_lies_inside_the_volume(volume: Volume) -> None:
    rows = logical(volume, 1507, SYNAPSE)
    for axis, low, high in zip("xyz", space.LOW, space.HIGH, strict=True):
        for side in ("pre_pt", "post_pt", "ctr_pt"):
            assert rows[f"{side}_position_{axis}"].is_between(low - 1, high).all()


def test_the_documented_depth_is_kept() -> None:
    assert space.depth_um(np.array([[173_584, 145_120, 21_127]]))[0] == pytest.approx(242.1154, abs=1e-4)
