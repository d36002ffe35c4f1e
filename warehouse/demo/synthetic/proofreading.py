"""Which cells were proofread, how far, and what changed between the two versions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.demo.synthetic import published, space
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.ids import Bools, Ints, quota, scaled, stream
from warehouse.demo.synthetic.published import EXCITATORY, INHIBITORY

PARTIAL, FULL, INTERAREAL, NO_AXON = range(4)
_AREA_WEIGHT = np.array([1.0, 0.3, 0.2, 0.1])  # 1,854 of 2,070 in V1, 156 RL, 59 AL, 1 LM (v1507)
_COLUMN_WEIGHT = 6.0
_NEAR_COLUMN_UM = 250.0
_FEWEST_ROWS = 16  # enough for every strategy


@dataclass(frozen=True)
class Proofreading:
    """The assessed cells, one entry each; the first `old_rows` of them are already in the older version.

    Attributes:
        cell: index of the cell.
        old_rows: how many of them the older version has.
        old_strategy: of the axon, index into `published.AXON_STRATEGIES`.
        new_strategy: the same in the newer version, after upgrades.
        dendrite: whether the dendrite was proofread.
        stale: whether the cell was edited between the assessment and the older version.
    """

    cell: Ints
    old_rows: int
    old_strategy: Ints
    new_strategy: Ints
    dendrite: Bools
    stale: Bools


def make_proofreading(cells: Cells) -> Proofreading:
    """About 2.5 % of the neurons, most of them in or near the V1 column, in the published mix of strategies."""
    rng = stream(cells.seed, "proofreading")
    n_neurons = int(cells.is_neuron.sum())
    n_old = scaled(n_neurons, sum(published.STRATEGIES_1507), published.NEURONS, _FEWEST_ROWS)
    n_new = max(n_old + 2, scaled(n_neurons, sum(published.STRATEGIES_1718), published.NEURONS))
    chosen = _choose(cells, n_new, rng)
    old = np.repeat(np.arange(4), quota(n_old, published.STRATEGIES_1507, at_least=1))
    old = np.concatenate([rng.permutation(old), np.full(n_new - n_old, FULL)])
    excitatory_first = np.argsort(cells.cell_class[chosen[:n_old]] != EXCITATORY, kind="stable")
    interareal_first = np.argsort(old[:n_old] != INTERAREAL, kind="stable")
    old[excitatory_first] = old[interareal_first]  # interareal axons are excitatory
    dendrite = np.ones(n_new, dtype=bool)
    with_axon = np.flatnonzero(old[:n_old] != NO_AXON)
    dendrite[rng.choice(with_axon, scaled(n_old, published.DENDRITES_NOT_PROOFREAD, 2_141))] = False
    stale = np.zeros(n_new, dtype=bool)
    current = np.flatnonzero(dendrite & (old != NO_AXON) & (np.arange(n_new) < n_old))
    stale[rng.choice(current, scaled(n_old, published.STALE_VALID_IDS, 2_088), replace=False)] = True
    return Proofreading(chosen, n_old, old, _upgrade(old, n_old, rng), dendrite, stale)


def _choose(cells: Cells, count: int, rng: np.random.Generator) -> Ints:
    """The cells to assess, by class; order is random."""
    weight = _AREA_WEIGHT[cells.area] * np.exp(-space.column_distance_um(cells.position) / _NEAR_COLUMN_UM)
    weight *= np.where(cells.in_column, _COLUMN_WEIGHT, 1.0) * cells.typed
    n_inhibitory = max(2, round(count * published.PROOFREAD_INHIBITORY))
    chosen = []
    for cell_class, number in ((INHIBITORY, n_inhibitory), (EXCITATORY, count - n_inhibitory)):
        members = np.flatnonzero((cells.cell_class == cell_class) & cells.typed)
        share = weight[members] / weight[members].sum()
        chosen.append(rng.choice(members, number, replace=False, p=share))
    return rng.permutation(np.concatenate(chosen))


def _upgrade(old: Ints, n_old: int, rng: np.random.Generator) -> Ints:
    """The strategies of the newer version: some partial axons were extended fully."""
    partial_old, _, _, _ = published.STRATEGIES_1507
    partial_new, _, _, _ = published.STRATEGIES_1718
    new = old.copy()
    partial = np.flatnonzero(old[:n_old] == PARTIAL)
    upgraded = scaled(len(partial), partial_old - partial_new, partial_old)
    new[rng.choice(partial, upgraded, replace=False)] = FULL
    return new
