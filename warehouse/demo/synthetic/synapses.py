"""The synapses: generated slab by slab along x, in the order of their ids, in bounded memory.

A slab is a whole number of supervoxel chunks thick and has its own random stream, so the result does not depend on
how the stream is cut into batches. Synapses know their *owners*, a cell index or the number of an orphan;
`edits.Segmentation` turns owners into the segments of a version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.demo.synthetic import published, space
from warehouse.demo.synthetic.axons import ON_ORPHAN, Axons, make_axons
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.dendrites import Dendrites, make_dendrites
from warehouse.demo.synthetic.edits import BLOCKS, Nuclei
from warehouse.demo.synthetic.function import Tuning
from warehouse.demo.synthetic.ids import (
    CHUNK,
    CHUNK_ORIGIN,
    OUTSIDE,
    Bools,
    Floats,
    Ints,
    chunks_of,
    quota,
    stream,
    synapse_supervoxels,
)  # fmt: skip
from warehouse.demo.synthetic.orphans import AXON, DENDRITE, Orphans, make_orphans
from warehouse.demo.synthetic.proofreading import Proofreading
from warehouse.demo.synthetic.published import INHIBITORY

_ROWS_PER_SLAB = 150_000
_FIRST_CHUNK, _LAST_CHUNK = (chunks_of(np.stack([space.LOW, space.HIGH]))[:, 0]).tolist()
_FIRST_ID = 4_456  # the smallest synapse id seen in public output
_IDS_PER_TWO_ROWS = 3  # real ids run to 511 million for 337 million rows
_SYNAPSES_PER_CONTACT = 1.082
_ORPHAN_SEVERAL = 0.07  # share of the contacts of orphan axons with another synapse, a choice
_SPARSE, _DENSE = 0.45, 0.95  # share of the pairs with several synapses that owe them to one contact, choices
_DENSE_CELLS = 50_000
_MOST_PER_CONTACT = 20
_CONTACT_SPREAD = np.array([500, 500, 50])  # voxels between the synapses of one contact (2 um)
_MISSING = 2e-4  # share of synapses without a segmentation row, a choice
_MEDIAN_SIZE, _SPREAD_SIZE, _LARGEST_SIZE = 2_900.0, 1.15, 600_000  # lognormal, in voxels
_SIZE_STEP = 4  # clefts were measured at 8 x 8 x 40 nm
_CLEFT = np.array([34.0, 34.0, 3.6])  # voxels from the cleft's centre to either side (real: 44, 44, 4.7 in all)
_CLEFT_NOISE = np.array([27.0, 27.0, 3.0])
_CLEFT_MOST = np.array([140, 140, 16])
_ODD_CENTRES = 0.2  # of the centres are not on the 8 nm grid in x and y


@dataclass(frozen=True)
class Block:
    """Synapses of one slab, ordered by id.

    Attributes:
        id: growing.
        centre, pre_position, post_position: voxels, shape (n, 3).
        size: cleft voxels.
        pre, post: owner: a cell index, the number of an orphan, or `OUTSIDE`.
        pre_supervoxel, post_supervoxel: never changing.
        missing: whether the segmentation has no row for the synapse.
    """

    id: Ints
    centre: Ints
    pre_position: Ints
    post_position: Ints
    size: Ints
    pre: Ints
    post: Ints
    pre_supervoxel: Ints
    post_supervoxel: Ints
    missing: Bools


@dataclass(frozen=True)
class Wiring:
    """All that decides about the synapses of a volume; a few hundred megabytes at full scale.

    Attributes:
        cells, tuning: whose synapses they are.
        dendrites, axons, orphans: where the partners are.
        thickness: of a slab, in chunks.
        rows: number of synapses per slab.
    """

    cells: Cells
    tuning: Tuning
    dendrites: Dendrites
    axons: Axons
    orphans: Orphans
    thickness: int
    rows: Ints

    def blocks(self) -> Iterator[Block]:
        """All synapses, in the order of their ids."""
        done = 0
        for slab, rows in enumerate(self.rows.tolist()):
            yield _block(self, slab, rows, done)
            done += rows


def make_wiring(cells: Cells, nuclei: Nuclei, proofreading: Proofreading, tuning: Tuning, rows: int) -> Wiring:
    """The wiring of a volume of `rows` synapses."""
    with_root = np.where(nuclei.group >= 0, 1.0, 0.0)
    plain = make_dendrites(cells, rows * published.NUCLEUS_INPUTS / _SYNAPSES_PER_CONTACT)
    dendrites = Dendrites(cells, plain.contacts * with_root, plain.phase)
    owner, position, weight = dendrites.sample()
    where = space.bins_of(position)
    target = np.where(cells.cell_class[owner] == INHIBITORY, 1, 0)
    on_cells = np.bincount(target * space.N_BINS + where, weights=weight, minlength=2 * space.N_BINS)
    on_orphans = np.full(space.N_BINS, rows * (1 - published.NUCLEUS_INPUTS) / space.N_BINS)
    contacts = np.concatenate([on_cells, on_orphans]).reshape(3, -1)
    thickness = max(1, round(_ROWS_PER_SLAB / (rows / (_LAST_CHUNK - _FIRST_CHUNK + 1))))
    return Wiring(
        cells=cells,
        tuning=tuning,
        dendrites=dendrites,
        axons=make_axons(cells, proofreading, rows, contacts),
        orphans=make_orphans(BLOCKS * len(cells), contacts.sum(axis=0), on_orphans),
        thickness=min(thickness, 32),
        rows=_rows_per_slab(rows, min(thickness, 32), position[:, 0], weight),
    )


def _rows_per_slab(rows: int, thickness: int, x: Ints, weight: Floats) -> Ints:
    edges = np.arange(_FIRST_CHUNK, _LAST_CHUNK + 1 + thickness, thickness) * CHUNK + CHUNK_ORIGIN[0]
    on_cells = np.histogram(x, bins=edges, weights=weight)[0]
    inside = np.diff(edges.clip(space.LOW[0], space.HIGH[0]))
    share = published.NUCLEUS_INPUTS * on_cells / on_cells.sum()
    return quota(rows, share + (1 - published.NUCLEUS_INPUTS) * inside / inside.sum())


def _block(wiring: Wiring, slab: int, rows: int, done: int) -> Block:
    rng = stream(wiring.cells.seed, "synapses", slab)
    low = (_FIRST_CHUNK + slab * wiring.thickness) * CHUNK + int(CHUNK_ORIGIN[0])
    high = low + wiring.thickness * CHUNK
    faces = max(low, int(space.LOW[0])), min(high, int(space.HIGH[0]))
    pre, post, position = _on_cells(wiring, (low, high), faces, rows, rng)
    filler = _on_orphans(wiring, faces, rows - len(pre), rng)
    pre, post = np.concatenate([pre, filler[0]]), np.concatenate([post, filler[1]])
    centre = np.concatenate([position, filler[2]])
    order, rank = _in_order(centre)
    pre, post, centre = pre[order], post[order], centre[order]
    _leave(pre, post, rng)
    ends = _ends(centre, rng)
    pre_supervoxel, post_supervoxel = synapse_supervoxels(centre, rank, ends)
    row = np.arange(done, done + rows)
    return Block(
        id=_FIRST_ID + row * _IDS_PER_TWO_ROWS // 2 + (row % 2) * (rng.random(rows) < 0.5),
        centre=centre,
        pre_position=ends[0],
        post_position=ends[1],
        size=_sizes(rows, rng),
        pre=pre,
        post=post,
        pre_supervoxel=np.where(pre == OUTSIDE, 0, pre_supervoxel),
        post_supervoxel=np.where(post == OUTSIDE, 0, post_supervoxel),
        missing=rng.random(rows) < _MISSING,
    )


def _on_cells(
    wiring: Wiring, slab: tuple[int, int], faces: tuple[int, int], most: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Synapses on cells: the presynaptic owner, the postsynaptic cell, the position."""
    post = rng.permutation(wiring.dendrites.within(*slab))
    x = rng.integers(*faces, len(post))
    y, z = wiring.dendrites.across(post, rng)
    position = np.stack([x, y.astype(np.int64), z.astype(np.int64)], axis=1)
    target = np.where(wiring.cells.cell_class[post] == INHIBITORY, 1, 0)
    source = _sources(wiring, post, target, position, rng)
    several = _several(wiring, source, target)
    number = rng.geometric(1 - several).clip(max=_MOST_PER_CONTACT)
    contact = np.repeat(np.arange(len(post)), number)[:most]
    first = np.append(True, contact[1:] != contact[:-1])[: len(contact)]
    position = position[contact]
    again = np.flatnonzero(~first)
    step = _CONTACT_SPREAD * rng.standard_normal((len(again), 3))
    low, high = space.LOW.copy(), space.HIGH - 1
    low[0], high[0] = faces[0], faces[1] - 1
    position[again] = (position[again] + step.astype(np.int64)).clip(low, high)
    return source[contact], post[contact], position


