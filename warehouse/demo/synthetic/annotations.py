"""CAVE's annotation tables, as its database holds them, built from the cells and their segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.demo.synthetic import function, labels, published
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.edits import BLOCKS, EARLIER, Nuclei, Segmentation
from warehouse.demo.synthetic.function import Tuning
from warehouse.demo.synthetic.ids import UNASSIGNED, Ints, point_supervoxels, root_ids, scaled, stream
from warehouse.demo.synthetic.labels import Columns
from warehouse.demo.synthetic.proofreading import NO_AXON, Proofreading
from warehouse.registry.schema import AXES, Table

_INVALID, _MOST_INVALID = 0.005, 40  # share of rows that were replaced or withdrawn, a choice
_FIRST_PROOFREADING = 1_001
MICROSECOND = np.timedelta64(1, "us")
"""Between the making of two annotations."""

_REASSESSED = 0.8  # share of the edited cells that were assessed again, a choice
_AFFERENTS = (6, 4)  # thalamic and peptidergic axons, choices
_ALTERNATIVE_SHIFT = (400, 400, 40)  # voxels between a centroid and its better point


@dataclass(frozen=True)
class Annotator:
    """All that annotation tables are made from.

    Attributes:
        cells, nuclei, proofreading, tuning: what is true.
        segmentations: the older and the newer version's segments.
    """

    cells: Cells
    nuclei: Nuclei
    proofreading: Proofreading
    tuning: Tuning
    segmentations: tuple[Segmentation, Segmentation]

    def bound(self, positions: Ints, numbers: Ints, block: int) -> Columns:
        """An annotated point with its supervoxel and root; both are NULL where there is no segmentation row."""
        supervoxels = np.where(numbers < 0, 0, point_supervoxels(positions, block * len(self.cells)))
        unassigned = numbers == UNASSIGNED
        return {
            **points("pt_position", positions),
            "pt_supervoxel_id": pa.array(supervoxels, mask=unassigned),
            "pt_root_id": pa.array(root_ids(numbers, self.cells.seed), mask=unassigned),
        }

    def nuclei_rows(self, version: int) -> Columns:
        """nucleus_detection_v0: one row per detection, with the root under the centroid."""
        return {
            "id": pa.array(self.cells.nucleus_id),
            "volume": pa.array(self.cells.volume_um3),
            **self.bound(self.cells.position, self.segmentations[version].centroid, 0),
        }

    def alternative_points(self, version: int) -> Columns:
        """nucleus_alternative_points: better points, with the roots of the cells."""
        who = np.flatnonzero(self.nuclei.alternative)
        rng = stream(self.cells.seed, "alternative points")
        shift = rng.integers(-1, 2, (len(who), 3)) * _ALTERNATIVE_SHIFT
        return {
            "target_id": pa.array(self.cells.nucleus_id[who]),
            **self.bound(self.cells.position[who] + shift, self.segmentations[version].cell[who], 1),
        }

    def areas(self, version: int) -> Columns:
        """nucleus_functional_area_assignment: the same in every version."""
        return {
            "tag": pa.array(np.array(published.AREAS)[self.cells.area]),
            "target_id": pa.array(self.cells.nucleus_id),
            "value": pa.array(self.cells.border_um),
        }

    def proofread(self, version: int) -> Columns:
        """proofreading_status_and_strategy: more cells and more extended axons in the newer version."""
        state = self.proofreading
        rows = len(state.cell) if version else state.old_rows
        cell, dendrite = state.cell[:rows], state.dendrite[:rows]
        strategy = (state.new_strategy if version else state.old_strategy)[:rows]
        rng = stream(self.cells.seed, "proofread points")
        shift = rng.integers(-40, 41, (len(state.cell), 3))[:rows] * (8, 8, 1)
        clean = (rng.random(len(state.cell)) < 0.2)[:rows]
        return {
            "id": pa.array(_FIRST_PROOFREADING + 3 * np.arange(rows)),
            **self.bound(self.cells.position[cell] + shift, self.segmentations[version].cell[cell], 2),
            "valid_id": pa.array(root_ids(self._assessed(version)[:rows], self.cells.seed)),
            "status_dendrite": pa.array(dendrite),
            "status_axon": pa.array(strategy != NO_AXON),
            "strategy_dendrite": pa.array(
                np.where(dendrite, np.where(clean, "dendrite_clean", "dendrite_extended"), "none")
            ),
            "strategy_axon": pa.array(np.array(published.AXON_STRATEGIES)[strategy]),
        }

    def afferents(self, version: int, kind: int) -> Columns:
        """vortex_thalamic_proofreading_status and the peptidergic one: axons without a soma, none finished."""
        rows = _AFFERENTS[kind]
        axons = BLOCKS * len(self.cells) + kind * _AFFERENTS[0] + np.arange(rows)  # the first pieces of axon
        segments = self.segmentations[version].numbers(axons, axons)
        return {
            **self.bound(self.cells.position[:rows], segments, 3 + kind),
            "valid_id": pa.array(root_ids(segments, self.cells.seed)),
            "status": pa.array(np.array(("clean", "non"))[np.arange(rows) % 2]),
        }

    def _assessed(self, version: int) -> Ints:
        """The segment that each proofread cell had when it was assessed."""
        state = self.proofreading
        older, newer = (segments.cell[state.cell] for segments in self.segmentations)
        stale = np.where(state.stale, EARLIER * len(self.cells) + state.cell, older)
        if not version:
            return stale
        again = stream(self.cells.seed, "assessed again").random(len(state.cell)) < _REASSESSED
        again[np.flatnonzero(state.stale)[0]] = False
        again |= np.arange(len(state.cell)) >= state.old_rows
        return np.where((older != newer) & again, newer, stale)


def points(name: str, positions: Ints) -> Columns:
    """The three columns of a point."""
    return {f"{name}_{axis}": pa.array(positions[:, i].astype(np.int32)) for i, axis in enumerate(AXES)}


def _unit_table(annotator: Annotator, method: str) -> Columns:
    tuning = annotator.tuning
    matched = dict(zip(function.METHODS, tuning.matched, strict=True))
    matched["combined"] = np.where(tuning.agreed, tuning.matched[1], 0)
    return function.coregistration(annotator.cells, tuning, matched[method], f"coregistration {method}")


def _twin_table(annotator: Annotator, method: int) -> Columns:
    return function.tuning_properties(annotator.cells, annotator.tuning, annotator.tuning.matched[method])


def columns_of(annotator: Annotator, name: str, version: int) -> Columns:
    """The columns of one annotation table, apart from CAVE's bookkeeping.

    Args:
        annotator: the volume.
        name: of the table.
        version: 0 for the older, 1 for the newer one.
    """
    cells = annotator.cells
    builders: dict[str, Callable[[], Columns]] = {
        "nucleus_detection_v0": lambda: annotator.nuclei_rows(version),
        "nucleus_alternative_points": lambda: annotator.alternative_points(version),
        "nucleus_functional_area_assignment": lambda: annotator.areas(version),
        "proofreading_status_and_strategy": lambda: annotator.proofread(version),
        "nucleus_ref_neuron_svm": lambda: labels.neuron_classifier(cells, annotator.nuclei),
        "aibs_metamodel_celltypes_v661": lambda: labels.metamodel(cells, labels.predicted_types(cells)),
        "aibs_metamodel_celltypes_v661_corrections": lambda: labels.metamodel_corrections(
            cells, labels.predicted_types(cells)
        ),
        "aibs_metamodel_mtypes_v661_v2": lambda: labels.model_mtypes(cells, labels.predicted_types(cells)),
        "aibs_metamodel_mtypes_v661_v2_corrections": lambda: labels.mtype_corrections(
            cells, labels.predicted_types(cells)
        ),
        "allen_v1_column_types_slanted_ref": lambda: labels.column_types(cells),
        "aibs_column_nonneuronal_ref": lambda: labels.column_nonneurons(cells),
        "allen_column_mtypes_v2": lambda: labels.column_mtypes(cells),
        "baylor_log_reg_cell_type_coarse_v1": lambda: labels.baylor_classes(cells),
        "baylor_gnn_cell_type_fine_model_v2": lambda: labels.gnn_types(cells, labels.predicted_types(cells)),
        "vortex_thalamic_proofreading_status": lambda: annotator.afferents(version, 0),
        "vortex_peptidergic_proofreading_status": lambda: annotator.afferents(version, 1),
        "cell_type_multifeature_combo": lambda: labels.multifeature_types(cells),
        "coregistration_manual_v4": lambda: _unit_table(annotator, "manual"),
        "coregistration_auto_phase3_fwd_v2": lambda: _unit_table(annotator, "auto"),
        "apl_functional_coreg_vess_fwd": lambda: _unit_table(annotator, "vessel"),
        "coregistration_auto_phase3_fwd_apl_vess_combined_v2": lambda: _unit_table(annotator, "combined"),
        "digital_twin_properties_bcm_coreg_v4": lambda: _twin_table(annotator, 0),
        "digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2": lambda: _twin_table(annotator, 1),
        "digital_twin_properties_bcm_coreg_apl_vess_fwd": lambda: _twin_table(annotator, 2),
        "functional_properties_v3_bcm": lambda: function.earlier_properties(_twin_table(annotator, 0)),
    }
    return builders[name]()


def database_table(table: Table, columns: Columns, created: np.datetime64, seed: int) -> pa.Table:
    """The rows of CAVE's database: CAVE's bookkeeping and some rows that are no longer valid.

    Args:
        table: the declaration.
        columns: the annotations; `id` where the table has ids of its own, else they are counted from 1.
        created: when the first annotation was made.
        seed: of the volume.
    """
    rng = stream(seed, f"invalid {table.name}")
    rows = len(next(iter(columns.values())))
    number = min(_MOST_INVALID, scaled(rows, _INVALID, 1.0, at_least=2))
    replaced = rng.choice(rows, number, replace=False)
    own = np.asarray(columns["id"]) if "id" in columns else np.arange(1, rows + 1)
    ids = np.concatenate([own, _unused(own, len(replaced))])
    taken = np.concatenate([np.arange(rows), replaced])
    superceded = np.concatenate([np.zeros(rows, dtype=np.int64), own[replaced]])
    data = {name: values.take(pa.array(taken)) for name, values in columns.items()}
    data["id"] = pa.array(ids)
    data["created"] = pa.array((created + np.arange(len(ids)) * MICROSECOND).astype("datetime64[us]"))
    data["superceded_id"] = pa.array(superceded, mask=superceded == 0)
    data["valid"] = pa.array(np.arange(len(ids)) < rows)
    return arrange(table, data).sort_by("id")


def _unused(ids: Ints, number: int) -> Ints:
    """Ids that no row has: gaps all over the table if there are any, else the next ones."""
    free = np.ones(ids.max() - ids.min() + 1, dtype=bool)
    free[ids - ids.min()] = False
    gaps = np.flatnonzero(free) + ids.min()
    if len(gaps) < number:
        return np.arange(ids.max() + 1, ids.max() + 1 + number)
    unused: Ints = gaps[np.linspace(0, len(gaps) - 1, number).astype(np.int64)]
    return unused


def database_type(name: str, declared: pa.DataType) -> pa.DataType:
    """The type of a column in CAVE's database, where floats and the cleft size are doubles."""
    return pa.float64() if name == "size" or pa.types.is_floating(declared) else declared


def arrange(table: Table, data: Columns) -> pa.Table:
    """The columns in CAVE's order and in its database's types; those without values are NULL."""
    rows = len(data["id"])
    fields = [
        pa.field(name, database_type(name, column.arrow_type))
        for column in table.columns
        for name in column.fields
    ]
    arrays = [
        data[field.name].cast(field.type) if field.name in data else pa.nulls(rows, field.type) for field in fields
    ]
    return pa.table(arrays, schema=pa.schema(fields))
