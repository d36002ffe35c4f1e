"""A synthetic volume as files, laid out as the public bucket of minnie65 is.

    v1507/synthetic                                              says that rows are made up; not in the real bucket
    v1507/nucleus_detection_v0_merged.csv.gz, ..._header.csv     every annotation table, merged with its nuclei
    v1507/aibs_cell_info_merged.csv.gz                           CAVE's list of cells
    v1507/synapses_with_axon_proofreading.csv.gz                 outputs of proofread axons: this version alone
    v1507/synapses_pni_2_v1_filtered_view.csv.gz                 all synapses
    v1718/synapses_pni_2_v1_filtered_view.csv.gz                 later versions have files of synapses only

What the public files hold beyond what is documented is assumed: merged tables have no bookkeeping columns and
only valid rows, columns of the nucleus that a table has too get `_ref`, and the filtered view leaves out synapses
without a segment.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from warehouse.demo.synthetic.volume import OLDER, Volume
from warehouse.registry.schema import AXES, Table
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
from warehouse.storage.manifest import NOT_BIOLOGY, SYNTHETIC
from warehouse.storage.wkb import binary_points

PROOFREAD_SYNAPSES = "synapses_with_axon_proofreading"
FILTERED_SYNAPSES = f"{SYNAPSE}_v1_filtered_view"
CELL_INFO = "aibs_cell_info"
_BOOKKEEPING = ("created", "superceded_id", "valid")
_OF_NUCLEUS = ("volume", "pt_supervoxel_id", "pt_root_id", *(f"pt_position_{axis}" for axis in AXES))
_POINTS_OF_SYNAPSE = ("pre_pt_position", "ctr_pt_position", "post_pt_position")
_SEGMENTS_OF_SYNAPSE = ("pre_pt_supervoxel_id", "pre_pt_root_id", "post_pt_supervoxel_id", "post_pt_root_id")
_AXES_OF_SYNAPSE = tuple(f"{point}_{axis}" for point in _POINTS_OF_SYNAPSE for axis in AXES)
_FILTERED = ("id", *_AXES_OF_SYNAPSE, "size", *_SEGMENTS_OF_SYNAPSE)
_PROOFREAD = ("id", *_AXES_OF_SYNAPSE[3:6], "size", *_SEGMENTS_OF_SYNAPSE, "strategy_axon")
_PLAIN = csv.WriteOptions(include_header=False, quoting_style="none")
"""As Postgres writes what needs no quotes."""
_POSTGRES = {
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.float32(): "double precision",
    pa.bool_(): "boolean",
    pa.string(): "character varying",
    pa.timestamp("us"): "timestamp without time zone",
}


def write_archive(volume: Volume, folder: Path, *, full: Collection[int] = (OLDER.version,)) -> None:
    """Write the versions of a volume as the public archive has them.

    Args:
        volume: the volume.
        folder: gets one folder for each version.
        full: versions with all tables; the others have the synapses only.
    """
    for info in volume.versions:
        place = folder / f"v{info.version}"
        say_synthetic(place)
        if info.version in full:
            for name in volume.table_names(info.version):
                if name != SYNAPSE:
                    write_dump(place / f"{name}_merged", [_merged(volume, info.version, TABLES[name])])
            write_dump(place / f"{CELL_INFO}_merged", [volume.view(info.version, CELL_INFO)])
        synapses = _filtered(volume.table(info.version, SYNAPSE))
        write_dump(place / FILTERED_SYNAPSES, [synapses])
        if info.version == OLDER.version:
            write_dump(place / PROOFREAD_SYNAPSES, [_proofread(synapses, volume, info.version)])


def say_synthetic(place: Path) -> None:
    """Mark the folder of a version, before anything else is in it."""
    place.mkdir(parents=True, exist_ok=True)
    (place / SYNTHETIC).write_text(f"{NOT_BIOLOGY}\n", "utf-8")


def write_raw(volume: Volume, version: int, name: str, folder: Path) -> None:
    """Write a table as it lies in the database: all of its rows, bookkeeping included, and points in binary."""
    table, rows = TABLES[name], volume.table(version, name)
    columns: dict[str, Any] = {}
    geometry = []
    for column in table.columns:
        if column.kind != "point":
            columns[column.name] = rows[column.name]
            continue
        geometry.append(column.name)
        axes = [rows[field].combine_chunks() for field in column.fields]
        coordinates = np.stack([pc.fill_null(axis, 0).to_numpy() for axis in axes], axis=1).astype(float)
        hexadecimal = [point.hex().upper() for point in binary_points(coordinates).to_pylist()]
        columns[column.name] = pa.array(hexadecimal, mask=pc.is_null(axes[0]).to_numpy(zero_copy_only=False))
    write_dump(folder / f"v{version}" / name, [pa.table(columns)], geometry=geometry)


def write_dump(stem: Path, batches: Iterable[Any], *, geometry: Sequence[str] = (), level: int = 6) -> None:
    """Write rows as Postgres exports them: `STEM.csv.gz` without a header row, and `STEM_header.csv`.

    Args:
        stem: path without the ending.
        batches: at least one table or record batch.
        geometry: columns of points, in hexadecimal.
        level: of the compression, 1 to 9.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    remaining = iter(batches)
    first = _as_text(next(remaining))
    with _writer(stem, first.schema, level) as writer:
        writer.write(first)
        for batch in remaining:
            writer.write(_as_text(batch))
    schema = first.schema
    types = ["USER-DEFINED" if field.name in geometry else _type_of(field) for field in schema]
    lines = [f"{field.name},{kind}\n" for field, kind in zip(schema, types, strict=True)]
    stem.with_name(f"{stem.name}_header.csv").write_text("".join(lines), "utf-8")


