"""What `microns diff` prints: how two local versions differ, from the views that compare them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import duckdb
from cyclopts import Parameter

from warehouse.commands.options import TABLE, Datastack, Output, Root
from warehouse.commands.render import merged, print_rows, table_text
from warehouse.errors import UsageError
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.paths import Folder

log = logging.getLogger(__name__)

_OF_PAIR = "version_a = $a AND version_b = $b"
_SECTIONS = (
    (
        "cells",
        "Cells, by what edits did to their root (root_id_changes). No segment: in neither version. "
        "Moved: the look-up point is another one.",
        "WITH changes AS (SELECT nucleus_id, kind, is_same_supervoxel FROM root_id_changes "
        f"WHERE {_OF_PAIR}), same AS (SELECT nucleus_id, bool_or(pt_root_id NOT IN (0, 1)) AS has_root "
        "FROM id_map WHERE version IN ($a, $b) AND nucleus_id NOT IN (SELECT nucleus_id FROM changes) "
        "GROUP BY nucleus_id) "
        "SELECT kind, count(*) AS cells, "
        "count(*) FILTER (WHERE NOT is_same_supervoxel) AS moved FROM changes GROUP BY kind "
        "UNION ALL SELECT 'kept', count(*) FILTER (WHERE has_root), 0 FROM same "
        "UNION ALL SELECT 'no segment', count(*), 0 FROM same WHERE NOT has_root HAVING count(*) > 0 "
        "ORDER BY cells DESC, kind",
    ),
    (
        "tables",
        "Tables (table_changes); rows are the same if they have the same key.",
        "SELECT table_name, change, n_rows_a AS rows_a, n_rows_b AS rows_b, n_rows_added AS added, "
        f"n_rows_removed AS removed, n_rows_changed AS changed FROM table_changes WHERE {_OF_PAIR} "
        "AND change <> 'same' ORDER BY table_name",
    ),
    (
        "proofreading",
        "Proofreading of cells (proofreading_changes).",
        "SELECT change, strategy_axon_a, strategy_axon_b, count(*) AS cells FROM proofreading_changes "
        f"WHERE {_OF_PAIR} GROUP BY ALL ORDER BY cells DESC, change",
    ),
    (
        "synapses",
        "Synapses with others of the cells whose root changed (cell_synapse_changes), in all and of those that "
        "changed most.",
        "WITH each AS (SELECT * EXCLUDE (version_a, version_b), coalesce(n_input_syn_gained, 0) "
        "+ coalesce(n_input_syn_lost, 0) + coalesce(n_output_syn_gained, 0) "
        "+ coalesce(n_output_syn_lost, 0) AS n_changed "
        f"FROM cell_synapse_changes WHERE {_OF_PAIR}) "
        "(SELECT 'all ' || count(*) || ' cells' AS cell, sum(COLUMNS(* EXCLUDE (nucleus_id)))::BIGINT FROM each "
        "HAVING count(*) > 0) UNION ALL (SELECT nucleus_id::VARCHAR, * EXCLUDE (nucleus_id) FROM each "
        "WHERE n_changed > 0 ORDER BY n_changed DESC, nucleus_id LIMIT 10)",
    ),
    (
        "roots",
        "Roots of any segment that became others (root_lineage).",
        "SELECT count(DISTINCT pt_root_id_a) AS old_roots, count(DISTINCT pt_root_id_b) AS new_roots, "
        "count(*) FILTER (WHERE n_heirs > 1) AS parts_of_split_roots, sum(n_sides)::BIGINT AS sides_of_synapses "
        "FROM (SELECT *, count(*) OVER (PARTITION BY pt_root_id_a) AS n_heirs FROM root_lineage "
        "WHERE version_a = $a AND version_b = $b) HAVING count(*) > 0",
    ),
)
"""Name, title and query."""


def diff_versions(
    one: Annotated[int, Parameter(help="A version that is here.")],
    other: Annotated[int, Parameter(help="Another one.")],
    /,
    *,
    output: Output = TABLE,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Show how two versions differ: cells, tables, proofreading, synapses and root ids.

    With --csv or --json all of it is one table. Its column `section` is cells, tables, proofreading, synapses or
    roots, and columns that a section does not have are empty.
    """
    form = output.form
    sections = _sections(Folder.of(root, datastack), one, other)
    if form == "table":
        print("\n\n".join(map(str, sections)))
        return
    found = list(sections)
    for section in found:
        if section.refusal:
            log.warning("%s: %s", section.name, section.refusal)
    print_rows(*merged({section.name: (section.columns, section.rows) for section in found}), form)


class _Section(NamedTuple):
    """One table of the comparison; a refusal is the sentence of a view that cannot tell."""

    name: str
    title: str
    columns: list[str]
    rows: list[tuple[Any, ...]]
    refusal: str = ""

    def __str__(self) -> str:
        answer = table_text(self.columns, self.rows) if self.rows else self.refusal or "nothing, or not known"
        return f"{self.title}\n{answer}"


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
    return map(str, _sections(folder, one, other))


def _sections(folder: Folder, one: int, other: int) -> Iterator[_Section]:
    if one == other:
        raise UsageError(f"version {one} does not differ from itself; name two versions")
    for version in (one, other):
        folder.require_version(version)
    a, b = sorted((one, other))
    with connect(b, folder.path.parent, folder.datastack) as warehouse:
        for name, title, query in _SECTIONS:
            yield _answer(warehouse, name, title, query, a, b)


def _answer(warehouse: Warehouse, name: str, title: str, query: str, a: int, b: int) -> _Section:
    try:
        relation = warehouse.sql(query, a=a, b=b)
        rows = relation.fetchall()
    except duckdb.InvalidInputException as error:  # a view that refuses says why
        return _Section(name, title, [], [], str(error).removeprefix("Invalid Input Error: "))
    columns = [re.sub(r"_([ab])$", lambda of: f"_v{(a, b)[of[1] == 'b']}", each) for each in relation.columns]
    return _Section(name, title, columns, rows)
