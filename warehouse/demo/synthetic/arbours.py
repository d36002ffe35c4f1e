"""The shapes of cells: trees that start at the soma and reach the cell's synapses.

A tree grows as TREES toolbox trees do (Cuntz et al. 2010): synapse by synapse, whichever adds the least cable and
detour. Dendrites reach the inputs, the axon the outputs; a synapse lies a spine's length off its branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from warehouse.demo.synthetic import space
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.ids import Floats, Ints, stream
from warehouse.storage.skeleton import Skeleton

_SOMA, _AXON, _DENDRITE = 1, 2, 3  # CAVE's codes
_SOMA_NM = 7_500.0  # what lies nearer to the soma is one vertex, as in CAVE's skeletons
_OFFSET_NM = 450.0  # spread of a synapse's distance to its branch, per axis, a choice
_STEP_NM = {_DENDRITE: 1_300.0, _AXON: 1_700.0}  # between two vertices, choices
_DETOUR = {_DENDRITE: 0.4, _AXON: 0.15}  # cost of the way to the soma, relative to that of cable, choices
_BEND = 0.12  # of a branch, relative to its length, a choice
_SOMA_PER_NUCLEUS = 1.35  # radius of the soma relative to the nucleus, a choice
_CHUNK_NM = np.array([2_048.0, 2_048.0, 20_480.0])  # CAVE numbers vertices chunk by chunk


@dataclass(frozen=True)
class Arbours:
    """The shapes of all cells in one version.

    Attributes:
        cells: the true cells.
        roots: the segment of each, 0 for none.
        pre, post: segments of the synapses' sides.
        pre_nm, post_nm: where these are, shape (n, 3).
    """

    cells: Cells
    roots: Ints
    pre: Ints
    post: Ints
    pre_nm: Floats
    post_nm: Floats

    @cached_property
    def _order(self) -> tuple[Ints, Ints]:
        return np.argsort(self.pre, kind="stable"), np.argsort(self.post, kind="stable")

    def skeleton(self, root_id: int) -> Skeleton | None:
        """The skeleton of a segment with a neuron's nucleus, or None."""
        inside = np.flatnonzero((self.roots == root_id) & self.cells.is_neuron)
        if root_id <= 1 or not len(inside):
            return None
        rng = stream(self.cells.seed, "skeleton", root_id)
        soma = self.cells.position[inside[0]] * space.VOXEL_UM * 1_000
        trees = [
            _tree(soma, ends + _OFFSET_NM * rng.standard_normal(ends.shape), kind, rng)
            for kind, ends in ((_DENDRITE, self._ends(root_id, 1)), (_AXON, self._ends(root_id, 0)))
        ]
        radius = np.cbrt(self.cells.volume_um3[inside[0]] * 0.75 / np.pi) * _SOMA_PER_NUCLEUS * 1_000
        return _joined(root_id, soma, radius, trees, rng)

    def _ends(self, root_id: int, side: int) -> Floats:
        """Where the synapses of a segment are: 0 its outputs, 1 its inputs."""
        owners, points = ((self.pre, self.pre_nm), (self.post, self.post_nm))[side]
        order = self._order[side]
        first, last = np.searchsorted(owners, (root_id, root_id + 1), sorter=order)
        ends: Floats = points[order[first:last]]
        return ends


@dataclass(frozen=True)
class _Tree:
    """Vertices of one kind; `parent` counts from 0, and is -1 for the soma."""

    kind: int
    position: Floats
    parent: Ints
    path: Floats


def _tree(soma: Floats, ends: Floats, kind: int, rng: np.random.Generator) -> _Tree:
    above = _grown(soma, ends, _DETOUR[kind])
    start = np.vstack([ends, soma])[above]  # the last one, -1, is the soma
    pieces = np.maximum(1, np.ceil(np.linalg.norm(ends - start, axis=1) / _STEP_NM[kind])).astype(np.int64)
    branch = np.repeat(np.arange(len(ends)), pieces)
    last = np.cumsum(pieces) - 1
    place = np.arange(len(branch)) - (last - pieces + 1)[branch]
    share = ((place + 1) / pieces[branch])[:, None]
    bend = rng.standard_normal(ends.shape) * _BEND * np.linalg.norm(ends - start, axis=1)[:, None]
    position = start[branch] + share * (ends - start)[branch] + np.sin(np.pi * share) * bend[branch]
    parent = np.where(place > 0, np.arange(len(branch)) - 1, np.where(above >= 0, last[above], -1)[branch])
    return _outside(soma, kind, position, parent)


def _grown(soma: Floats, ends: Floats, detour: float) -> Ints:
    """The end that each end is reached from, -1 for the soma."""
    above = np.full(len(ends), -1)
    path = np.zeros(len(ends))
    distance = np.linalg.norm(ends - soma, axis=1)
    cost = distance * (1 + 1e-9)
    free = np.ones(len(ends), dtype=bool)
    for _ in range(len(ends)):
        chosen = int(np.argmin(np.where(free, cost, np.inf)))
        free[chosen] = False
        path[chosen] = distance[chosen] + (path[above[chosen]] if above[chosen] >= 0 else 0.0)
        away = np.linalg.norm(ends - ends[chosen], axis=1)
        better = np.flatnonzero(free & (away + detour * path[chosen] < cost))
        above[better], distance[better] = chosen, away[better]
        cost[better] = away[better] + detour * path[chosen]
    return above


def _outside(soma: Floats, kind: int, position: Floats, parent: Ints) -> _Tree:
    """The vertices that are not part of the soma; those that hung on it hang on the soma's one vertex."""
    outside = np.linalg.norm(position - soma, axis=1) > _SOMA_NM
    number = np.cumsum(outside) - 1
    hangs = (parent >= 0) & outside[parent]
    parent = np.where(hangs, number[parent], -1)[outside]
    position = position[outside]
    start = np.where(parent[:, None] >= 0, position[parent], soma)
    path = np.linalg.norm(position - start, axis=1)
    for vertex, above in enumerate(parent.tolist()):
        if above >= 0:
            path[vertex] += path[above]
    return _Tree(kind, position, parent, path)


def _radius(tree: _Tree, rng: np.random.Generator) -> Floats:
    thin = np.full(len(tree.path), 120.0) if tree.kind == _AXON else 180 + 750 * np.exp(-tree.path / 40_000)
    radius: Floats = thin * rng.lognormal(0, 0.25, len(thin))
    return radius


def _joined(root_id: int, soma: Floats, radius: float, trees: list[_Tree], rng: np.random.Generator) -> Skeleton:
    """Soma and trees, their vertices numbered chunk by chunk, their edges in no particular direction."""
    first = np.cumsum([1, *(len(tree.parent) for tree in trees)])
    position = np.rint(np.vstack([soma, *(tree.position for tree in trees)]))
    parent = np.concatenate(
        [[-1], *(np.where(t.parent >= 0, t.parent + at, 0) for t, at in zip(trees, first, strict=False))]
    )
    kind = np.concatenate([[_SOMA], *(np.full(len(tree.parent), tree.kind) for tree in trees)])
    radii = np.concatenate([[radius], *(_radius(tree, rng) for tree in trees)])
    order = np.lexsort((position // _CHUNK_NM).T[::-1])
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    edges = np.stack([number[1:], number[parent[1:]]], axis=1)
    turned = rng.random(len(edges)) < 0.5
    edges[turned] = edges[turned, ::-1]
    return Skeleton(root_id, position[order], edges, radii[order], kind[order], int(number[0]))
