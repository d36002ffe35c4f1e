"""Numbers do not wrap: sums, squares and differences are right in SQL, polars and numpy, as large as they get."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from tests.conftest import SmallWarehouse
from tests.unit.test_store_difference import synapses
from warehouse.bundle.choice import Choice
from warehouse.bundle.parquet import make_parquet
from warehouse.bundle.write import make_bundle
from warehouse.catalog.build import build
from warehouse.query.session import Warehouse, connect
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.manifest import DataFile, Manifest, TableEntry, read_manifest, sha256_of
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish
from warehouse.versions.store_difference import BaseVersion, require_storable, store_difference

SIZES = [2**31 - 1, 2**30, 7, 120_000]
# The volume's far corner in voxels of 4 x 4 x 40 nm: 1.7 mm, squared nm are 2.9e12.
FAR, NEAR = (430_000, 310_000, 28_000), (40_000, 30_000, 14_000)
SYNAPSES = f"""
    id | pre_pt_root_id | post_pt_root_id | size       | ctr_pt_position_x | ctr_pt_position_y | ctr_pt_position_z | post_pt_position_x | pre_pt_position_x
    1  | 10             | 20              | {SIZES[0]} | {FAR[0]}          | {FAR[1]}          | {FAR[2]}          | {FAR[0]}           | {NEAR[0]}
    2  | 10             | 20              | {SIZES[1]} | {FAR[0]}          | {FAR[1]}          | {FAR[2]}          | 0                  | {FAR[0]}
    3  | 20             | 10              | {SIZES[2]} | {NEAR[0]}         | {NEAR[1]}         | {NEAR[2]}         | {NEAR[0]}          | 0
    4  | 10             | 20              | {SIZES[3]} | {FAR[0]}          | {FAR[1]}          | {FAR[2]}          | 1                  | 2"""  # noqa: E501
NUCLEI = f"""
    id  | pt_root_id | pt_position_x | pt_position_y | pt_position_z | volume
    101 | 10         | {NEAR[0]}     | {NEAR[1]}     | {NEAR[2]}     | 200.5
    102 | 20         | {FAR[0]}      | {FAR[1]}      | {FAR[2]}      | 300.5"""
TABLES_OF_EXTREMES: dict[str, str | pa.Table] = {
    SYNAPSE: SYNAPSES,
    "nucleus_detection_v0": NUCLEI,
    "proofreading_status_and_strategy": "pt_root_id | valid_id | status_axon | strategy_axon\n"
    "10 | 10 | true | axon_fully_extended\n20 | 20 | true | axon_fully_extended",
    "skeleton_vertices": f"pt_root_id | vertex | x_nm | y_nm | z_nm\n10 | 0 | {4 * FAR[0]} | 1240000 | 1120000\n"
    f"20 | 0 | {4 * FAR[0]} | 1240000 | 1120000",
    "synapse_target_structure": "id | target_id | value\n1 | 1 | 2\n2 | 2 | 1",
}
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "UINTEGER", "HUGEINT", "UBIGINT")


@pytest.fixture(scope="module")
def extremes(small_module: SmallWarehouse) -> SmallWarehouse:
    """Two cells in opposite corners of the volume, with the largest clefts there can be."""
    small_module.given(1718, **TABLES_OF_EXTREMES)
    build(small_module.folder)
    return small_module


def numeric_columns(wh: Warehouse) -> dict[str, list[str]]:
    """The numeric columns of every public view and table."""
    found = wh.cursor().execute(
        "SELECT schema_name || '.\"' || table_name || '\"', list(column_name) FROM duckdb_columns() "
        "WHERE database_name = 'microns' AND (schema_name = 'main' OR schema_name LIKE 'v%_cave') "
        "AND NOT starts_with(table_name, '_') AND data_type IN ('BIGINT', 'DOUBLE', 'FLOAT') GROUP BY ALL"
    )
    return dict(found.fetchall())


def test_no_view_table_or_macro_has_a_narrow_number(extremes: SmallWarehouse) -> None:
    """Whole numbers have 64 bits, also in lists; lengths are DOUBLE."""
    wh = extremes.connect()
    typed = wh.cursor().execute('SELECT name, "column", type, unit FROM data_dictionary').fetchall()
    assert len(typed) > 800
    wrong = [row for row in typed if re.search(rf"\b({'|'.join(WHOLE)})\b", row[2] or "")]
    wrong += [row for row in typed if row[1].endswith(("_nm", "_um")) and _words(row[2]) != {"DOUBLE"}]
    assert wrong == []


def _words(type_: str) -> set[str]:
    return set(re.findall(r"\b[A-Z]+\b", type_)) - {"STRUCT"}


def exact(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def assert_right(name: str, rows: Any, sql: tuple[Any, ...], column: str) -> None:
    """Sum, square and difference of a column, as polars, numpy and SQL have them, against Python's numbers."""
    values = exact(rows[column].to_list())
    if not values:
        return
    array, series = np.array(values, dtype=rows[column].drop_nulls().to_numpy().dtype), rows[column].drop_nulls()
    if rows[column].dtype == pl.Float32:  # as CAVE's API rounds it
        assert sql[0] == pytest.approx(sum(values), rel=1e-6), (name, column)
        return
    assert rows[column].dtype in (pl.Int64, pl.Float64), (name, column)
    add = sum if isinstance(values[0], int) else math.fsum
    wanted = [add(values), add(each * each for each in values), (max(values) - min(values)) ** 2]
    found = [
        [series.sum(), array.sum(), sql[0]],
        [(series * series).sum(), (array * array).sum(), sql[1]],
        [(series.max() - series.min()) ** 2, (array.max() - array.min()) ** 2, sql[2]],
    ]
    for right, three in zip(wanted, found, strict=True):
        for each in three:
            assert float(each) == pytest.approx(float(right), rel=1e-11), (name, column, right, three)
            if isinstance(right, int):
                assert int(each) == right, (name, column)


