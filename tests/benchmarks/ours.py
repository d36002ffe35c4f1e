"""The warehouse's answers, as a user would ask for them, and what its files would allow at best."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

import warehouse
from tests.benchmarks.questions import COLUMNS, CORE, Asked

Answer: TypeAlias = pa.Table | npt.NDArray[np.bool_]

SQL = {
    "synapse": f"SELECT {COLUMNS} FROM synapses WHERE id = $synapse",
    "inputs": f"SELECT {COLUMNS} FROM input_synapses($cell)",
    "inputs: inner query": f"SELECT {COLUMNS} FROM _rows_onto "
    "WHERE b = _bucket_of($cell) AND post_pt_root_id = $cell",
    "inputs: plain view": f"SELECT {COLUMNS} FROM synapses WHERE post_pt_root_id = $cell",
    "outputs": f"SELECT {COLUMNS} FROM output_synapses($axon)",
    "outputs: scan": f"SELECT {COLUMNS} FROM synapses_pni_2 WHERE pre_pt_root_id = $axon",
    "inputs_of_100": f"SELECT {COLUMNS} FROM input_synapses($hundred)",
    "outputs_of_100": f"SELECT {COLUMNS} FROM output_synapses($hundred)",
    "synapses_among_100": f"SELECT {COLUMNS} FROM synapses_between($hundred, $hundred)",
    "connections_among_100": "SELECT pre_pt_root_id, post_pt_root_id, n_syn, sum_size FROM cell_connections "
    "WHERE pre_pt_root_id IN $hundred AND post_pt_root_id IN $hundred",
    "connections_among_100: from synapses": "SELECT pre_pt_root_id, post_pt_root_id, count(*) AS n_syn, "
    "sum(size)::BIGINT AS sum_size FROM synapses_between($hundred, $hundred) WHERE NOT is_autapse GROUP BY ALL",
    "mean_input_size": "SELECT post_pt_root_id, avg(size) AS mean_size FROM input_synapses($hundred) GROUP BY ALL",
    "connections_of_cells": "SELECT count(*) AS n_pairs, sum(n_syn)::BIGINT AS n_syn FROM cell_connections",
    "box": f"SELECT {COLUMNS} FROM synapses_in_box($x0, $y0, $z0, $x1, $y1, $z1, unit := 'voxel')",
    "box: scan": f"SELECT {COLUMNS} FROM synapses_pni_2 WHERE "
    + " AND ".join(f"ctr_pt_position_{axis} >= ${axis}0 AND ctr_pt_position_{axis} < ${axis}1" for axis in "xyz"),
    "set": f"SELECT {COLUMNS} FROM synapses_between($some, $some)",
    "type_matrix": "SELECT pre_cell_type, post_cell_type, sum(n_syn)::BIGINT AS n_syn, "
    "sum(sum_size)::BIGINT AS sum_size FROM cell_connections "
    "WHERE pre_cell_type IN $types AND post_cell_type IN $types GROUP BY ALL",
    "degrees": "SELECT pt_root_id, n_input_syn, n_output_syn FROM in_out_degree WHERE n_nuclei_on_root = 1",
}
"""Question, or question with another way to ask it -> query."""


class Ours:
    """A session on a warehouse."""

    def __init__(self, folder: Path) -> None:
        self._wh = warehouse.connect(root=folder)

    def ask(self, question: str, asked: Asked) -> Answer:
        """The answer to a question, or to a question asked in another way."""
        if question in SQL:
            values = asked.as_dict() | dict(zip(("x0", "y0", "z0", "x1", "y1", "z1"), asked.box, strict=True))
            used = {name: value for name, value in values.items() if f"${name}" in SQL[question]}
            return self._wh.sql(SQL[question], **used).to_arrow_table()
        other: dict[str, Callable[[Asked], Answer]] = {
            "inputs: fetched from a cursor": lambda asked: self._fetched(f"input_synapses({asked.cell})"),
            "outputs: fetched from a cursor": lambda asked: self._fetched(f"output_synapses({asked.axon})"),
            "inputs: one file": self._one_file,
            "inputs: polars": self._scan,
            "inputs: polars on one file": self._scan_one_file,
            "binary_matrix": self._matrix,
        }
        return other[question](asked)

    def _fetched(self, call: str) -> pa.Table:
        """As the DuckDB shell asks: planned once, where a relation is planned to know its columns too."""
        return self._wh.cursor().execute(f"SELECT {COLUMNS} FROM {call}").to_arrow_table()

    def _scan(self, asked: Asked) -> pa.Table:
        rows = self._wh.scan("synapses").filter(pl.col("post_pt_root_id") == asked.cell)
        return rows.select(*CORE).collect().to_arrow()

    def _one_file(self, asked: Asked) -> pa.Table:
        query = (
            f"SELECT {COLUMNS} FROM read_parquet('{self._file(asked.cell)}') WHERE post_pt_root_id = {asked.cell}"
        )
        return duckdb.execute(query).to_arrow_table()

    def _scan_one_file(self, asked: Asked) -> pa.Table:
        rows = pl.scan_parquet(self._file(asked.cell)).filter(pl.col("post_pt_root_id") == asked.cell)
        return rows.select(*CORE).collect().to_arrow()

    def _matrix(self, asked: Asked) -> npt.NDArray[np.bool_]:
        connected: npt.NDArray[np.bool_] = self._wh.matrix(asked.proofread, values="connected")[0]
        return connected

    def _file(self, root: int) -> Path:
        """The one file that holds the inputs of a root."""
        entry = self._wh.manifest.tables["synapses_pni_2"]
        bucket = bisect_right(entry.bounds or [], root)
        (path,) = (file.path for file in entry.files if f"b={bucket}/" in file.path)
        return self._wh.path / f"v{self._wh.version}" / path
