"""What the views that compare versions are built on: rows, proofreading, synapses and roots of each pair.

Which tables and which pairs there are only the manifests know, so these are put together here; what they mean to a
reader is written under sql/versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TypeAlias

import duckdb

from warehouse.catalog.comments import comment_on_view
from warehouse.catalog.version_schema import refusal, synapse_scope
from warehouse.catalog.version_texts import raw_schema_of, schema_of
from warehouse.catalog.views import View
from warehouse.registry.datastacks import Datastack, datastack_of, table_called
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.lineage import current_lineages
from warehouse.storage.manifest import Manifest, TableEntry
from warehouse.storage.quoting import empty_select, quoted, text_literal

Pair: TypeAlias = tuple[Manifest, Manifest]

_COMPARED_ROWS = 5_000_000
"""Larger tables are not compared row by row when somebody looks at a view."""
_PAIR = {"version_a": ("BIGINT", "The earlier version"), "version_b": ("BIGINT", "The later version")}
_ROWS = {
    **_PAIR,
    "table_name": ("VARCHAR", "Table, under CAVE's name"),
    "n_rows_added": ("BIGINT", "Rows whose key only the later version has"),
    "n_rows_removed": ("BIGINT", "Rows whose key only the earlier version has"),
    "n_rows_changed": ("BIGINT", "Rows that both versions have, with other values"),
}
_SIDES = {
    **_PAIR,
    "nucleus_id": ("BIGINT", "The cell: its id in the table of nuclei"),
    "side": ("VARCHAR", "input or output"),
    "n_kept": ("BIGINT", "Synapses of the cell in both versions"),
    "n_gained": ("BIGINT", "Synapses of the cell in the later version only"),
    "n_lost": ("BIGINT", "Synapses of the cell in the earlier version only"),
}
_PROOFREADING = {
    "version": ("BIGINT", "Materialization version of CAVE"),
    "nucleus_id": ("BIGINT", "The cell; segments with several nuclei or none are left out"),
    "status_axon": ("BOOLEAN", "Whether the axon was proofread"),
    "strategy_axon": ("VARCHAR", "How far the axon was proofread"),
    "strategy_dendrite": ("VARCHAR", "How far the dendrite was proofread"),
}
_LINEAGE = {
    "old_version": ("BIGINT", "The earlier version"),
    "new_version": ("BIGINT", "The later version"),
    "old_root": ("BIGINT", "A root of the earlier version that the later one has no more"),
    "new_root": ("BIGINT", "The root that has some or all of its synapses in the later version"),
    "n_sides": ("BIGINT", "Number of sides of synapses, inputs and outputs, that went from the one to the other"),
}
_LINEAGE_DOC = (
    "Which root became which root between two local versions, for any segment that has a synapse, cell or not.\n\n"
    "One row per pair of versions, old root and new root. An old root with several new ones was split; a new root "
    "with several old ones was merged. It is found through the synapses that both versions have here: a segment "
    "without any is not listed, nor are roots that are the same in both."
)


def create_spanning(
    con: duckdb.DuckDBPyConnection, name: str, doc: str, columns: Mapping[str, tuple[str, str]], select: str
) -> None:
    """Create a view in `main` whose columns are given with type and meaning; without a SELECT it has no rows."""
    rows = select or empty_select({column: kind for column, (kind, _) in columns.items()})
    con.execute(f"CREATE VIEW main.{name} AS {rows}")
    comment_on_view(con, "main", name, doc, {column: text for column, (_, text) in columns.items()})


def of_all(
    manifests: Mapping[int, Manifest], views: Mapping[str, View], name: str, columns: Mapping[str, tuple[str, str]]
) -> str:
    """A SELECT of these columns of a view in every version that can answer; where none can, their refusal."""
    able = [version for version, manifest in manifests.items() if refusal(manifest, views[name]) is None]
    branches = []
    for version in able or manifests:
        items = ", ".join(f"{version}::BIGINT AS version" if each == "version" else each for each in columns)
        branches.append(f"SELECT {items} FROM {schema_of(version)}.{name}")
    return " UNION ALL ".join(branches)


def create_comparisons(
    con: duckdb.DuckDBPyConnection, manifests: Mapping[int, Manifest], views: Mapping[str, View]
) -> None:
    """Create them in `main` of the current database."""
    pairs = [(manifests[a], manifests[b]) for a, b in combinations(sorted(manifests), 2)]
    doc = "How many rows differ between two versions, one row per pair and table, where that is quickly told."
    _create(con, "_row_changes", doc, _ROWS, (each for pair in pairs for each in _row_changes(pair)))
    doc = "What became of the synapses of cells whose root changed, one row per pair of versions, cell and side."
    _create(con, "_side_changes", doc, _SIDES, (each for pair in pairs for each in _side_changes(pair, views)))
    doc = "Proofreading of cells in each version that has a table of it."
    able = {version: each for version, each in manifests.items() if refusal(each, views["proofreading"]) is None}
    history = [of_all(able, views, "_proofread_cells", _PROOFREADING)] if able else []
    _create(con, "_proofreading_history", doc, _PROOFREADING, history)
    _create(con, "root_lineage", _LINEAGE_DOC, _LINEAGE, _lineages(manifests))


def _create(
    con: duckdb.DuckDBPyConnection,
    name: str,
    doc: str,
    columns: Mapping[str, tuple[str, str]],
    branches: Iterator[str] | list[str],
) -> None:
    items = ", ".join(f"{quoted(column)}::{kind} AS {quoted(column)}" for column, (kind, _) in columns.items())
    parts = [f"SELECT {items} FROM ({each})" for each in branches]
    create_spanning(con, name, doc, columns, " UNION ALL ".join(parts))


def _numbers(pair: Pair) -> str:
    return f"{pair[0].version} AS version_a, {pair[1].version} AS version_b"


def _row_changes(pair: Pair) -> Iterator[str]:
    for name, table in _declared(datastack_of(pair[0].datastack)).items():
        a, b = (manifest.tables.get(name) for manifest in pair)
        if a is None or b is None or a.scope != b.scope:
            continue
        counts = _known_counts(pair, a, b)
        if counts is None and max(a.rows, b.rows) <= _COMPARED_ROWS:
            counts = _counted(pair, name, table, a, b)
        if counts is not None:
            yield f"SELECT {_numbers(pair)}, {text_literal(name)} AS table_name, c.* FROM ({counts}) AS c"


def _declared(datastack: Datastack) -> dict[str, Table]:
    called = {table_called(datastack, name): table for name, table in TABLES.items()}
    return {name: table for name, table in called.items() if name}


def _known_counts(pair: Pair, a: TableEntry, b: TableEntry) -> str | None:
    """What needs no look at the rows: equal files, or tables that were compared when they were stored."""
    counts = None
    if a.content == b.content:
        counts = (0, 0, 0)
    elif b.base is not None and b.base.version == pair[0].version:
        counts = (b.base.added, b.base.removed, b.base.changed)
    elif a.base is not None and a.base.version == pair[1].version:
        counts = (a.base.removed, a.base.added, a.base.changed)
    names = list(_ROWS)[-3:]
    return counts and "SELECT " + ", ".join(f"{n} AS {name}" for n, name in zip(counts, names, strict=True))


def _counted(pair: Pair, name: str, table: Table, a: TableEntry, b: TableEntry) -> str:
    keys = ", ".join(map(quoted, table.key))
    values = [column for column in a.columns if column in b.columns and column not in table.key]
    row = f"row({', '.join(map(quoted, values))})" if values else "0"
    one, other = (
        f"(SELECT {keys}, TRUE AS here, {row} AS content FROM {raw_schema_of(each.version)}.{quoted(name)})"
        for each in pair
    )
    return (
        "SELECT count(*) FILTER (WHERE a.here IS NULL) AS n_rows_added, "
        "count(*) FILTER (WHERE b.here IS NULL) AS n_rows_removed, "
        "count(*) FILTER (WHERE a.here AND b.here AND a.content IS DISTINCT FROM b.content) AS n_rows_changed "
        f"FROM {one} AS a FULL JOIN {other} AS b USING ({keys})"
    )


def _side_changes(pair: Pair, views: Mapping[str, View]) -> Iterator[str]:
    """Only where both versions have all synapses of a cell: of proofread axons alone, all that they send out."""
    scopes = {synapse_scope(each) for each in pair}
    if scopes not in ({"all"}, {"proofread"}) or any(refusal(each, views["_axon_synapses"]) for each in pair):
        return
    yield _side(pair, "output", "pre_pt_root_id", "_axon_synapses", proofread=scopes == {"proofread"})
    if scopes == {"all"}:
        synapses = table_called(datastack_of(pair[0].datastack), SYNAPSE) or SYNAPSE
        yield _side(pair, "input", "post_pt_root_id", synapses, proofread=False)


def _side(pair: Pair, side: str, column: str, source: str, *, proofread: bool) -> str:
    schema = schema_of if source.startswith("_") else raw_schema_of
    a, b = (each.version for each in pair)
    axons = "".join(
        f" SEMI JOIN {schema_of(v)}._proofread_axons AS {n} ON {n}.pt_root_id = {t}.pt_root_id"
        for v, n, t in ((a, "p", "x"), (b, "q", "y"))
    )
    moved = (
        f"SELECT x.nucleus_id, x.pt_root_id AS root_a, y.pt_root_id AS root_b FROM {schema_of(a)}._nuclei AS x "
        f"JOIN {schema_of(b)}._nuclei AS y ON y.nucleus_id = x.nucleus_id{axons if proofread else ''} "
        "WHERE x.pt_root_id <> y.pt_root_id AND x.pt_root_id NOT IN (0, 1) AND y.pt_root_id NOT IN (0, 1)"
    )
    found = " UNION ALL ".join(
        f"SELECT m.nucleus_id, s.id, {is_a} AS is_a FROM moved AS m "
        f"JOIN {schema(version)}.{quoted(source)} AS s ON s.{column} = m.root_{letter}"
        for version, letter, is_a in ((a, "a", True), (b, "b", False))
    )
    return (
        f"WITH moved AS MATERIALIZED ({moved}), sides AS (SELECT nucleus_id, id, bool_or(is_a) AS in_a, "
        f"bool_or(NOT is_a) AS in_b FROM ({found}) GROUP BY ALL) "
        f"SELECT {_numbers(pair)}, nucleus_id, '{side}' AS side, count(*) FILTER (WHERE in_a AND in_b) AS n_kept, "
        "count(*) FILTER (WHERE NOT in_a) AS n_gained, count(*) FILTER (WHERE NOT in_b) AS n_lost "
        "FROM sides GROUP BY nucleus_id"
    )


def _lineages(manifests: Mapping[int, Manifest]) -> Iterator[str]:
    for (old_version, new_version), (version, lineage) in current_lineages(manifests).items():
        old, new = ("other_root", "root") if version == new_version else ("root", "other_root")
        yield (
            f"SELECT {old_version} AS old_version, {new_version} AS new_version, "
            f"{old} AS old_root, {new} AS new_root, n_sides "
            f"FROM read_parquet(main._path('v{version}/{lineage.file.path}'))"
        )
