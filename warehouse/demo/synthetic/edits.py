"""Segments and what edits do to them: merged cells, wrong centroids, and the step from one version to the next.

A segment is a *number* here and becomes a root id through `ids.root_ids`. Every edit gives new numbers, so a root
id is immutable: where it occurs in both versions it holds the same supervoxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.demo.synthetic import published, space
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.ids import OUTSIDE, UNASSIGNED, Bools, Floats, Ints, fraction_of, scaled, stream
from warehouse.demo.synthetic.orphans import AXON, DENDRITE, Orphans
from warehouse.demo.synthetic.proofreading import Proofreading

# The numbers of segments: cells, then blocks of as many for what edits and stray centroids make, then the orphans.
FRAGMENT, EDITED, PIECE, EARLIER, BLOCKS = 1, 2, 3, 4, 5

_GIANT_SHARE, _GIANT_LEAST = 346 / published.NUCLEI, 5  # 864691135698390426 holds 346 typed nuclei (v1718)
_WINDOW = 1_000  # cells to either side, in the order of x, among which the nearest ones are sought
_DIVIDED_SHARE = 0.1  # of the merged roots, those that the newer version has divided; a choice
_NEW_MERGERS = 60  # of all nuclei, pairs that the newer version has newly merged; a choice
_SPLIT_SHARE, _SPLIT_LOSS = 0.3, (0.01, 0.10)  # choices
_SWALLOWED = {AXON: 12, DENDRITE: 2}  # orphans per edited neuron; choices


@dataclass(frozen=True)
class Nuclei:
    """Where the nuclei lie in the segmentation, apart from edits.

    Attributes:
        group: index of the first cell on the same root; `OUTSIDE` and `UNASSIGNED` where there is no root.
        centroid: the cell whose root lies under the centroid, `OUTSIDE`, or the cell itself.
        fragment: whether the centroid lies on a fragment of its own.
        alternative: whether nucleus_alternative_points has a better point.
        false_neuron: detections that are no neurons but that the classifier calls so.
    """

    group: Ints
    centroid: Ints
    fragment: Bools
    alternative: Bools
    false_neuron: Bools


@dataclass(frozen=True)
class Segmentation:
    """The segments of one version.

    Attributes:
        cell: number of the segment under the look-up point of each cell.
        centroid: number of the segment under its centroid.
        lost: share of the cell's synapses that a split moved to a piece of its own.
        swallowed: numbers of the orphan segments that edits joined to cells, growing.
        swallower: the number that each of them has now.
    """

    cell: Ints
    centroid: Ints
    lost: Floats
    swallowed: Ints
    swallower: Ints

    def numbers(self, owners: Ints, synapse_ids: Ints) -> Ints:
        """The segment of each synapse's side, given who owned it before any edit (cell index or orphan number)."""
        count = len(self.cell)
        numbers = owners.copy()
        on_cell = np.flatnonzero((owners >= 0) & (owners < count))
        cell = owners[on_cell]
        split = fraction_of(synapse_ids[on_cell], "split") < self.lost[cell]
        numbers[on_cell] = np.where(split, PIECE * count + cell, self.cell[cell])
        if len(self.swallowed):
            slot = np.searchsorted(self.swallowed, owners).clip(max=len(self.swallowed) - 1)
            numbers = np.where(self.swallowed[slot] == owners, self.swallower[slot], numbers)
        return numbers


def make_nuclei(cells: Cells, proofreading: Proofreading) -> Nuclei:
    """Merged cells of every kind, nuclei without a root, and centroids that miss their cell."""
    rng = stream(cells.seed, "nuclei")
    free = np.ones(len(cells), dtype=bool)
    free[proofreading.cell] = False
    group = np.arange(len(cells), dtype=np.int64)
    false_neuron = np.zeros(len(cells), dtype=bool)
    _merge_giant(cells, group, free, rng)
    _merge_pairs(cells, group, free, false_neuron, rng)
    strays = rng.permutation(np.flatnonzero(free & ~cells.is_neuron))
    n_outside = scaled(len(cells), published.OUTSIDE_NUCLEI, published.TYPED_NUCLEI, at_least=3)
    group[strays[:n_outside]], group[strays[n_outside : n_outside + 2]] = OUTSIDE, UNASSIGNED
    free[strays[: n_outside + 2]] = False
    centroid, fragment, alternative = _centroids(cells, group, free, rng)
    return Nuclei(group, centroid, fragment, alternative, false_neuron)


