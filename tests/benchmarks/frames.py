"""Data frames and files as people use them today: pandas over Feather and CSV, polars over Parquet, Delta Lake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather

from tests.benchmarks.questions import CORE, Asked, binarised

PRE, POST = "pre_pt_root_id", "post_pt_root_id"
_POSITION = "ctr_pt_position_"


class Pandas:
    """The whole table in memory, read from one file in each session."""

    def __init__(self, folder: Path) -> None:
        self._synapses = self._read(folder)
        self._cells = pd.read_feather(folder / "cells.feather").set_index("pt_root_id")["cell_type"]

    def _read(self, folder: Path) -> pd.DataFrame:
        return pd.read_feather(folder / "synapses.feather")

    def ask(self, question: str, asked: Asked) -> pa.Table | npt.NDArray[np.bool_]:
        """The answer to a question."""
        answer = getattr(self, f"_{question}")(asked)
        return answer if isinstance(answer, np.ndarray) else pa.Table.from_pandas(answer, preserve_index=False)

    def _synapse(self, asked: Asked) -> pd.DataFrame:
        return self._synapses[self._synapses["id"] == asked.synapse]

    def _inputs(self, asked: Asked) -> pd.DataFrame:
        return self._synapses[self._synapses[POST] == asked.cell]

    def _outputs(self, asked: Asked) -> pd.DataFrame:
        return self._synapses[self._synapses[PRE] == asked.axon]

    def _inputs_of_100(self, asked: Asked) -> pd.DataFrame:
        return self._synapses[self._synapses[POST].isin(asked.hundred)]

    def _outputs_of_100(self, asked: Asked) -> pd.DataFrame:
        return self._synapses[self._synapses[PRE].isin(asked.hundred)]

    def _among(self, roots: list[int]) -> pd.DataFrame:
        some = self._synapses[self._synapses[PRE].isin(roots)]
        return some[some[POST].isin(roots)]

    def _synapses_among_100(self, asked: Asked) -> pd.DataFrame:
        return self._among(asked.hundred)

    def _set(self, asked: Asked) -> pd.DataFrame:
        return self._among(asked.some)

    def _connections_among_100(self, asked: Asked) -> pd.DataFrame:
        pairs = self._among(asked.hundred)
        grouped = pairs[pairs[PRE] != pairs[POST]].groupby([PRE, POST])["size"]
        return grouped.agg(n_syn="count", sum_size="sum").reset_index()

    def _mean_input_size(self, asked: Asked) -> pd.DataFrame:
        return self._inputs_of_100(asked).groupby(POST)["size"].mean().rename("mean_size").reset_index()

    def _box(self, asked: Asked) -> pd.DataFrame:
        inside = np.ones(len(self._synapses), bool)
        for axis, low, high in zip("xyz", asked.box[:3], asked.box[3:], strict=True):
            place = self._synapses[_POSITION + axis].to_numpy()
            inside &= (place >= low) & (place < high)
        return self._synapses[inside]

    def _of_cells(self) -> pd.DataFrame:
        s = self._synapses
        return s[s[PRE].isin(self._cells.index) & s[POST].isin(self._cells.index) & (s[PRE] != s[POST])]

    def _connections_of_cells(self, asked: Asked) -> pd.DataFrame:
        counts = self._of_cells().groupby([PRE, POST]).size()
        return pd.DataFrame({"n_pairs": [len(counts)], "n_syn": [counts.sum()]})

    def _type_matrix(self, asked: Asked) -> pd.DataFrame:
        s = self._of_cells()
        typed = pd.DataFrame(
            {
                "pre_cell_type": s[PRE].map(self._cells),
                "post_cell_type": s[POST].map(self._cells),
                "size": s["size"],
            }
        )
        typed = typed[typed["pre_cell_type"].isin(asked.types) & typed["post_cell_type"].isin(asked.types)]
        grouped = typed.groupby(["pre_cell_type", "post_cell_type"])["size"]
        return grouped.agg(n_syn="count", sum_size="sum").reset_index()

    def _degrees(self, asked: Asked) -> pd.DataFrame:
        s = self._synapses[self._synapses[PRE] != self._synapses[POST]]
        counts = {}
        for column, side, other in (("n_input_syn", POST, PRE), ("n_output_syn", PRE, POST)):
            chosen = s[side].isin(self._cells.index) & ~s[other].isin([0, 1])
            counts[column] = s.loc[chosen, side].value_counts().reindex(self._cells.index, fill_value=0)
        return pd.DataFrame(counts).rename_axis("pt_root_id").reset_index()

    def _binary_matrix(self, asked: Asked) -> npt.NDArray[np.bool_]:
        return binarised(pa.Table.from_pandas(self._among(asked.proofread)), asked.proofread)


class PandasCsv(Pandas):
    """The same from a CSV file."""

    def _read(self, folder: Path) -> pd.DataFrame:
        return pd.read_csv(folder / "synapses.csv", dtype=dict.fromkeys(CORE, "int64"))


class CsvScan(Pandas):
    """The CSV file read piece by piece for each question, and only what matches kept: no table in memory."""

    answers = ("inputs", "outputs", "set")

    def __init__(self, folder: Path) -> None:
        self._file = folder / "synapses.csv"

    def ask(self, question: str, asked: Asked) -> pa.Table | npt.NDArray[np.bool_]:
        found = []
        for piece in pd.read_csv(self._file, chunksize=1_000_000):
            self._synapses = piece
            found.append(super().ask(question, asked))
        return pa.concat_tables(found)


class Polars:
    """polars over plain Parquet in the order of ids."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cells = pl.read_ipc(folder / "cells.feather")

    def _scan(self, by: str) -> pl.LazyFrame:
        """The synapses; `by` says what the question filters by, for who has more than one copy."""
        return pl.scan_parquet(self._folder / "synapses.parquet")

    def ask(self, question: str, asked: Asked) -> pa.Table | npt.NDArray[np.bool_]:
        """The answer to a question."""
        answer: pl.LazyFrame = getattr(self, f"_{question}")(asked)
        rows = answer.collect(engine="streaming").to_arrow()
        return binarised(rows, asked.proofread) if question == "binary_matrix" else rows

    def _synapse(self, asked: Asked) -> pl.LazyFrame:
        return self._scan("id").filter(pl.col("id") == asked.synapse)

    def _inputs(self, asked: Asked) -> pl.LazyFrame:
        return self._scan(POST).filter(pl.col(POST) == asked.cell)

    def _outputs(self, asked: Asked) -> pl.LazyFrame:
        return self._scan(PRE).filter(pl.col(PRE) == asked.axon)

    def _inputs_of_100(self, asked: Asked) -> pl.LazyFrame:
        return self._scan(POST).filter(pl.col(POST).is_in(asked.hundred))

    def _outputs_of_100(self, asked: Asked) -> pl.LazyFrame:
        return self._scan(PRE).filter(pl.col(PRE).is_in(asked.hundred))

    def _among(self, roots: list[int]) -> pl.LazyFrame:
        return self._scan(PRE).filter(pl.col(PRE).is_in(roots) & pl.col(POST).is_in(roots))

    def _synapses_among_100(self, asked: Asked) -> pl.LazyFrame:
        return self._among(asked.hundred)

    def _set(self, asked: Asked) -> pl.LazyFrame:
        return self._among(asked.some)

    def _connections_among_100(self, asked: Asked) -> pl.LazyFrame:
        return self._pairs(self._among(asked.hundred).filter(pl.col(PRE) != pl.col(POST)), [PRE, POST])

    def _mean_input_size(self, asked: Asked) -> pl.LazyFrame:
        return self._inputs_of_100(asked).group_by(POST).agg(pl.col("size").mean().alias("mean_size"))

    def _box(self, asked: Asked) -> pl.LazyFrame:
        bounds = zip("xyz", asked.box[:3], asked.box[3:], strict=True)
        inside = [pl.col(_POSITION + axis).is_between(low, high, closed="left") for axis, low, high in bounds]
        return self._scan("position").filter(*inside)

    def _of_cells(self) -> pl.LazyFrame:
        cells = self._cells.lazy().with_columns(pl.col("cell_type").cast(pl.Categorical))
        s = self._scan("all").filter(pl.col(PRE) != pl.col(POST))
        s = s.join(cells.rename({"pt_root_id": PRE, "cell_type": "pre_cell_type"}), on=PRE)
        return s.join(cells.rename({"pt_root_id": POST, "cell_type": "post_cell_type"}), on=POST)

    def _connections_of_cells(self, asked: Asked) -> pl.LazyFrame:
        pairs = self._pairs(self._of_cells(), [PRE, POST])
        return pairs.select(n_pairs=pl.len(), n_syn=pl.col("n_syn").sum())

    def _type_matrix(self, asked: Asked) -> pl.LazyFrame:
        types = ["pre_cell_type", "post_cell_type"]
        grouped = self._pairs(self._of_cells(), types).with_columns(pl.col(types).cast(pl.String))
        return grouped.filter(pl.all_horizontal(pl.col(types).is_in(asked.types)))

    def _degrees(self, asked: Asked) -> pl.LazyFrame:
        cells = self._cells.lazy().select("pt_root_id")
        for name, side, other in (("n_input_syn", POST, PRE), ("n_output_syn", PRE, POST)):
            s = self._scan("all").filter((pl.col(PRE) != pl.col(POST)) & ~pl.col(other).is_in([0, 1]))
            counts = s.group_by(pl.col(side).alias("pt_root_id")).agg(pl.len().alias(name))
            cells = cells.join(counts, on="pt_root_id", how="left").with_columns(pl.col(name).fill_null(0))
        return cells

    def _binary_matrix(self, asked: Asked) -> pl.LazyFrame:
        return self._among(asked.proofread).select(PRE, POST).unique()

    @staticmethod
    def _pairs(synapses: pl.LazyFrame, by: list[str]) -> pl.LazyFrame:
        return synapses.group_by(by).agg(n_syn=pl.len(), sum_size=pl.col("size").cast(pl.Int64).sum())


class Delta(Polars):
    """Delta Lake as CAVE exports it: the table once for each index, sorted and partitioned by that column."""

    copies = ("id", PRE, POST, "ctr_pt_position_morton")

    def _scan(self, by: str) -> pl.LazyFrame:
        copy = by if by in self.copies else "ctr_pt_position_morton" if by == "position" else "id"
        return pl.scan_delta(str(self._folder / "delta" / copy)).select(
            pl.col(name).cast(pl.Int32) if name == "size" else pl.col(name) for name in CORE
        )