def _sources(wiring: Wiring, post: Ints, target: Ints, position: Ints, rng: np.random.Generator) -> Ints:
    """The presynaptic owners: a few cells, most of all orphan axons."""
    where = space.bins_of(position)
    source = wiring.axons.draw(target, where, rng.random(len(post)))
    cells = np.flatnonzero(source >= 0)
    again = cells[wiring.tuning.unlike(source[cells], post[cells], rng)]
    uniform = rng.random(len(again)) * wiring.axons.total[target[again], where[again]]
    source[again] = wiring.axons.draw(target[again], where[again], uniform)
    returning = cells[rng.random(len(cells)) < published.AUTAPSES]
    source[returning] = post[returning]
    orphan = np.flatnonzero(source < 0)
    source[orphan] = wiring.orphans.draw(AXON, where[orphan], rng.random(len(orphan)))
    return source


def _several(wiring: Wiring, source: Ints, target: Ints) -> Floats:
    """The chance that a contact has another synapse, by the classes of its partners."""
    several = np.full(len(source), _ORPHAN_SEVERAL)
    cell = np.flatnonzero(source < len(wiring.cells))
    inhibitory = (wiring.cells.cell_class[source[cell]] == INHIBITORY).astype(np.int64)
    # Where cells are sparse, the few that an axon can reach are often met twice.
    one = _SPARSE + (_DENSE - _SPARSE) * min(1.0, len(wiring.cells) / _DENSE_CELLS)
    several[cell] = one * np.array(published.SEVERAL_SYNAPSES)[inhibitory, target[cell]]
    return several