def _merge_giant(cells: Cells, group: Ints, free: Bools, rng: np.random.Generator) -> None:
    """One root with many nuclei: glia and vessel cells that lie together."""
    candidates = np.flatnonzero(free & ~cells.is_neuron)
    size = max(_GIANT_LEAST, round(_GIANT_SHARE * len(cells)))
    members = _nearest(cells, rng.choice(candidates), candidates)[:size]
    group[members] = members.min()
    free[members] = False


def _merge_pairs(cells: Cells, group: Ints, free: Bools, false_neuron: Bools, rng: np.random.Generator) -> None:
    """Roots with two nuclei, of four kinds in turn."""
    neuron, typed = cells.is_neuron, cells.typed
    kinds = (
        (neuron & typed, ~typed & ~neuron),  # only one of them has a type
        (neuron & typed, ~neuron),  # a neuron with a false positive of the classifier
        (neuron & typed, neuron & typed),
        (neuron & typed, ~neuron & typed),
    )
    pairs = scaled(len(cells), published.MERGED_NUCLEI / 2, published.NUCLEI, at_least=2 * len(kinds))
    for index in range(pairs):
        first_kind, second_kind = kinds[index % len(kinds)]
        first = rng.choice(np.flatnonzero(free & first_kind))
        free[first] = False
        second = _nearest(cells, first, np.flatnonzero(free & second_kind))[0]
        free[second] = False
        group[[first, second]] = min(first, second)
        false_neuron[second] |= index % len(kinds) == 1


def _nearest(cells: Cells, to: int, among: Ints) -> Ints:
    """The cells of `among` by their distance to one; only those next to it in x are looked at."""
    place = int(np.searchsorted(among, to))
    among = among[max(0, place - _WINDOW) : place + _WINDOW]
    distance = np.linalg.norm((cells.position[among] - cells.position[to]) * space.VOXEL_UM, axis=1)
    nearest: Ints = among[np.argsort(distance, kind="stable")]
    return nearest


