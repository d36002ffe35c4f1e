"""Orphan segments: pieces of axon and dendrite without a soma, compact in space.

They are never listed. A bin of space has so many of them, numbered consecutively; a synapse there draws one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.demo.synthetic.ids import Floats, Ints

AXON, DENDRITE = 0, 1
_SYNAPSES_PER_ORPHAN = {AXON: 4.7, DENDRITE: 20.0}  # choices
_CROWDING = 1.7  # exponent that lets a few orphans of a bin have many synapses, a choice


@dataclass(frozen=True)
class Orphans:
    """The orphan segments of each bin, shape (2, bins): axons, then dendrites.

    Attributes:
        first: number of the first one.
        count: how many there are, at least one.
    """

    first: Ints
    count: Ints

    def draw(self, kind: int, bins: Ints, uniform: Floats) -> Ints:
        """An orphan of each of the given bins; the last ones of a bin are drawn most often."""
        count = self.count[kind, bins]
        place = (count * (1 - uniform**_CROWDING)).astype(np.int64)
        numbers: Ints = self.first[kind, bins] + np.minimum(place, count - 1)
        return numbers


def make_orphans(first_number: int, axon_synapses: Floats, dendrite_synapses: Floats) -> Orphans:
    """As many orphans as the expected synapses of each bin call for."""
    counts = [
        np.ceil(expected / _SYNAPSES_PER_ORPHAN[kind]).astype(np.int64).clip(min=1)
        for kind, expected in ((AXON, axon_synapses), (DENDRITE, dendrite_synapses))
    ]
    flat = np.concatenate(counts)
    first = first_number + np.cumsum(flat) - flat
    return Orphans(first.reshape(2, -1), flat.reshape(2, -1))
