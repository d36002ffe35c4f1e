"""The cells of a synthetic volume: one for each nucleus, with what is true of it.

What is *known* of a cell (a predicted type, a correction, a wrong classification) is made from this truth by
`annotations`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.demo.synthetic import published, space
from warehouse.demo.synthetic.ids import Bools, Floats, Ints, quota, scaled, stream
from warehouse.demo.synthetic.published import EXCITATORY, INHIBITORY, NONNEURON, TYPE_INDEX, TYPES

_FIRST_NUCLEUS, _LAST_NUCLEUS = 100_000, 870_000  # nucleus ids have six digits, growing with x
_TYPE_CLASS = np.array([cell_type.cell_class for cell_type in TYPES])
_FRAGMENT_UM3 = 60.0  # most detections without a type are small: fragments, vessel cells, cut nuclei


@dataclass(frozen=True)
class Cells:
    """The true cells, ordered by x, one array entry each.

    Attributes:
        seed: of the volume.
        nucleus_id: six digits, growing.
        type_index: true type, index into `published.TYPES`.
        typed: whether the models that predict types had enough of the cell to look at.
        position: centroid of the nucleus in voxels, shape (n, 3).
        area: index into `published.AREAS`.
        border_um: distance to the border of the area.
        volume_um3: volume of the nucleus.
        in_column: whether experts labelled it in the V1 column.
    """

    seed: int
    nucleus_id: Ints
    type_index: Ints
    typed: Bools
    position: Ints
    area: Ints
    border_um: Floats
    volume_um3: Floats
    in_column: Bools

    def __len__(self) -> int:
        return len(self.nucleus_id)

    @property
    def cell_class(self) -> Ints:
        """Excitatory, inhibitory or nonneuron: index into `published.CLASSES`."""
        classes: Ints = _TYPE_CLASS[self.type_index]
        return classes

    @property
    def is_neuron(self) -> Bools:
        """Whether the cell is a neuron."""
        neuron: Bools = self.cell_class != NONNEURON
        return neuron


def make_cells(count: int, seed: int) -> Cells:
    """Cells in the published proportions, at the published depths."""
    rng = stream(seed, "cells")
    type_index = _types(count, rng)
    position = _positions(type_index, rng)
    order = np.argsort(position[:, 0], kind="stable")
    type_index, position = type_index[order], position[order]
    typed = _typed(_TYPE_CLASS[type_index], rng)
    area, border_um = space.areas(position)
    volume = np.array([cell_type.nucleus_um3 for cell_type in TYPES])[type_index]
    volume = np.where(typed | (_TYPE_CLASS[type_index] != NONNEURON), volume, _FRAGMENT_UM3)
    ids = rng.choice(np.arange(_FIRST_NUCLEUS, _LAST_NUCLEUS), count, replace=False)
    return Cells(
        seed=seed,
        nucleus_id=np.sort(ids).astype(np.int64),
        type_index=type_index,
        typed=typed,
        position=position,
        area=area,
        border_um=border_um,
        volume_um3=volume * rng.lognormal(0, 0.18, count),
        in_column=_in_column(position, type_index),
    )


def _types(count: int, rng: np.random.Generator) -> Ints:
    n_neurons = scaled(count, published.NEURONS, published.NUCLEI)
    numbers = np.zeros(len(TYPES), dtype=np.int64)
    for total, members in ((n_neurons, _TYPE_CLASS != NONNEURON), (count - n_neurons, _TYPE_CLASS == NONNEURON)):
        weights = np.array([cell_type.count for cell_type in TYPES], dtype=float)[members]
        numbers[members] = quota(total, weights)
    return rng.permutation(np.repeat(np.arange(len(TYPES)), numbers))


def _positions(type_index: Ints, rng: np.random.Generator) -> Ints:
    count = len(type_index)
    means = np.array([cell_type.depth_um for cell_type in TYPES])[type_index]
    spreads = np.array([cell_type.depth_sd_um for cell_type in TYPES])[type_index]
    x = rng.integers(space.LOW[0] + 2_000, space.HIGH[0] - 2_000, count)
    z = rng.integers(space.LOW[2] + 100, space.HIGH[2] - 100, count)
    y = space.y_at_depth(x, means + spreads * rng.standard_normal(count))
    y = space.reflect(y.astype(float), axis=1).astype(np.int64)
    position: Ints = np.stack([x, y, z], axis=1)
    position[:, :2] -= position[:, :2] % 16  # centroids were found at low resolution
    return position


def _typed(cell_class: Ints, rng: np.random.Generator) -> Bools:
    neuron = cell_class != NONNEURON
    typed: Bools = np.zeros(len(cell_class), dtype=bool)
    glia = (published.TYPED_NUCLEI - published.TYPED_NEURONS, published.NUCLEI - published.NEURONS)
    for members, (part, whole) in ((neuron, (published.TYPED_NEURONS, published.NEURONS)), (~neuron, glia)):
        candidates = np.flatnonzero(members)
        typed[rng.permutation(candidates)[: scaled(len(candidates), part, whole)]] = True
    return typed


def _in_column(position: Ints, type_index: Ints) -> Bools:
    """The cells nearest to the column's axis, and at least a few of each excitatory type and of interneurons."""
    distance = space.column_distance_um(position)
    neuron = _TYPE_CLASS[type_index] != NONNEURON
    others = published.NUCLEI - published.NEURONS
    chosen: Bools = np.zeros(len(position), dtype=bool)
    for members, part, whole in (
        (neuron, published.COLUMN_NEURONS, published.NEURONS),
        (~neuron, published.COLUMN_NONNEURONS, others),
    ):
        near = np.flatnonzero(members)[np.argsort(distance[members], kind="stable")]
        chosen[near[: scaled(len(near), part, whole, at_least=16)]] = True
    rare = [type_index == index for index in np.flatnonzero(_TYPE_CLASS == EXCITATORY)]
    for members in (*rare, _TYPE_CLASS[type_index] == INHIBITORY):
        same = np.flatnonzero(members)
        chosen[same[np.argsort(distance[same], kind="stable")][:2]] = True
    return chosen


def of_type(cells: Cells, *names: str) -> Bools:
    """Which cells are truly of one of the named types."""
    members: Bools = np.isin(cells.type_index, [TYPE_INDEX[name] for name in names])
    return members
