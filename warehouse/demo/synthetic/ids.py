"""Random streams, and identifiers built like CAVE's: roots, supervoxels, annotations.

A random stream belongs to a purpose ("cells", "synapses of slab 12"), so a part that is added later does not
change what the other parts draw.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

OUTSIDE = -1
"""The number of what lies outside the segmentation: root 0, supervoxel 0."""
UNASSIGNED = -2
"""The number of an annotation without a segmentation row: root and supervoxel NULL."""

# Real roots lie in layer 12 of the chunked graph, 864691134.8e9 to 864691137.0e9 (v1300 to v1718).
_ROOT_BASE = 864_691_134_800_000_000
_ROOT_SPAN = 2_147_483_647  # a prime, so that multiplying by anything below it is a permutation
_ROOT_STRIDE = 1_340_780_793
_ROOT_OFFSET = 817_530_981

CHUNK = 512
"""Edge of a chunk of supervoxels, in voxels of 4 x 4 x 40 nm (from the ids of real synapses)."""
CHUNK_ORIGIN = np.array([52_770, 60_616, 14_850])
"""First voxel of chunk (0, 0, 0) (from the ids of real synapses)."""
_CHUNK_SHIFTS = (46, 36, 26)  # layer in 8 bits, then 10 bits each for x, y and z, then 26 for the supervoxel
_SUPERVOXELS_PER_SLICE = 1_300  # supervoxels of a chunk are numbered along z, up to about 700,000 of them
_ENDS = 54  # two sides of a synapse times 27 neighbouring chunks
_BLOCKS = _SUPERVOXELS_PER_SLICE // _ENDS  # so many synapses of a chunk can lie in one slice
_RING = 16  # slices within which a side's number is turned: real sides are mostly within 2**14 of each other
_POINT_BASE = 700_000  # supervoxels under annotated points; synapses stay below it


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The random numbers of one purpose, the same wherever and whenever they are drawn."""
    sequence = np.random.SeedSequence(seed, spawn_key=(crc32(purpose.encode()), index))
    return np.random.Generator(np.random.Philox(sequence))


def root_ids(numbers: Ints, seed: int) -> Ints:
    """The 18-digit root ids of segments, given their numbers; `OUTSIDE` gives 0, `UNASSIGNED` gives 1."""
    roots: Ints = _ROOT_BASE + (numbers * _ROOT_STRIDE + _ROOT_OFFSET + (seed % 1_000_003) * 1_021) % _ROOT_SPAN
    return np.where(numbers >= 0, roots, -1 - numbers)


def chunks_of(positions: Ints) -> Ints:
    """The chunk coordinates, shape (n, 3), of voxel positions."""
    chunks: Ints = (positions - CHUNK_ORIGIN) // CHUNK
    return chunks


def supervoxel_ids(chunks: Ints, within: Ints) -> Ints:
    """Supervoxel ids as the chunked graph makes them: layer 1, chunk x, y, z, then the number within the chunk."""
    packed = np.full(len(within), 1 << 56, dtype=np.int64) + within
    for axis, shift in enumerate(_CHUNK_SHIFTS):
        packed += chunks[:, axis] << shift
    return packed


def point_supervoxels(positions: Ints, first: int) -> Ints:
    """Supervoxels under annotated points, each its own; `first` keeps the points of different tables apart."""
    numbers = np.arange(len(positions), dtype=np.int64)
    return supervoxel_ids(chunks_of(positions), _POINT_BASE + first + numbers)


def synapse_supervoxels(centres: Ints, rank: Ints, ends: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Supervoxels on the two sides of synapses, no two alike, numbered along z as real ones are.

    Args:
        centres: positions of the clefts.
        rank: number of the synapse among those of the same chunk and the same z.
        ends: positions of the presynaptic and the postsynaptic points, less than a chunk away from the centre.
    """
    home = chunks_of(centres)
    depth = (centres[:, 2] - CHUNK_ORIGIN[2]) % CHUNK
    address = supervoxel_ids(home, np.zeros_like(depth))
    pair = []
    for side, positions in enumerate(ends):
        chunks = chunks_of(positions)
        step = (chunks - home + 1) @ np.array([9, 3, 1])
        # Neither turn depends on more than the chunk, the slice and the side, so no two ends get the same number.
        turn = (fraction_of(address, f"slice {side}") * _RING).astype(np.int64)
        place = (fraction_of(address + depth, f"block {side}") * _BLOCKS).astype(np.int64)
        layer = depth // _RING * _RING + (depth + turn) % _RING
        number = layer * _SUPERVOXELS_PER_SLICE + (rank + place) % _BLOCKS * _ENDS
        pair.append(supervoxel_ids(chunks, number + side * 27 + step))
    return pair[0], pair[1]


def quota(total: int, weights: tuple[float, ...] | Floats, at_least: int = 0) -> Ints:
    """Whole numbers that add up to `total` in the proportion of `weights`, by largest remainder."""
    exact = np.asarray(weights, dtype=float) / np.sum(weights) * total
    counts: Ints = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: total - int(counts.sum())]] += 1
    lacking = (at_least - counts).clip(min=0)
    counts[np.argmax(counts)] -= int(lacking.sum())
    counts += lacking
    return counts


def scaled(total: int, part: float, whole: float, at_least: int = 1) -> int:
    """How many of `total` correspond to `part` of `whole`, at least some, so that small volumes show each case."""
    return min(total, max(at_least, round(total * part / whole)))


def fraction_of(numbers: Ints, purpose: str) -> Floats:
    """A number in [0, 1) that looks random and depends on nothing but the whole number and the purpose."""
    mixed = (numbers + crc32(purpose.encode())).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    fractions: Floats = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return fractions
