"""A synthetic volume in two versions, with the tables and views that CAVE would serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa

from warehouse.demo.synthetic import published, space, targets
from warehouse.demo.synthetic.annotations import (
    MICROSECOND,
    Annotator,
    arrange,
    columns_of,
    database_table,
    points,
)
from warehouse.demo.synthetic.arbours import Arbours
from warehouse.demo.synthetic.cells import make_cells
from warehouse.demo.synthetic.edits import first_segmentation, make_nuclei, second_segmentation
from warehouse.demo.synthetic.function import make_tuning
from warehouse.demo.synthetic.ids import Ints, root_ids
from warehouse.demo.synthetic.labels import Columns
from warehouse.demo.synthetic.proofreading import make_proofreading
from warehouse.demo.synthetic.synapses import Block, Wiring, make_wiring
from warehouse.demo.synthetic.view_rows import QUERIES, view_rows
from warehouse.errors import UsageError
from warehouse.registry.schema import AXES, Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.skeleton import Skeleton

SYNAPSES_PER_CELL = 200
"""Of a small volume, to keep it small; the real one has 2,340."""
FEWEST_CELLS = 200
"""A smaller volume could not show every case."""

_FIRST_SYNAPSE = np.datetime64("2020-11-04T06:48:59.403833")
_RELEASED = {"aibs": "2023-12-19T22:38:00.472115", "nucleus": "2020-09-28T22:40:41.780773"}
_LATER = "2025-10-06T17:04:09.351207"
_OTHERWISE = "2023-11-01T03:00:00.000001"
_ONLY_OLDER = ("functional_properties_v3_bcm",)
_NOTICES = {
    "proofreading_status_and_strategy": "Only axons with status_axon are proofread. "
    "A row whose valid_id differs from its pt_root_id was assessed before the latest edit.",
    "synapse_target_predictions_ssa": "Replaced by synapse_target_predictions_ssa_v2 in later versions.",
}


@dataclass(frozen=True)
class VersionInfo:
    """One materialization version, as CAVE describes it.

    Attributes:
        version: its number.
        time_stamp: the moment it shows, UTC, without a time zone.
        expires_on: when the server forgets it, UTC.
        is_merged: whether annotations and segmentation lie in one table (only in old versions).
    """

    version: int
    time_stamp: datetime
    expires_on: datetime
    is_merged: bool = False


OLDER = VersionInfo(1507, datetime(2025, 7, 31, 8, 10, 1, 117494), datetime(2026, 7, 31, 8, 10, 1, 117494))
NEWER = VersionInfo(1718, datetime(2026, 3, 7, 8, 10, 1, 190228), datetime(2027, 3, 7, 8, 10, 1, 190228))


@dataclass(frozen=True)
class TableMetadata:
    """What CAVE says about a table.

    Attributes:
        name: of the table.
        schema_type: the name of CAVE's annotation schema.
        description: what a row is.
        notice_text: the owner's warning, or "".
        reference_table: the table that `target_id` refers to, or "".
        created: when the table was made, UTC.
        voxel_resolution: nm per voxel of its positions.
    """

    name: str
    schema_type: str
    description: str
    notice_text: str
    reference_table: str
    created: datetime
    voxel_resolution: tuple[float, float, float] = (4.0, 4.0, 40.0)


@dataclass(frozen=True)
class Volume:
    """A small minnie65 in two versions; `synthesize` makes one.

    Attributes:
        annotator: the cells, what is known of them, and the segments of both versions.
        wiring: where synapses come from.
        versions: the older and the newer one.
        datastack: whose tables it imitates.
    """

    annotator: Annotator
    wiring: Wiring
    versions: tuple[VersionInfo, ...] = (OLDER, NEWER)
    datastack: str = "minnie65_public"
    _cache: dict[tuple[int, str], pa.Table] = field(default_factory=dict, repr=False, compare=False)

    def table_names(self, version: int) -> tuple[str, ...]:
        """The tables that a version has."""
        self._index(version)
        return tuple(name for name, table in TABLES.items() if table.kind == "table" and _exists(table, version))

    def view_names(self, version: int) -> tuple[str, ...]:
        """The views that a version has."""
        self._index(version)
        return tuple(QUERIES)

    def table(self, version: int, name: str) -> pa.Table:
        """The rows of a table as CAVE's database holds them, invalid ones included, ordered by id."""
        if name not in self.table_names(version):
            raise UsageError(f"version {version} of the synthetic volume has no table {name}; see table_names")
        key = version, name
        if key not in self._cache:
            self._cache[key] = self._make(self._index(version), TABLES[name])
        return self._cache[key]

    def view(self, version: int, name: str) -> pa.Table:
        """The rows of a view as CAVE computes them."""
        if name not in QUERIES:
            raise UsageError(f"the synthetic volume has no view {name}; see view_names")
        present = dict.fromkeys(self.table_names(version))
        return view_rows(name, lambda table: self.table(version, table), present)

    def metadata(self, name: str) -> TableMetadata:
        """What CAVE says about a table or view."""
        table = TABLES[name]
        created = _created(table).astype("datetime64[us]").item()
        notice = _NOTICES.get(name, "")
        return TableMetadata(name, table.schema_type, table.description, notice, table.reference, created)

    def skeleton(self, root_id: int) -> Skeleton | None:
        """The skeleton of a segment of any version that holds a neuron's nucleus; None of any other."""
        found = (self._arbours[index].skeleton(root_id) for index in range(len(self.versions)))
        return next((skeleton for skeleton in found if skeleton), None)

    def stream(self, version: int, name: str = SYNAPSE, batch: int = 1_000_000) -> Iterator[pa.RecordBatch]:
        """The valid rows of a table about synapses in batches of one size, in bounded memory, ordered by id."""
        index, table, done = self._index(version), TABLES[name], 0
        waiting: list[pa.Table] = []
        for block in self.wiring.blocks():
            columns = self._about(block, index, name)
            rows = len(columns["target_id" if table.reference else "id"])
            waiting.append(arrange(table, _bookkeeping(table, columns, done, rows)))
            done += rows
            while sum(part.num_rows for part in waiting) >= batch:
                joined = pa.concat_tables(waiting)
                yield joined.slice(0, batch).combine_chunks().to_batches()[0]
                waiting = [joined.slice(batch)]
        if rest := pa.concat_tables(waiting).combine_chunks().to_batches():
            yield rest[0]

    def _index(self, version: int) -> int:
        numbers = [info.version for info in self.versions]
        if version not in numbers:
            raise UsageError(f"the synthetic volume has the versions {numbers}, not {version}")
        return numbers.index(version)

    def _make(self, index: int, table: Table) -> pa.Table:
        if table.role in ("synapse", "compartment"):
            blocks = [self._about(block, index, table.name) for block in self._blocks]
            columns = {name: pa.concat_arrays([block[name] for block in blocks]) for name in blocks[0]}
        else:
            columns = columns_of(self.annotator, table.name, index)
        return database_table(table, columns, _created(table), self.annotator.cells.seed)

    @cached_property
    def _arbours(self) -> list[Arbours]:
        return [self._arbours_of(index) for index in range(len(self.versions))]

    def _arbours_of(self, index: int) -> Arbours:
        """The shapes of the cells in a version, whose synapses all have to be known."""
        cells, segments = self.annotator.cells, self.annotator.segmentations[index]
        sides = ("pre", "post")
        columns = [self._synapses(block, index) for block in self._blocks]

        def all_of(name: str) -> Ints:
            return np.concatenate([each[name].fill_null(0).to_numpy() for each in columns])

        pre, post = (all_of(f"{side}_pt_root_id") for side in sides)
        pre_nm, post_nm = (
            np.stack([all_of(f"{side}_pt_position_{axis}") for axis in AXES], axis=1) * space.VOXEL_UM * 1_000
            for side in sides
        )
        return Arbours(cells, root_ids(segments.cell, cells.seed), pre, post, pre_nm, post_nm)

    @cached_property
    def _blocks(self) -> list[Block]:
        return list(self.wiring.blocks())

    def _about(self, block: Block, index: int, name: str) -> Columns:
        """The columns of one table about the synapses of a block."""
        if name == SYNAPSE:
            return self._synapses(block, index)
        if name == "synapse_target_structure":
            return targets.target_structures(self.wiring, block)
        return targets.target_tags(self.wiring, block, second=name.endswith("_v2"))

    def _synapses(self, block: Block, index: int) -> Columns:
        columns = {
            "id": pa.array(block.id),
            "size": pa.array(block.size),
            **points("ctr_pt_position", block.centre),
            **points("pre_pt_position", block.pre_position),
            **points("post_pt_position", block.post_position),
        }
        segments, seed = self.annotator.segmentations[index], self.annotator.cells.seed
        for side, owners, supervoxels in (
            ("pre", block.pre, block.pre_supervoxel),
            ("post", block.post, block.post_supervoxel),
        ):
            roots = root_ids(segments.numbers(owners, block.id), seed)
            columns[f"{side}_pt_root_id"] = pa.array(roots, mask=block.missing)
            columns[f"{side}_pt_supervoxel_id"] = pa.array(supervoxels, mask=block.missing)
        return columns


