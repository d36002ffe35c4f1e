"""What `microns diff` prints: how two local versions differ, from the views that compare them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb

from warehouse.commands.render import table_text
from warehouse.errors import UsageError
from warehouse.query.session import Warehouse, connect
from warehouse.storage.paths import Folder

_OF_PAIR = "version_a = $a AND version_b = $b"
_SECTIONS = (
    (
        "Cells, by what edits did to their root (root_id_changes). Moved: the look-up point is another one.",
        "WITH changes AS (SELECT nucleus_id, kind, is_same_supervoxel FROM root_id_changes "
        f"WHERE {_OF_PAIR}), known AS (SELECT count(DISTINCT nucleus_id) AS n FROM id_map "
        "WHERE version IN ($a, $b)) SELECT kind, count(*) AS cells, "
        "count(*) FILTER (WHERE NOT is_same_supervoxel) AS moved FROM changes GROUP BY kind "
        "UNION ALL SELECT 'kept', n - (SELECT count(*) FROM changes), 0 FROM known ORDER BY cells DESC, kind",
    ),
    (
        "Tables (table_changes); rows are the same if they have the same key.",
        "SELECT table_name, change, n_rows_a AS rows_a, n_rows_b AS rows_b, n_rows_added AS added, "
        f"n_rows_removed AS removed, n_rows_changed AS changed FROM table_changes WHERE {_OF_PAIR} "
        "AND change <> 'same' ORDER BY table_name",
    ),
    (
        "Proofreading of cells (proofreading_changes).",
        "SELECT change, strategy_axon_a, strategy_axon_b, count(*) AS cells FROM proofreading_changes "
        f"WHERE {_OF_PAIR} GROUP BY ALL ORDER BY cells DESC, change",
    ),
    (
        "Synapses of the cells whose root changed (cell_synapse_changes), in all and of those that changed most.",
        "WITH each AS (SELECT * EXCLUDE (version_a, version_b), coalesce(n_input_syn_gained, 0) "
        "+ coalesce(n_input_syn_lost, 0) + coalesce(n_output_syn_gained, 0) "
        "+ coalesce(n_output_syn_lost, 0) AS n_changed "
        f"FROM cell_synapse_changes WHERE {_OF_PAIR}) "
        "(SELECT 'all ' || count(*) || ' cells' AS cell, sum(COLUMNS(* EXCLUDE (nucleus_id)))::BIGINT FROM each "
        "HAVING count(*) > 0) UNION ALL (SELECT nucleus_id::VARCHAR, * EXCLUDE (nucleus_id) FROM each "
        "WHERE n_changed > 0 ORDER BY n_changed DESC, nucleus_id LIMIT 10)",
    ),
    (
        "Roots of any segment that became others (root_lineage).",
        "SELECT count(DISTINCT pt_root_id_a) AS old_roots, count(DISTINCT pt_root_id_b) AS new_roots, "
        "count(*) FILTER (WHERE n_heirs > 1) AS parts_of_split_roots, sum(n_sides)::BIGINT AS sides_of_synapses "
        "FROM (SELECT *, count(*) OVER (PARTITION BY pt_root_id_a) AS n_heirs FROM root_lineage "
        "WHERE version_a = $a AND version_b = $b) HAVING count(*) > 0",
    ),
)
"""Title and query."""


def diff(folder: Folder, one: int, other: int) -> Iterator[str]:
    """How two versions differ, section by section, as text.

    Args:
        folder: of the datastack.
        one: a version.
        other: another one, earlier or later.

    Raises:
        SnapshotNotFound: one of them is not here.
        UsageError: they are the same.
    """
    if one == other:
        raise UsageError(f"version {one} does not differ from itself; name two versions")
    for version in (one, other):
        folder.require_version(version)
    a, b = sorted((one, other))
    with connect(b, folder.path.parent, folder.datastack) as warehouse:
        for title, query in _SECTIONS:
            yield f"{title}\n{_answer(warehouse, query, a, b)}"


def _answer(warehouse: Warehouse, query: str, a: int, b: int) -> str:
    try:
        relation = warehouse.sql(query, a=a, b=b)
        rows = relation.fetchall()
    except duckdb.InvalidInputException as error:  # a view that refuses says why
        return str(error).removeprefix("Invalid Input Error: ")
    names = [re.sub(r"_([ab])$", lambda of: f"_v{(a, b)[of[1] == 'b']}", name) for name in relation.columns]
    return table_text(names, rows) if rows else "nothing, or not known"