def _on_orphans(
    wiring: Wiring, faces: tuple[int, int], rows: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Synapses on orphan dendrites: the presynaptic owner, the orphan, the position."""
    low, high = space.LOW.copy(), space.HIGH.copy()
    low[0], high[0] = faces
    position = np.stack([rng.integers(low[axis], high[axis], rows) for axis in range(3)], axis=1)
    where = space.bins_of(position)
    source = wiring.axons.draw(np.full(rows, ON_ORPHAN), where, rng.random(rows))
    orphan = np.flatnonzero(source < 0)
    source[orphan] = wiring.orphans.draw(AXON, where[orphan], rng.random(len(orphan)))
    return source, wiring.orphans.draw(DENDRITE, where, rng.random(rows)), position


def _in_order(centre: Ints) -> tuple[Ints, Ints]:
    """The order by chunk and z, and the rank of each synapse among those of the same chunk and z."""
    chunk = chunks_of(centre)
    key = ((chunk[:, 0] << 10 | chunk[:, 1]) << 10 | chunk[:, 2]) << 9 | (centre[:, 2] - CHUNK_ORIGIN[2]) % CHUNK
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: len(key)])
    rank = np.arange(len(key)) - np.repeat(starts, np.diff(np.append(starts, len(key))))
    return order, rank


def _leave(pre: Ints, post: Ints, rng: np.random.Generator) -> None:
    """Some synapses have a side outside the segmentation."""
    for owners, share in ((pre, 2 / 3), (post, 1 / 3)):
        owners[rng.random(len(owners)) < published.ROOT_ZERO * share] = OUTSIDE


def _ends(centre: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Points on the two sides of the clefts; the centres move onto the 8 nm grid, where the segmentation lives."""
    shape = centre.shape
    across = rng.standard_normal(shape, dtype=np.float32) * _CLEFT
    ends = []
    for side in (1, -1):
        away = side * across + rng.standard_normal(shape, dtype=np.float32) * _CLEFT_NOISE
        end = centre + away.astype(np.int64).clip(-_CLEFT_MOST, _CLEFT_MOST)
        end = end.clip(space.LOW, space.HIGH - 1)
        end[:, :2] -= end[:, :2] & 1
        ends.append(end)
    centre[:, :2] -= (centre[:, :2] & 1) * (rng.random((len(centre), 1)) >= _ODD_CENTRES)
    return ends[0], ends[1]


def _sizes(rows: int, rng: np.random.Generator) -> Ints:
    """Heavy-tailed cleft sizes."""
    size = _MEDIAN_SIZE * np.exp(_SPREAD_SIZE * rng.standard_normal(rows, dtype=np.float32))
    steps: Ints = (size / _SIZE_STEP).astype(np.int64).clip(4, _LARGEST_SIZE // _SIZE_STEP)
    return steps * _SIZE_STEP
