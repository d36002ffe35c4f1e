"""The questions in SQL as any database takes them: tables `synapses` (the core columns) and `cells`, indexed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa

from tests.benchmarks import postgres
from tests.benchmarks.questions import COLUMNS, CORE, Asked, binarised
from warehouse.storage.quoting import text_literal

CELLS = {"pt_root_id": "BIGINT", "cell_type": "TEXT"}
"""One row for each cell that is alone on its segment; its type, or ''."""
INDEXES = {
    "id": "CREATE UNIQUE INDEX synapses_id ON synapses (id)",
    "post": "CREATE INDEX synapses_post ON synapses (post_pt_root_id)",
    "pre": "CREATE INDEX synapses_pre ON synapses (pre_pt_root_id)",
}
SPARSE = {"id": "CREATE INDEX synapses_id ON synapses USING brin (id)"}
"""Where the disk is too small: of rows that lie in the order of ids, this index is nearly as good."""
PATIENCE = 180
"""Seconds after which PostgreSQL gives a query up."""
_PAIR = {"pre_pt_root_id": "BIGINT", "post_pt_root_id": "BIGINT"}
_BETWEEN_CELLS = (
    "FROM synapses AS s JOIN cells AS a ON a.pt_root_id = s.pre_pt_root_id "
    "JOIN cells AS b ON b.pt_root_id = s.post_pt_root_id WHERE s.pre_pt_root_id <> s.post_pt_root_id"
)
_DEGREE = (
    "SELECT {side}_pt_root_id AS root, count(*) AS n FROM synapses JOIN cells ON pt_root_id = {side}_pt_root_id "
    "WHERE pre_pt_root_id <> post_pt_root_id AND {other}_pt_root_id NOT IN (0, 1) GROUP BY 1"
)


def query(question: str, asked: Asked) -> tuple[str, dict[str, str]]:
    """A question as SQL, and the columns of its answer with their types."""
    hundred, some, proofread = map(_listed, (asked.hundred, asked.some, asked.proofread))
    return {
        "synapse": lambda: (_core(f"id = {asked.synapse}"), CORE),
        "inputs": lambda: (_core(f"post_pt_root_id = {asked.cell}"), CORE),
        "outputs": lambda: (_core(f"pre_pt_root_id = {asked.axon}"), CORE),
        "inputs_of_100": lambda: (_core(f"post_pt_root_id IN ({hundred})"), CORE),
        "outputs_of_100": lambda: (_core(f"pre_pt_root_id IN ({hundred})"), CORE),
        "synapses_among_100": lambda: (_core(_among(hundred)), CORE),
        "connections_among_100": lambda: (
            "SELECT pre_pt_root_id, post_pt_root_id, CAST(count(*) AS BIGINT) AS n_syn, "
            f"CAST(sum(size) AS BIGINT) AS sum_size FROM synapses WHERE {_among(hundred)} "
            "AND pre_pt_root_id <> post_pt_root_id GROUP BY 1, 2",
            _PAIR | {"n_syn": "BIGINT", "sum_size": "BIGINT"},
        ),
        "mean_input_size": lambda: (
            "SELECT post_pt_root_id, CAST(avg(size) AS DOUBLE PRECISION) AS mean_size FROM synapses "
            f"WHERE post_pt_root_id IN ({hundred}) GROUP BY 1",
            {"post_pt_root_id": "BIGINT", "mean_size": "DOUBLE PRECISION"},
        ),
        "connections_of_cells": lambda: (
            "SELECT count(*) AS n_pairs, CAST(sum(n) AS BIGINT) AS n_syn FROM (SELECT pre_pt_root_id, "
            f"post_pt_root_id, count(*) AS n {_BETWEEN_CELLS} GROUP BY 1, 2) AS pairs",
            {"n_pairs": "BIGINT", "n_syn": "BIGINT"},
        ),
        "box": lambda: (_core(_inside(asked)), CORE),
        "set": lambda: (_core(_among(some)), CORE),
        "type_matrix": lambda: (
            "SELECT a.cell_type AS pre_cell_type, b.cell_type AS post_cell_type, count(*) AS n_syn, "
            f"CAST(sum(s.size) AS BIGINT) AS sum_size {_BETWEEN_CELLS} AND a.cell_type IN ({_texts(asked.types)}) "
            f"AND b.cell_type IN ({_texts(asked.types)}) GROUP BY 1, 2",
            {"pre_cell_type": "TEXT", "post_cell_type": "TEXT", "n_syn": "BIGINT", "sum_size": "BIGINT"},
        ),
        "degrees": lambda: (
            "SELECT c.pt_root_id, coalesce(i.n, 0) AS n_input_syn, coalesce(o.n, 0) AS n_output_syn "
            "FROM cells AS c "
            f"LEFT JOIN ({_DEGREE.format(side='post', other='pre')}) AS i ON i.root = c.pt_root_id "
            f"LEFT JOIN ({_DEGREE.format(side='pre', other='post')}) AS o ON o.root = c.pt_root_id",
            {"pt_root_id": "BIGINT", "n_input_syn": "BIGINT", "n_output_syn": "BIGINT"},
        ),
        "binary_matrix": lambda: (
            f"SELECT DISTINCT pre_pt_root_id, post_pt_root_id FROM synapses WHERE {_among(proofread)}",
            _PAIR,
        ),
    }[question]()


class Database:
    """What PostgreSQL and SQLite share: ask in SQL, and arrange the answer like everybody else's."""

    def ask(self, question: str, asked: Asked) -> pa.Table | npt.NDArray[np.bool_]:
        """The answer to a question."""
        rows = self._rows(*query(question, asked))
        return binarised(rows, asked.proofread) if question == "binary_matrix" else rows

    def _rows(self, query: str, columns: dict[str, str]) -> pa.Table:
        raise NotImplementedError


