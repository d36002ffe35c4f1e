"""Which cell a contact comes from: the axons of the cells, as a chance for every bin of space.

An axon's chance to make a contact falls off with the distance from where its tree is centred, and depends on the
class of what it meets. The chances are scaled so that proofread axons reach the published share of partners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.demo.synthetic import published, space
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.ids import Floats, Ints, stream
from warehouse.demo.synthetic.proofreading import FULL, INTERAREAL, NO_AXON, PARTIAL, Proofreading
from warehouse.demo.synthetic.published import EXCITATORY, INHIBITORY

ON_ORPHAN = 2  # the third class of targets, beside EXCITATORY and INHIBITORY

_LOCAL_UM = 45.0  # spread of an axon that nobody extended
_INHIBITORY_UM, _EXCITATORY_UM, _FULL_UM = 90.0, 130.0, 170.0  # standard deviations, choices
_CUT = 2.3  # in standard deviations
_STRATEGY_FACTOR = {PARTIAL: 0.9, FULL: 1.7, INTERAREAL: 1.2}  # outputs found, a choice
_SPREAD_OUTPUTS = 0.45  # sigma of the lognormal number of outputs, a choice
_FEWEST_CONTACTS = ((5.0, 2.5), (20.0, 3.0))  # per axon, so that those of a small volume have outputs to look at
_MOST_CONTACTS = ((250.0, 110.0), (1_150.0, 130.0))  # per axon, so that outputs are as published at full scale
_FEWER_PARTNERS = 0.55  # proofread cells lie together, where probabilities are above the volume's mean
_REST_OUTPUTS = 0.45  # outputs of an axon that nobody extended, at most, relative to a proofread excitatory one
_MOST_OF_BIN = 0.9
_AT_ONCE = 1_000_000  # axon-bin pairs in memory


@dataclass(frozen=True)
class Axons:
    """The chance of each cell's axon to make a contact in a bin, for three classes of targets.

    Attributes:
        cell: cell index of each entry, ordered by bin.
        ladder: for each target class and entry, class and bin as a whole number plus the chances up to this entry.
        total: chance that a contact comes from any cell, shape (3, bins).
    """

    cell: Ints
    ladder: Floats
    total: Floats

    def draw(self, target: Ints, bins: Ints, uniform: Floats) -> Ints:
        """The presynaptic cell of each contact, or -1 where no cell but an orphan axon makes it."""
        source = np.full(len(bins), -1, dtype=np.int64)
        hit = np.flatnonzero(uniform < self.total[target, bins])
        rung = target[hit] * space.N_BINS + bins[hit] + uniform[hit]
        source[hit] = self.cell[np.searchsorted(self.ladder, rung, side="right") % len(self.cell)]
        return source


def make_axons(cells: Cells, proofreading: Proofreading, rows: int, contacts: Floats) -> Axons:
    """The axons of all neurons.

    Args:
        cells: the true cells.
        proofreading: whose axons were proofread, with which strategy.
        rows: number of synapses of the volume.
        contacts: expected number of contacts per target class and bin, shape (3, bins).
    """
    budget, reach = _budgets(cells, proofreading, rows)
    who = np.flatnonzero(budget.sum(axis=1))
    axon, where, kernel = _entries(cells, proofreading, who, reach)
    order = np.argsort(where, kind="stable")
    axon, where, kernel = axon[order], where[order], kernel[order]
    ladders, totals = [], []
    for target in range(3):
        met = np.bincount(axon, weights=kernel * contacts[target, where], minlength=len(cells))
        chance = kernel * np.divide(budget[:, target], met, out=np.zeros(len(cells)), where=met > 0)[axon]
        climb, total = _climb(where, chance)
        ladders.append(target * space.N_BINS + where + climb)
        totals.append(total)
    return Axons(axon, np.concatenate(ladders), np.stack(totals))


def _budgets(cells: Cells, proofreading: Proofreading, rows: int) -> tuple[Floats, Floats]:
    """Contacts of each axon by target class, and how far it spreads in um."""
    rng = stream(cells.seed, "axons")
    inhibitory = (cells.cell_class == INHIBITORY).astype(np.int64)
    present = np.array([(cells.cell_class == c).sum() for c in (EXCITATORY, INHIBITORY)])
    partners = np.array(published.CONNECTION_PROBABILITY) * present * _FEWER_PARTNERS
    budget = partners.clip(_FEWEST_CONTACTS, _MOST_CONTACTS)[inhibitory] * cells.is_neuron[:, None]
    budget *= rng.lognormal(-(_SPREAD_OUTPUTS**2) / 2, _SPREAD_OUTPUTS, (len(cells), 1))
    found = proofreading.old_strategy != NO_AXON
    extended, strategy = proofreading.cell[found], proofreading.old_strategy[found]
    budget[extended] *= np.array([_STRATEGY_FACTOR[index] for index in strategy])[:, None]
    budget[_others(extended, cells)] *= _shrinkage(cells, budget, extended, rows)
    on_orphans = _synapses(cells, budget) * (1 / published.NUCLEUS_INPUTS - 1)
    reach = np.full(len(cells), _LOCAL_UM)
    wide = np.where(strategy == FULL, _FULL_UM, _EXCITATORY_UM)
    reach[extended] = np.where(inhibitory[extended] == 1, _INHIBITORY_UM, wide)
    return np.column_stack([budget, on_orphans]), reach


def _others(extended: Ints, cells: Cells) -> Ints:
    return np.setdiff1d(np.arange(len(cells)), extended)


def _synapses(cells: Cells, budget: Floats) -> Floats:
    """The synapses on cells that each axon makes by its contacts."""
    inhibitory = (cells.cell_class == INHIBITORY).astype(np.int64)
    synapses: Floats = (budget / (1 - np.array(published.SEVERAL_SYNAPSES))[inhibitory]).sum(axis=1)
    return synapses


def _shrinkage(cells: Cells, budget: Floats, extended: Ints, rows: int) -> float:
    """What the axons that nobody extended make of their budget: few outputs, as published for all together."""
    synapses, others = _synapses(cells, budget), _others(extended, cells)
    on_cells = rows * published.NUCLEUS_OUTPUTS * published.NUCLEUS_INPUTS
    left = max(0.0, on_cells - float(synapses[extended].sum()))
    excitatory = extended[cells.cell_class[extended] == EXCITATORY]
    most = _REST_OUTPUTS * float(synapses[excitatory].mean()) * int(cells.is_neuron[others].sum())
    return min(left, most) / float(synapses[others].sum())


def _entries(cells: Cells, proofreading: Proofreading, who: Ints, reach: Floats) -> tuple[Ints, Ints, Floats]:
    """The bins that each axon reaches, with the density of its tree there."""
    centre = cells.position[who] * space.VOXEL_UM
    far = proofreading.cell[proofreading.old_strategy == INTERAREAL]
    second = cells.position[far] * space.VOXEL_UM
    second[:, 0] += np.where(cells.area[far] == 0, 1, -1) * 2 * cells.border_um[far]
    second = second.clip(space.LOW * space.VOXEL_UM, space.HIGH * space.VOXEL_UM)
    axon, centre = np.concatenate([who, far]), np.concatenate([centre, second])
    parts = [
        _tree(axon[same], centre[same], float(spread))
        for spread in np.unique(reach[axon])
        for same in _portions(np.flatnonzero(reach[axon] == spread), float(spread))
    ]
    joined = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return next(joined), next(joined), next(joined)


def _portions(members: Ints, spread: float) -> Iterator[Ints]:
    box = (2 * np.ceil(_CUT * spread / space.BIN_UM) + 1) ** 3
    size = max(1, int(_AT_ONCE / box))
    return (members[start : start + size] for start in range(0, len(members), size))


def _tree(axon: Ints, centre: Floats, spread: float) -> tuple[Ints, Ints, Floats]:
    steps = int(np.ceil(_CUT * spread / space.BIN_UM))
    around = np.arange(-steps, steps + 1)
    offset = np.stack(np.meshgrid(around, around, around, indexing="ij"), axis=-1).reshape(-1, 3)
    home = np.floor((centre - space.LOW * space.VOXEL_UM) / space.BIN_UM).astype(np.int64)
    index = home[:, None, :] + offset
    inside = ((index >= 0) & (index < space.BINS)).all(axis=2)
    middle = space.LOW * space.VOXEL_UM + (index + 0.5) * space.BIN_UM
    distance = np.linalg.norm(middle - centre[:, None, :], axis=2)
    row, column = np.nonzero(inside & (distance < _CUT * spread))
    chosen = index[row, column]
    where = (chosen[:, 0] * space.BINS[1] + chosen[:, 1]) * space.BINS[2] + chosen[:, 2]
    return axon[row], where, np.exp(-0.5 * (distance[row, column] / spread) ** 2)


def _climb(where: Ints, chance: Floats) -> tuple[Floats, Floats]:
    """Chances summed up within each bin, and their total, never above what leaves room for orphans."""
    total = np.bincount(where, weights=chance, minlength=space.N_BINS)
    chance = chance * np.minimum(1.0, _MOST_OF_BIN / np.maximum(total, 1e-300))[where]
    total = np.minimum(total, _MOST_OF_BIN)
    running = np.cumsum(chance)
    first = np.searchsorted(where, where)
    climb: Floats = running - (running[first] - chance[first])
    return climb, np.asarray(total, dtype=np.float64)