_SUM_SQUARE_DIFFERENCE = 'sum("{0}"), sum("{0}" * "{0}"), (max("{0}") - min("{0}")) * (max("{0}") - min("{0}"))'


def assert_all_right(wh: Warehouse) -> set[str]:
    """`assert_right` of every column of every view that has rows; returns their names."""
    seen = set()
    for name, columns in numeric_columns(wh).items():
        try:
            rows = wh.sql(f"FROM {name}").pl()
        except duckdb.InvalidInputException:  # a view that refuses
            continue
        largest: dict[str, Any] = {column: rows[column].abs().max() for column in columns}
        sums = {
            column: _SUM_SQUARE_DIFFERENCE.format(column)
            for column, most in largest.items()
            if most is not None and most < 2**31.5  # nobody adds ids
        }
        found = wh.sql(f"SELECT 1, {', '.join(sums.values())} FROM {name}").fetchall()[0][1:] if sums else ()
        for number, column in enumerate(sums):
            seen.add(name)
            assert_right(name, rows, found[3 * number : 3 * number + 3], column)
    return seen


def test_sums_squares_and_differences_of_every_view_are_right(extremes: SmallWarehouse) -> None:
    """Of all that has rows, at the real volume's extremes."""
    seen = assert_all_right(extremes.connect())
    needed = ("cells", "synapses", "connections", "connections_typed", "connections_proofread", "skeletons")
    assert {f'main."{name}"' for name in needed} <= seen
    assert f'v1718_cave."{SYNAPSE}"' in seen


def test_a_scan_and_a_matrix_do_not_wrap(extremes: SmallWarehouse) -> None:
    """They read the files, not the views."""
    wh = extremes.connect()
    scanned = wh.scan("synapses")
    assert scanned.select(pl.col("size").sum()).collect().item() == sum(SIZES)
    far, near = FAR[0], NEAR[0]
    offsets = scanned.select((pl.col("ctr_pt_position_x") - pl.col("pre_pt_position_x")) ** 2).sum().collect()
    assert offsets.item() == (far - near) ** 2 + 0 + near**2 + (far - 2) ** 2
    for name in wh.manifest.tables:
        assert wh.scan(name).collect_schema() == wh.sql(f"FROM v1718_cave.{name}").pl().schema, name
    for values in ("n_syn", "sum_size"):
        array, *_ = wh.matrix([10, 20], values=values)
        assert array.dtype == np.int64
    assert wh.matrix([10, 20], values="sum_size")[0].sum() == sum(SIZES)


def test_a_bundle_and_its_parquet_do_not_wrap(extremes: SmallWarehouse, tmp_path: Path) -> None:
    """The same numbers, and 64 bits in every file."""
    choice = Choice(everything=True)
    make_bundle(extremes.folder, None, choice, tmp_path / "class.duckdb")
    with connect(tmp_path / "class.duckdb") as wh:
        assert 'main."synapses"' in assert_all_right(wh)
        assert wh.scan("synapses").select(pl.col("size").sum()).collect().item() == sum(SIZES)
    make_parquet(extremes.folder, None, choice, tmp_path / "parquet")
    files = sorted((tmp_path / "parquet").rglob("*.parquet"))
    fields = [(file.name, field.name, field.type) for file in files for field in pq.read_schema(file)]
    narrow = [
        (file, name)
        for file, name, kind in fields
        for number in [kind.value_type if pa.types.is_list(kind) else kind]
        if number in (pa.int8(), pa.int16(), pa.int32())
        or (name.endswith(("_nm", "_um")) and number != pa.float64())
    ]
    assert len(files) > 20
    assert narrow == []


