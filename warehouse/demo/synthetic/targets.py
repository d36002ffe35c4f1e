"""What synapses land on: spine, shaft or soma, for the part of the synapses that was classified."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from warehouse.demo.synthetic import published
from warehouse.demo.synthetic.ids import Bools, Ints, fraction_of, stream
from warehouse.demo.synthetic.labels import Columns
from warehouse.demo.synthetic.published import INHIBITORY
from warehouse.demo.synthetic.synapses import Block, Wiring

_TAGS = ("spine", "shaft", "soma")
_SHARES = ((0.72, 0.27, 0.01), (0.08, 0.72, 0.20))  # of excitatory and inhibitory inputs, choices
_INHIBITORY_ORPHANS = 0.12  # share of the orphan axons, a choice
_CHANGED_TAGS = 0.03  # share of the tags that the second release of the predictions changed, a choice
_STRUCTURES = (
    (0, 0, 0, 1, 3),
    (2,) * 5,
    (6,) * 5,
)  # codes of synapse_target_structure per tag: heads are most of the spines
_ONTO_AXONS = (4, 5)  # codes of boutons and of other parts of axons


def _tags(wiring: Wiring, block: Block, purpose: str) -> tuple[Ints, Ints, Bools]:
    """The tag of each synapse, a random number per synapse, and whether it was classified."""
    rng = stream(wiring.cells.seed, purpose, int(block.id[0]))
    count = len(wiring.cells)
    on_cell = (block.pre >= 0) & (block.pre < count)
    inhibitory = fraction_of(block.pre, "class of an orphan") < _INHIBITORY_ORPHANS
    inhibitory[on_cell] = wiring.cells.cell_class[block.pre[on_cell]] == INHIBITORY
    steps = np.cumsum(np.array(_SHARES)[:, :2], axis=1)[inhibitory.astype(np.int64)]
    tag = (fraction_of(block.id, "tag")[:, None] >= steps).sum(axis=1)
    classified: Bools = fraction_of(block.id, "classified") < published.TARGETS_CLASSIFIED
    return tag, rng.integers(0, 1000, len(tag)), classified & ~block.missing


def target_tags(wiring: Wiring, block: Block, *, second: bool) -> Columns:
    """synapse_target_predictions_ssa, or its second release, which changed a few answers."""
    tag, chance, classified = _tags(wiring, block, "target tags")
    if second:
        tag = np.where(chance < 1000 * _CHANGED_TAGS, (tag + 1) % len(_TAGS), tag)
    return {
        "tag": pa.array(np.array(_TAGS)[tag[classified]]),
        "target_id": pa.array(block.id[classified]),
    }


def target_structures(wiring: Wiring, block: Block) -> Columns:
    """synapse_target_structure: a code from 0 to 6, as its table describes them."""
    tag, chance, classified = _tags(wiring, block, "target structures")
    code = np.where(chance < 20, np.array(_ONTO_AXONS)[chance % 2], np.array(_STRUCTURES)[tag, chance % 5])
    return {
        "value": pa.array(code[classified].astype(np.int32)),
        "target_id": pa.array(block.id[classified]),
    }