def _centroids(cells: Cells, group: Ints, free: Bools, rng: np.random.Generator) -> tuple[Ints, Bools, Bools]:
    """What lies under the centroids: mostly the cell, else a fragment, nothing, or the next cell."""
    count = len(cells)
    centroid = np.where(group < 0, group, np.arange(count))
    wrong = rng.permutation(np.flatnonzero(free))
    wrong = wrong[: scaled(count, published.ALTERNATIVE_POINTS, published.NUCLEI, at_least=6)]
    fragment, alternative = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    alternative[wrong] = True
    fragments, nothing, neighbours, _ = np.array_split(wrong, [n * len(wrong) // 20 for n in (12, 14, 19)])
    fragment[fragments] = True
    centroid[nothing] = OUTSIDE
    with_root = np.flatnonzero(group >= 0)
    for cell in neighbours:
        centroid[cell] = _nearest(cells, cell, with_root)[1]  # the nearest is the cell itself
    return centroid, fragment, alternative


def first_segmentation(nuclei: Nuclei) -> Segmentation:
    """The segments of the older version."""
    none = np.zeros(0, dtype=np.int64)
    return _segmentation(nuclei, nuclei.group, np.zeros(len(nuclei.group)), none, none)


def _segmentation(nuclei: Nuclei, cell: Ints, lost: Floats, swallowed: Ints, swallower: Ints) -> Segmentation:
    count = len(cell)
    under = np.where(nuclei.centroid >= 0, cell[nuclei.centroid], nuclei.centroid)
    under = np.where(nuclei.fragment, FRAGMENT * count + np.arange(count), under)
    return Segmentation(cell, under, lost, swallowed, swallower)


def second_segmentation(
    cells: Cells, nuclei: Nuclei, proofreading: Proofreading, orphans: Orphans
) -> Segmentation:
    """The segments of the newer version: cells edited, divided, merged, split, and orphans swallowed."""
    rng = stream(cells.seed, "edits")
    count = len(cells)
    cell = nuclei.group.copy()
    edited = _edited(cells, nuclei, proofreading, rng)
    cell[edited] = EDITED * count + nuclei.group[edited]
    single = np.bincount(nuclei.group[nuclei.group >= 0], minlength=count)[nuclei.group.clip(min=0)] == 1
    _divide(nuclei, cell, single, rng)
    _merge_anew(cells, proofreading, cell, single & ~edited, rng)
    lost = np.where(
        edited & single & cells.is_neuron & (rng.random(count) < _SPLIT_SHARE),
        rng.uniform(*_SPLIT_LOSS, count),
        0.0,
    )
    swallowed, swallower = _swallow(cells, cell, edited & cells.is_neuron, orphans)
    return _segmentation(nuclei, cell, lost, swallowed, swallower)


def _edited(cells: Cells, nuclei: Nuclei, proofreading: Proofreading, rng: np.random.Generator) -> Bools:
    """The cells whose root gets a new id, all cells of a merged root together."""
    with_root = np.flatnonzero(nuclei.group >= 0)
    weight = np.where(cells.is_neuron, 1.0, 0.4)[with_root]
    number = round(published.CHANGED_ROOTS * len(with_root))
    chosen = rng.choice(with_root, number, replace=False, p=weight / weight.sum())
    chosen = np.append(chosen, rng.choice(proofreading.cell[: proofreading.old_rows]))
    edited: Bools = np.isin(nuclei.group, nuclei.group[chosen])
    return edited


def _divide(nuclei: Nuclei, cell: Ints, single: Bools, rng: np.random.Generator) -> None:
    """Some merged roots are divided: each nucleus gets a root of its own."""
    count = len(cell)
    merged = np.unique(nuclei.group[~single & (nuclei.group >= 0)])
    divided = rng.choice(merged, scaled(len(merged), _DIVIDED_SHARE, 1.0), replace=False)
    members = np.flatnonzero(np.isin(nuclei.group, divided))
    cell[members] = EDITED * count + members


def _merge_anew(
    cells: Cells, proofreading: Proofreading, cell: Ints, candidates: Bools, rng: np.random.Generator
) -> None:
    """Some pairs of neurons that had a root each now share one."""
    count = len(cell)
    free = candidates & cells.is_neuron & (cell >= 0)
    free[proofreading.cell] = False
    for _ in range(scaled(count, _NEW_MERGERS, published.NUCLEI)):
        first = rng.choice(np.flatnonzero(free))
        free[first] = False
        second = _nearest(cells, first, np.flatnonzero(free))[0]
        free[second] = False
        cell[[first, second]] = EDITED * count + min(first, second)


def _swallow(cells: Cells, cell: Ints, edited: Bools, orphans: Orphans) -> tuple[Ints, Ints]:
    """Orphan segments near the edited neurons become part of them."""
    who = np.flatnonzero(edited)
    where = space.bins_of(cells.position[who])
    order = np.argsort(where, kind="stable")
    who, where = who[order], where[order]
    turn = np.arange(len(who)) - np.searchsorted(where, where)
    taken, takers = [], []
    for kind, number in _SWALLOWED.items():
        place = turn[:, None] * number + np.arange(number)
        there = place < orphans.count[kind, where][:, None]
        taken.append((orphans.first[kind, where][:, None] + place)[there])
        takers.append(np.broadcast_to(cell[who][:, None], place.shape)[there])
    swallowed, swallower = np.concatenate(taken), np.concatenate(takers)
    order = np.argsort(swallowed)
    return swallowed[order], swallower[order]
