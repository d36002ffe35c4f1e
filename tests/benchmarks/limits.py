"""The physical limit of a query: the bytes that it cannot do without, at the rate at which they can be unpacked.

Bytes are those of the columns that the answer depends on, in the row groups whose smallest and largest key do not
rule them out. The rate is measured: DuckDB unpacking the same columns of the same table, on all cores; one row
group is the work of one core.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq

from tests.benchmarks.questions import CORE, Asked
from warehouse.query.session import Warehouse
from warehouse.storage.manifest import TableEntry

PRE, POST = "pre_pt_root_id", "post_pt_root_id"
SYNAPSES, AXONS, PAIRS, DEGREES = "synapses_pni_2", "_axon_synapses", "_cell_connections", "in_out_degree"
_MEASURED_FILES = 8
"""Of a table in many files: enough for a rate."""
_AGAIN = 3


@dataclass(frozen=True)
class Limit:
    """What a query cannot do without.

    Attributes:
        stored: the table or stored view that it reads.
        size: bytes.
        seconds: in which they can be unpacked.
    """

    stored: str
    size: int
    seconds: float


def limits(wh: Warehouse, asked: Asked) -> dict[str, Limit]:
    """The limit of every question."""
    folder = wh.path / f"v{wh.version}"
    found = {}
    rates: dict[tuple[str, tuple[str, ...]], float] = {}
    for question, (name, columns, key, values) in _needs(asked).items():
        entry = (wh.manifest.tables | wh.manifest.stored_views).get(name)
        if entry is None:
            continue
        if (name, tuple(columns)) not in rates:
            rates[name, tuple(columns)] = _rate(folder, entry, columns)
        sizes = list(_groups(folder, entry, columns, key, _by_bucket(wh, name, values)))
        cores = min(os.cpu_count() or 1, max(1, len(sizes)))
        rate = rates[name, tuple(columns)] * cores / (os.cpu_count() or 1)
        found[question] = Limit(name, sum(sizes), sum(sizes) / rate)
    return found


def _needs(asked: Asked) -> dict[str, tuple[str, Sequence[str], str, Sequence[int]]]:
    """Question -> where its rows are, the columns it needs, and the values of which column rule groups out."""
    core = tuple(CORE)
    return {
        "inputs": (SYNAPSES, core, POST, [asked.cell]),
        "outputs": (AXONS, core, PRE, [asked.axon]),
        "inputs_of_100": (SYNAPSES, core, POST, asked.hundred),
        "outputs_of_100": (AXONS, core, PRE, asked.hundred),
        "synapses_among_100": (AXONS, core, PRE, asked.hundred),
        "connections_among_100": (PAIRS, (PRE, POST, "n_syn", "sum_size"), PRE, asked.hundred),
        "mean_input_size": (SYNAPSES, (POST, "size"), POST, asked.hundred),
        "connections_of_cells": (PAIRS, ("n_syn",), PRE, []),
        "set": (AXONS, core, PRE, asked.some),
        "type_matrix": (PAIRS, ("pre_cell_type", "post_cell_type", "n_syn", "sum_size"), PRE, []),
        "degrees": (DEGREES, ("pt_root_id", "n_input_syn", "n_output_syn"), "pt_root_id", []),
        "binary_matrix": (AXONS, (PRE, POST), PRE, asked.proofread),
    }


def _by_bucket(wh: Warehouse, name: str, values: Sequence[int]) -> Callable[[str], Sequence[int]]:
    """For the path of a file, which of the values its bucket may hold."""
    if name != AXONS:
        return lambda _: values
    found = defaultdict(list)
    query = "SELECT root, unnest(_buckets_from(root, is_sender, axon_proofread)) FROM _checked($ids)"
    for root, bucket in wh.sql(query, ids=list(values)).fetchall():
        found[f"b={bucket}"].append(root)
    return lambda path: found[Path(path).parent.name]


def _groups(
    folder: Path, entry: TableEntry, columns: Sequence[str], key: str, values_of: Callable[[str], Sequence[int]]
) -> Iterator[int]:
    """Bytes of the columns in each row group that may hold one of the values, or in each if there are none."""
    asked = any(len(values_of(file.path)) for file in entry.files)
    for file in entry.files:
        ordered = np.sort(np.asarray(values_of(file.path), np.int64))
        if asked and not len(ordered):
            continue
        metadata = pq.read_metadata(folder / file.path)
        names = [metadata.schema.column(index).path for index in range(metadata.num_columns)]
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            if len(ordered):
                range_ = group.column(names.index(key)).statistics
                if np.searchsorted(ordered, range_.min) == np.searchsorted(ordered, range_.max, side="right"):
                    continue
            yield sum(group.column(names.index(name)).total_compressed_size for name in columns)


def _rate(folder: Path, entry: TableEntry, columns: Sequence[str]) -> float:
    """Bytes a second at which DuckDB unpacks columns."""
    paths = [folder / file.path for file in entry.files][:: max(1, len(entry.files) // _MEASURED_FILES)]
    size = sum(_sizes(paths, columns))
    # The cheapest that needs every value; a largest value might be taken from the files' statistics.
    each = [f"bit_xor({f'strlen({name})' if entry.columns[name] == 'VARCHAR' else name})" for name in columns]
    query = f"SELECT {', '.join(each)} FROM read_parquet({list(map(str, paths))})"
    seconds = []
    for _ in range(_AGAIN + 1):
        begin = time.perf_counter()
        duckdb.execute(query).fetchall()
        seconds.append(time.perf_counter() - begin)
    return size / statistics.median(seconds[1:])


def _sizes(paths: Iterable[Path], columns: Sequence[str]) -> Iterator[int]:
    for path in paths:
        metadata = pq.read_metadata(path)
        names = [metadata.schema.column(index).path for index in range(metadata.num_columns)]
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            yield sum(group.column(names.index(name)).total_compressed_size for name in columns)