class Postgres(Database):
    """A running server, asked through binary COPY, which is its fastest way out."""

    def __init__(self, folder: Path) -> None:
        self._connection = postgres.connect(folder)
        self._connection.execute(f"SET statement_timeout = '{PATIENCE}s'")

    def _rows(self, query: str, columns: dict[str, str]) -> pa.Table:
        try:
            return postgres.select(self._connection, query, columns)
        except psycopg.errors.QueryCanceled as error:
            raise TimeoutError from error


class Sqlite(Database):
    """Python's own SQLite on a file."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "synapses.sqlite")
        self._connection.execute("PRAGMA cache_size = -1000000")
        self._connection.execute("PRAGMA mmap_size = 8000000000")

    def _rows(self, query: str, columns: dict[str, str]) -> pa.Table:
        rows = self._connection.execute(query.replace("DOUBLE PRECISION", "REAL")).fetchall()
        return pa.table(dict(zip(columns, map(pa.array, zip(*rows, strict=True)), strict=True)) if rows else {})


def fill_sqlite(folder: Path, batches: Iterable[pa.Table], cells: pa.Table) -> None:
    """Make the database file, rows first, then indexes."""
    connection = sqlite3.connect(folder / "synapses.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    connection.execute("BEGIN")
    for table, columns, parts in (("synapses", CORE, batches), ("cells", CELLS, [cells])):
        connection.execute(
            f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
        )
        marks = ", ".join("?" * len(columns))
        for part in parts:
            rows = zip(*(part[name].to_pylist() for name in columns), strict=True)
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    for statement in (*INDEXES.values(), "CREATE UNIQUE INDEX cells_root ON cells (pt_root_id)", "ANALYZE"):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()


def _core(condition: str) -> str:
    return f"SELECT {COLUMNS} FROM synapses WHERE {condition}"


def _among(roots: str) -> str:
    return f"pre_pt_root_id IN ({roots}) AND post_pt_root_id IN ({roots})"


def _inside(asked: Asked) -> str:
    bounds = zip("xyz", asked.box[:3], asked.box[3:], strict=True)
    return " AND ".join(
        f"ctr_pt_position_{axis} >= {low} AND ctr_pt_position_{axis} < {high}" for axis, low, high in bounds
    )


def _listed(roots: Iterable[int]) -> str:
    return ", ".join(map(str, roots))


def _texts(values: Iterable[str]) -> str:
    return ", ".join(text_literal(value) for value in values)