def test_distances_in_space(extremes: SmallWarehouse) -> None:
    """3-4-5, whole numbers that would overflow 32 bits, and NULL where a side is unknown."""
    ((short, far, none),) = extremes.ask(
        "SELECT distance_um(3000, -4000, 0), distance_um(4 * 430000, 4 * 310000, 40 * 28000), distance_um(NULL, 1, 1)"  # noqa: E501
    )
    assert (short, none) == (5, None)
    assert far == pytest.approx(np.linalg.norm([1720, 1240, 1120]))


def written_before(folder: Folder, version: int) -> None:
    """Make the files of a version, and what its manifest says, as releases before wrote them: with 32 bits."""
    manifest = read_manifest(folder.manifest(version))
    narrow = {field for table in TABLES.values() for field in _points_and_integers(table.name)}

    def rewritten(name: str, entry: TableEntry) -> TableEntry:
        files = [_in_32_bits(folder.version(version), file, narrow) for file in entry.files]
        columns = {
            column: "INTEGER" if column in narrow else "FLOAT" if column.endswith("_nm") else kind
            for column, kind in entry.columns.items()
        }
        return replace(entry, files=files, columns=columns)

    tables = {name: rewritten(name, entry) for name, entry in manifest.tables.items()}
    replace(manifest, tables=tables, stored_views={}).write(folder.manifest(version))


def _points_and_integers(name: str) -> list[str]:
    columns = TABLES[name].stored_columns
    return [field for column in columns if column.kind in ("point", "integer") for field in column.fields]


def _in_32_bits(folder: Path, file: DataFile, narrow: set[str]) -> DataFile:
    path = folder / file.path
    rows = pq.ParquetFile(path).read()
    schema = pa.schema(
        [pa.field(each.name, pa.int32() if each.name in narrow else each.type) for each in rows.schema]
    )
    pq.write_table(rows.cast(schema), path)
    return replace(file, bytes=path.stat().st_size, sha256=sha256_of(path))


def test_files_with_32_bits_of_releases_before_read_the_same(
    extremes: SmallWarehouse, small: SmallWarehouse
) -> None:
    """Views and scan widen them."""
    small.copy_of(extremes)
    written_before(small.folder, 1718)
    build(small.folder)
    wh = small.connect()
    assert wh.manifest.tables["nucleus_detection_v0"].columns["pt_position_x"] == "INTEGER"
    assert assert_all_right(wh) == assert_all_right(extremes.connect())
    for name in wh.manifest.tables:
        assert wh.scan(name).collect_schema() == extremes.connect().scan(name).collect_schema()
    assert wh.scan("synapses").select(pl.col("size").sum()).collect().item() == sum(SIZES)


def test_a_version_is_stored_against_files_of_releases_before(small: SmallWarehouse) -> None:
    """Of a base with 32 bits and what differs, every reader gives 64."""
    rows, later = synapses(200), synapses(200).slice(0, 150)
    small.given(1, synapses_pni_2=rows)
    written_before(small.folder, 1)
    against = BaseVersion.of(small.folder, 1)
    require_storable(small.folder, 2, TABLES[SYNAPSE], "all", against)
    assembled = small.folder.staging(2)
    entry = store_difference(assembled, 2, TABLES[SYNAPSE], later, against, scope="all")
    publish(small.folder, assembled, Manifest(small.folder.datastack, 2, "2026-01-02T00:00:00", {SYNAPSE: entry}))
    wh = small.connect(2)
    for frame in (wh.sql("FROM synapses_pni_2").pl(), wh.scan("synapses").collect()):
        assert pa.table(frame.sort("id").to_arrow()).cast(TABLES[SYNAPSE].arrow_schema).equals(later.sort_by("id"))
        assert {str(kind) for kind in frame.dtypes} == {"Int64"}


def test_the_demo_has_no_narrow_number_either(synthetic: Folder) -> None:
    """Every table of the synthetic volume, with all that views make of it."""
    with connect(root=synthetic.path.parent) as wh:
        assert len(assert_all_right(wh)) > 40
