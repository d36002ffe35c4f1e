"""What is asked of every engine, about which cells, and when two answers are the same.

The first ten are those that CAVE's developers list for such stores; the others are the ones of everyday analyses.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.query.session import Warehouse

CORE = {
    "id": "BIGINT",
    "pre_pt_root_id": "BIGINT",
    "post_pt_root_id": "BIGINT",
    "size": "INTEGER",
    "ctr_pt_position_x": "INTEGER",
    "ctr_pt_position_y": "INTEGER",
    "ctr_pt_position_z": "INTEGER",
}
"""The seven columns of the synapse table that every peer has, and their types in SQL."""
COLUMNS = ", ".join(CORE)

QUESTIONS = {
    "synapse": "one synapse by its id",
    "inputs": "inputs of one cell",
    "outputs": "outputs of one proofread axon",
    "inputs_of_100": "inputs of 100 cells",
    "outputs_of_100": "outputs of 100 proofread axons",
    "synapses_among_100": "synapses among 100 cells",
    "connections_among_100": "connections among 100 cells",
    "mean_input_size": "mean input size of 100 cells",
    "connections_of_cells": "connections among all cells with a nucleus: pairs and synapses",
    "box": "synapses in a box of 50 um",
    "set": "synapses among 1,740 cells",
    "type_matrix": "16 x 16 matrix of types over all pairs of cells",
    "degrees": "in- and out-degree of every cell",
    "binary_matrix": "2,275 cells: dense binarised matrix in numpy",
}
"""Name -> what is asked. Sets are smaller where a smaller volume has fewer cells."""


@dataclass(frozen=True)
class Asked:
    """What the questions are about.

    Attributes:
        synapse: an id.
        cell: the root with the number of inputs nearest to 7,135.
        axon: a proofread axon with a median number of outputs.
        hundred: roots of cells with a proofread axon.
        some: roots of up to 1,740 excitatory cells, those with a proofread axon first.
        proofread: roots of up to 2,275 cells, those with a proofread axon first.
        types: the 16 most frequent cell types.
        box: lower and upper corner in voxels, the upper one outside.
    """

    synapse: int
    cell: int
    axon: int
    hundred: list[int]
    some: list[int]
    proofread: list[int]
    types: list[str]
    box: tuple[int, int, int, int, int, int]

    def as_dict(self) -> dict[str, Any]:
        """For sending it to another process."""
        return asdict(self)


def choose(wh: Warehouse) -> Asked:
    """The same cells for the same warehouse."""

    def column(query: str) -> list[Any]:
        return [row[0] for row in wh.sql(query).fetchall()]

    cells = "FROM cells WHERE is_single_soma AND pt_root_id NOT IN (0, 1)"
    proofread = "status_axon AND strategy_axon <> 'none' AND is_current"
    ordered = f"ORDER BY coalesce({proofread}, false) DESC, nucleus_id"
    excitatory = column(f"SELECT pt_root_id {cells} AND cell_class = 'excitatory' {ordered} LIMIT 1740")
    everyone = column(f"SELECT pt_root_id {cells} {ordered} LIMIT 2275")
    hundred = everyone[:100]
    (cell,) = column(
        "SELECT pt_root_id FROM in_out_degree WHERE n_nuclei_on_root = 1 "
        "ORDER BY abs(n_input_syn - 7135), pt_root_id LIMIT 1"
    )
    listed = ", ".join(map(str, hundred))
    (axon,) = column(
        f"SELECT pt_root_id FROM in_out_degree WHERE pt_root_id IN ({listed}) "
        "ORDER BY n_output_syn LIMIT 1 OFFSET 50"
    )
    (row,) = wh.sql(
        f"SELECT id, ctr_pt_position_x, ctr_pt_position_y, ctr_pt_position_z FROM input_synapses({cell}) "
        "ORDER BY id LIMIT 1 OFFSET 100"
    ).fetchall()
    low = [place - side // 2 for place, side in zip(row[1:], _BOX_VOXELS, strict=True)]
    high = [start + side for start, side in zip(low, _BOX_VOXELS, strict=True)]
    types = column(
        f"SELECT cell_type {cells} AND cell_type IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 16"
    )
    return Asked(row[0], cell, axon, hundred, excitatory, everyone, sorted(types), (*low, *high))


_BOX_VOXELS = 12_500, 12_500, 1_250  # 50 um in voxels of 4 x 4 x 40 nm


def digest(answer: pa.Table | npt.NDArray[np.bool_]) -> str:
    """A hash that does not depend on the order of rows or columns, nor on the width of numbers."""
    if isinstance(answer, np.ndarray):
        return hashlib.sha256(np.packbits(answer).tobytes()).hexdigest()[:16]
    names = sorted(answer.column_names)
    plain = pa.table({name: _plain(answer[name]) for name in names}).sort_by(
        [(name, "ascending") for name in names]
    )
    found = hashlib.sha256(str(names).encode())
    for name in names:
        found.update(
            str(plain[name].to_pylist()).encode() if plain[name].type == pa.string() else plain[name].to_numpy()
        )
    return found.hexdigest()[:16]


def binarised(pairs: pa.Table, roots: list[int]) -> npt.NDArray[np.bool_]:
    """The dense matrix of connected pairs, in the order of `roots`: what engines without one of their own do."""
    order = np.argsort(roots)
    ordered = np.asarray(roots)[order]
    matrix = np.zeros((len(roots), len(roots)), bool)
    rows, columns = (
        order[np.searchsorted(ordered, pairs[f"{side}_pt_root_id"].to_numpy())] for side in ("pre", "post")
    )
    matrix[rows, columns] = True
    np.fill_diagonal(matrix, False)
    return matrix


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(values.type):
        return pc.round(values.cast(pa.float64()), 6)
    if pa.types.is_integer(values.type) or pa.types.is_decimal(values.type):
        return values.cast(pa.int64())
    return values.cast(pa.string())