def synthesize(cells: int = 2_000, seed: int = 0, synapses: int | None = None) -> Volume:
    """A synthetic volume with so many nuclei, the same for the same arguments.

    Args:
        cells: number of nuclei.
        seed: of the random numbers.
        synapses: number of synapses; by default `SYNAPSES_PER_CELL` for each nucleus.
    """
    if cells < FEWEST_CELLS:
        raise UsageError(f"a synthetic volume needs at least {FEWEST_CELLS} cells, not {cells}")
    truth = make_cells(cells, seed)
    proofreading = make_proofreading(truth)
    nuclei = make_nuclei(truth, proofreading)
    tuning = make_tuning(truth, proofreading)
    rows = SYNAPSES_PER_CELL * cells if synapses is None else synapses
    wiring = make_wiring(truth, nuclei, proofreading, tuning, rows)
    later = second_segmentation(truth, nuclei, proofreading, wiring.orphans)
    return Volume(Annotator(truth, nuclei, proofreading, tuning, (first_segmentation(nuclei), later)), wiring)


def stream_synapses(
    rows: int = published.SYNAPSES, seed: int = 0, batch: int = 1_000_000, version: int = OLDER.version
) -> Iterator[pa.RecordBatch]:
    """The synapse table of a volume of the real density, in bounded memory, ordered by id.

    The matching cells are those of `synthesize(cells_for(rows), seed, rows)`.
    """
    return synthesize(cells_for(rows), seed, rows).stream(version, batch=batch)


def cells_for(rows: int) -> int:
    """How many nuclei a volume of so many synapses has at the real density."""
    return max(FEWEST_CELLS, round(rows * published.NUCLEI / published.SYNAPSES))


def _exists(table: Table, version: int) -> bool:
    if table.name in _ONLY_OLDER:
        return version == OLDER.version
    return (table.since or 0) <= version and (table.until is None or version < table.until)


def _created(table: Table) -> np.datetime64:
    if table.name == SYNAPSE:
        return _FIRST_SYNAPSE
    if not _exists(table, OLDER.version):
        return np.datetime64(_LATER)
    return np.datetime64(_RELEASED.get(table.name.split("_")[0], _OTHERWISE))


def _bookkeeping(table: Table, columns: Columns, done: int, rows: int) -> Columns:
    """The columns that CAVE keeps for every annotation, for rows that are all valid."""
    number = np.arange(done, done + rows)
    return {
        "id": pa.array(number + 1),
        "created": pa.array(_created(table) + number * MICROSECOND),
        "valid": pa.array(np.ones(rows, dtype=bool)),
        **columns,
    }
