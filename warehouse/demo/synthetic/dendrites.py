"""Where the inputs of each cell lie: how many contacts it receives, and how they spread around its soma."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from warehouse.demo.synthetic import space
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.ids import Floats, Ints, stream
from warehouse.demo.synthetic.published import EXCITATORY, TYPES

_SPREAD_INPUTS = 0.55  # sigma of the lognormal number of inputs, a choice
_UNTYPED_INPUTS = 0.5  # neurons that the models could not type are cut off at the volume's edge
_SPREAD_X = 26.0 / space.VOXEL_UM[0]  # scale of a logistic distribution
_SPREAD_Y, _SPREAD_Z = 45.0 / space.VOXEL_UM[1], 45.0 / space.VOXEL_UM[2]  # standard deviations
_APICAL_SHARE, _APICAL_UM = 0.35, 380.0  # of the inputs of excitatory cells, along the way to the pia
_REACH = 12 * _SPREAD_X  # beyond it lie less than 1e-5 of a cell's inputs
_SAMPLES = 400_000  # points that stand for all inputs when densities are estimated


@dataclass(frozen=True)
class Dendrites:
    """The input side of all cells.

    Attributes:
        cells: ordered by x.
        contacts: number of contacts that each cell receives from axons, on average.
        phase: a number in [0, 1) per cell, which decides how its contacts are rounded.
    """

    cells: Cells
    contacts: Floats
    phase: Floats

    @cached_property
    def _truncated(self) -> tuple[Floats, Floats]:
        x = self.cells.position[:, 0]
        low, high = _logistic(space.LOW[0] - x), _logistic(space.HIGH[0] - x)
        return low, high - low

    def within(self, low: int, high: int) -> Ints:
        """The cell index of each contact whose x lies in [low, high); every contact lies in one such interval."""
        x = self.cells.position[:, 0]
        first, last = np.searchsorted(x, (low - _REACH, high + _REACH))
        near = slice(int(first), int(last))
        start, span = (values[near] for values in self._truncated)
        edges = [
            np.floor(self.contacts[near] * (_logistic(edge - x[near]) - start) / span + self.phase[near])
            for edge in (max(low, space.LOW[0]), min(high, space.HIGH[0]))
        ]
        numbers = (edges[1] - edges[0]).astype(np.int64)
        return np.repeat(np.arange(first, last), numbers)

    def across(self, cell: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """The y and z of contacts on the given cells."""
        soma = self.cells.position[cell]
        y = soma[:, 1] + _SPREAD_Y * rng.standard_normal(len(cell), dtype=np.float32)
        apical = np.flatnonzero(rng.random(len(cell), dtype=np.float32) < self._apical_share[cell])
        way_up = np.minimum(soma[apical, 1] - space.LOW[1], _APICAL_UM / space.VOXEL_UM[1])
        y[apical] -= way_up * rng.random(len(apical))
        z = soma[:, 2] + _SPREAD_Z * rng.standard_normal(len(cell), dtype=np.float32)
        return space.reflect(y, 1), space.reflect(z, 2)

    @cached_property
    def _apical_share(self) -> Floats:
        return np.where(self.cells.cell_class == EXCITATORY, _APICAL_SHARE, 0.0)

    def sample(self) -> tuple[Ints, Ints, Floats]:
        """Points that stand for all contacts: their cells, positions and weights."""
        rng = stream(self.cells.seed, "dendrite density")
        each = max(8, _SAMPLES // len(self.cells))
        cell = np.repeat(np.arange(len(self.cells)), each)
        start, span = (values[cell] for values in self._truncated)
        quantile = start + span * rng.random(len(cell))
        x = self.cells.position[cell, 0] + _SPREAD_X * np.log(quantile / (1 - quantile))
        y, z = self.across(cell, rng)
        return cell, np.stack([x, y, z], axis=1).astype(np.int64), self.contacts[cell] / each


def _logistic(distance: Ints) -> Floats:
    share: Floats = 1 / (1 + np.exp(-distance / _SPREAD_X))
    return share


def make_dendrites(cells: Cells, contacts: float) -> Dendrites:
    """Heavy-tailed numbers of inputs that add up to `contacts`."""
    rng = stream(cells.seed, "dendrites")
    share = np.array([cell_type.inputs for cell_type in TYPES])[cells.type_index]
    share = share * np.where(cells.typed, 1.0, _UNTYPED_INPUTS)
    share *= rng.lognormal(0, _SPREAD_INPUTS, len(cells))
    return Dendrites(cells, share * contacts / share.sum(), rng.random(len(cells)))