def _type_of(field: pa.Field) -> str:
    return "boolean" if field.metadata else _POSTGRES[field.type]


@contextmanager
def _writer(stem: Path, schema: pa.Schema, level: int) -> Iterator[csv.CSVWriter]:
    path = stem.with_name(f"{stem.name}.csv.gz")
    with (
        gzip.open(path, "wb", compresslevel=level) as packed,
        csv.CSVWriter(packed, schema, write_options=_PLAIN) as writer,
    ):
        yield writer


def _as_text(batch: Any) -> pa.Table:
    """The columns that Arrow would write differently: Postgres writes `t` and `f`."""
    columns, fields = [], []
    for field in batch.schema:
        values = batch.column(field.name)
        if pa.types.is_boolean(field.type):
            values = pc.if_else(values, "t", "f")
            field = pa.field(field.name, pa.string(), metadata={"type": "boolean"})
        columns.append(values)
        fields.append(field)
    return pa.table(columns, schema=pa.schema(fields))


def _valid(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.fill_null(rows["valid"], False))


def _merged(volume: Volume, version: int, table: Table) -> pa.Table:
    """The valid rows of a table, with those columns of the nucleus that a row refers to."""
    rows = _valid(volume.table(version, table.name)).drop_columns([*_BOOKKEEPING])
    if table.name == NUCLEUS:
        return rows.select([name for name in rows.column_names if not name.startswith("bb_")])
    if table.reference != NUCLEUS:
        return rows
    nuclei = volume.table(version, NUCLEUS).select(["id", *_OF_NUCLEUS])
    taken = {name: f"{name}_ref" if name in rows.column_names else name for name in _OF_NUCLEUS}
    nuclei = nuclei.rename_columns(["target_id", *taken.values()])
    return rows.join(nuclei, "target_id", join_type="left outer").sort_by("id")


def _filtered(synapses: pa.Table) -> pa.Table:
    there = pc.and_(pc.is_valid(synapses["pre_pt_root_id"]), pc.is_valid(synapses["post_pt_root_id"]))
    return _valid(synapses.filter(there)).select(_FILTERED)


def _proofread(synapses: pa.Table, volume: Volume, version: int) -> pa.Table:
    """The synapses of proofread axons, with how far each axon was followed."""
    axons = _valid(volume.table(version, "proofreading_status_and_strategy"))
    axons = axons.filter(axons["status_axon"]).select(["pt_root_id", "strategy_axon"])
    axons = (
        axons.rename_columns(["pre_pt_root_id", "strategy_axon"])
        .group_by("pre_pt_root_id")
        .aggregate([("strategy_axon", "max")])
    )
    axons = axons.rename_columns(["pre_pt_root_id", "strategy_axon"])
    return synapses.join(axons, "pre_pt_root_id", join_type="inner").sort_by("id").select(_PROOFREAD)
