"""Connections between two lists of cells as an array; pairs without a synapse cost nothing on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.errors import UsageError

Ids = npt.NDArray[np.int64]

_VALUES: dict[str, tuple[str, type[np.generic]]] = {
    "n_syn": ("count(*)", np.int64),
    "sum_size": ("sum(s.size)::BIGINT", np.int64),
    "mean_size": ("avg(s.size)", np.float64),
    "connected": ("true", np.bool_),
}
_MOST_PAIRS = 10**9
"""What an array that is not sparse may hold: gigabytes, nearly all of them zero."""


def matrix(
    cursor: duckdb.DuckDBPyConnection,
    pre_ids: Sequence[Any],
    post_ids: Sequence[Any],
    *,
    values: str,
    min_syn: int,
    min_size: float,
    sparse: bool,
) -> tuple[Any, Ids, Ids]:
    """What `Warehouse.matrix` returns, of plain lists; the cursor's search path names the version."""
    if values not in _VALUES:
        raise UsageError(f"a matrix cannot hold {values!r}; it holds one of {', '.join(_VALUES)}")
    if not sparse and len(pre_ids) * len(post_ids) > _MOST_PAIRS:
        raise UsageError(f"{len(pre_ids):,} x {len(post_ids):,} pairs are too many for an array; pass sparse=True")
    expression, dtype = _VALUES[values]
    try:
        known = _known(cursor, pre_ids, post_ids)
        pre, post = _axis(known, pre_ids, "pre_ids"), _axis(known, post_ids, "post_ids")
        # Cells and proofread axons are found in the rows sorted by axon, orphan pieces in the whole table only.
        are_senders = all(known[each][1] is not None for each in pre.tolist())
        source, by_bucket = ("_axon_synapses", " AND a.b = s.b") if are_senders else ("synapses_pni_2", "")
        for name, ids in (("_pre", pre), ("_post", post)):
            _create_side(cursor, name, [known[each] for each in ids.tolist()])
        found = cursor.execute(
            f"""
            SELECT a.place AS pre, b.place AS post, {expression} AS value
            FROM {source} AS s
            JOIN _pre AS a ON a.root = s.pre_pt_root_id{by_bucket}
            JOIN _post AS b ON b.root = s.post_pt_root_id
            WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.size >= $min_size
            GROUP BY a.place, b.place
            HAVING count(*) >= $min_syn
            """,
            {"min_size": min_size, "min_syn": min_syn},
        ).fetchnumpy()
    except duckdb.InvalidInputException as error:
        raise UsageError(str(error).removeprefix("Invalid Input Error: ")) from error
    return _filled(found, (len(pre), len(post)), dtype, sparse), pre, post


def _known(
    cursor: duckdb.DuckDBPyConnection, pre_ids: Sequence[Any], post_ids: Sequence[Any]
) -> dict[int, tuple[int, int | None]]:
    """Of each id its segment and the bucket of its outputs, None for a piece; a wrong id raises DuckDB's error."""
    rows = cursor.execute(
        """
        SELECT
            c.id,
            CASE
                WHEN c.problem IS NULL
                    THEN _in_scope(
                        c.root, c.n_nuclei, c.axon_proofread OR p.id IS NULL,
                        f.pt_root_id IS NOT NULL OR p.id IS NULL
                    )
                ELSE error(c.problem)
            END,
            CASE WHEN c.is_sender THEN _axon_bucket(c.root, c.axon_proofread) END
        FROM _checked($ids) AS c
        LEFT JOIN _ids($pre_ids) AS p ON p.id = c.id
        LEFT JOIN _complete_roots AS f ON f.pt_root_id = c.root
        """,
        {"ids": [*pre_ids, *post_ids], "pre_ids": pre_ids},
    ).fetchall()
    return {each: (root, bucket) for each, root, bucket in rows}


def _axis(known: dict[int, tuple[int, int | None]], given: Sequence[Any], name: str) -> Ids:
    """The ids of one side as they were given; a segment may be there only once."""
    first: dict[int, int] = {}
    for each in map(int, given):
        root = known[each][0]
        if root in first:
            raise UsageError(
                f"{name} holds the segment {root} twice (as {first[root]} and as {each}), and its synapses would "
                "count twice; pass each cell once and leave out merged cells (the view multi_soma_roots)"
            )
        first[root] = each
    return np.fromiter(first.values(), dtype=np.int64, count=len(first))


def _create_side(cursor: duckdb.DuckDBPyConnection, name: str, side: list[tuple[int, int | None]]) -> None:
    """A table of one side: its size tells the planner to look up these roots instead of reading all synapses."""
    roots, buckets = zip(*side, strict=True) if side else ((), ())
    columns = {"root": pa.array(roots, pa.int64()), "b": pa.array(buckets, pa.int32())}
    cursor.register(f"{name}_given", pa.table(columns | {"place": np.arange(len(side), dtype=np.int64)}))
    cursor.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_given")


def _filled(found: Mapping[str, Any], shape: tuple[int, int], dtype: type[np.generic], sparse: bool) -> Any:
    """The array, or scipy's, out of rows, columns and values."""
    values = found["value"].astype(dtype)
    if sparse:
        try:
            from scipy.sparse import csr_array
        except ImportError as error:
            raise UsageError(
                "sparse=True needs the package scipy; install it with: pip install 'microns-warehouse[sparse]'"
            ) from error
        return csr_array((values, (found["pre"], found["post"])), shape=shape)
    array = np.zeros(shape, dtype=dtype)
    array[found["pre"], found["post"]] = values
    return array
