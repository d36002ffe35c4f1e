"""The rows of a bundle: a version's tables as tables of a DuckDB file, the synapses of a choice among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path

import duckdb

from warehouse.build import STORAGE
from warehouse.choice import Choice
from warehouse.datastacks import datastack_of, table_called
from warehouse.dictionary import quoted, text_literal
from warehouse.encoding import OFFSET, PLAIN, encode_sql, encoding_for, rows_schema_of
from warehouse.errors import UsageError, WarehouseError
from warehouse.manifest import Manifest, TableEntry
from warehouse.models import without_stale
from warehouse.store import now
from warehouse.tables import SKELETON, SYNAPSE, TABLES
from warehouse.version_schema import is_compared
from warehouse.version_texts import raw_schema_of, schema_of
from warehouse.views import View

MADE_ANEW = ("_orphans", "cable_length")
"""Stored views about the synapses or skeletons that are here: in a bundle they are about fewer."""

_QUICK_HERE = ("_cell_connections", "synapse_targets")
_COMPLETE = "_complete_roots"
_ABOUT_ALL = ("synapse", "connection")
"""Roles of tables that are about all synapses; a bundle of some of them leaves these out."""
_LEAST_BYTES_PER_SYNAPSE = 20
_ROW_GROUP = 491_520
"""Four times DuckDB's own: columns then fill their blocks better, which saves a tenth of the synapses' bytes."""


class RowsOfBundle:
    """Copies rows into a new database, reading them through the views of a warehouse."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        manifest: Manifest,
        choice: Choice,
        *,
        max_bytes: int | None,
        supervoxels: bool,
    ) -> None:
        """Prepare.

        Args:
            con: a session's connection, in which bare names are those of the version.
            manifest: of the version in the warehouse.
            choice: which synapses.
            max_bytes: how large the bundle may become.
            supervoxels: whether to keep supervoxel ids.
        """
        self._con = con
        self._manifest = manifest
        self._choice = choice
        self._max_bytes = max_bytes
        self._supervoxels = supervoxels
        datastack = datastack_of(manifest.datastack)
        self._synapses = table_called(datastack, SYNAPSE) or SYNAPSE
        self._declared = {table_called(datastack, name) or name: table for name, table in TABLES.items()}
        self._rows = f"bundle.{rows_schema_of(manifest.version)}"
        self._raw = raw_schema_of(manifest.version)

    def write(self, path: Path, views: Mapping[str, View]) -> Manifest:
        """Write all rows into a database at `path`, which must not exist; returns the manifest that says so."""
        options = f"STORAGE_VERSION '{STORAGE}', ROW_GROUP_SIZE {_ROW_GROUP}"
        self._con.execute(f"ATTACH {text_literal(str(path))} AS bundle ({options})")
        self._con.execute(f"CREATE SCHEMA {self._rows}")
        self._choose_cells()
        tables, models = self._chosen_synapses()
        absent = dict(self._manifest.absent)
        for name, entry in self._manifest.tables.items():
            if name not in tables and (why := self._left_out(name)):
                absent[name] = why
            elif name not in tables:
                tables[name] = self._create(f"cave_{name}", self._table_rows(name, SYNAPSE in tables), entry)
        for name, entry in without_stale(self._manifest, views, {}).models.items():
            if name not in MADE_ANEW and is_stored(views[name]):
                rows = f"FROM {schema_of(self._manifest.version)}.{name}"
                models[name] = self._create(native_model(name), rows, entry)
        self._con.execute("DETACH bundle")
        made = f"microns-warehouse {installed('microns-warehouse')}, {now()} UTC: {self._choice}"
        tools = self._manifest.tools | {"bundle": made}
        return replace(self._manifest, tables=tables, models=models, absent=absent, tools=tools)

    def _chosen_synapses(self) -> tuple[dict[str, TableEntry], dict[str, TableEntry]]:
        """The table of synapses, and the segments that are complete in it."""
        entry = self._manifest.tables.get(self._synapses)
        if entry is None:
            return {}, {}
        scope = self._choice.scope(entry.scope, self._manifest.version)
        rows = self._synapse_rows()
        self._require_room(rows)
        columns = {name: kind for name, kind in entry.columns.items() if name not in self._dropped(entry)}
        # Sorted by the sending side: what proofread axons send is what is asked most, and is not kept twice.
        made = self._create(
            f"cave_{self._synapses}",
            f"{rows} ORDER BY pre_pt_root_id, id",
            replace(entry, scope=scope, columns=columns),
            # The whole encoding or none: what is left out of it is not missed by the rest.
            OFFSET if encoding_for(entry.columns) == OFFSET else PLAIN,
        )
        view = TableEntry("view", "", "all", {"pt_root_id": "BIGINT"}, 0, [])
        complete = self._create(native_model(_COMPLETE), "FROM temp.chosen ORDER BY ALL", view)
        return {self._synapses: made}, {_COMPLETE: complete}

    def _dropped(self, entry: TableEntry) -> list[str]:
        """The columns of supervoxel ids, unless they are to be kept."""
        return [] if self._supervoxels else [name for name in entry.columns if name.endswith("supervoxel_id")]

    def _choose_cells(self) -> None:
        """A temporary table of the chosen cells' segments."""
        try:
            self._con.execute(f"CREATE TEMP TABLE chosen AS SELECT DISTINCT * FROM ({self._choice.cells_sql()})")
        except duckdb.InvalidInputException as error:  # the sentence of a macro about an id
            raise UsageError(str(error).removeprefix("Invalid Input Error: ")) from error
        if self._choice.has_cells and self._con.execute("SELECT count(*) FROM temp.chosen").fetchall() == [(0,)]:
            found = self._con.execute(
                "SELECT DISTINCT cell_type FROM cells WHERE cell_type IS NOT NULL ORDER BY ALL"
            )
            types = ", ".join(name for (name,) in found.fetchall())
            raise UsageError(f"there are no cells to choose for {self._choice}; types that are here: {types}")

    def _synapse_rows(self) -> str:
        """A SELECT of the chosen synapses: what the senders send, then what chosen cells receive from others."""
        if self._choice.everything:
            return f"SELECT * FROM {self._raw}.{quoted(self._synapses)}"
        senders = "SELECT pt_root_id FROM temp.chosen"
        if self._choice.proofread:
            senders += " UNION SELECT pt_root_id FROM _proofread_axons"
        sent = (
            f"SELECT s.* EXCLUDE (b) FROM _axon_synapses AS s SEMI JOIN ({senders}) AS a "
            "ON a.pt_root_id = s.pre_pt_root_id"
        )
        if not self._choice.has_cells:
            return sent
        return (
            f"SELECT * FROM ({sent}) UNION ALL BY NAME SELECT s.* FROM {self._raw}.{quoted(self._synapses)} AS s "
            "JOIN temp.chosen AS c ON c.pt_root_id = s.post_pt_root_id "
            f"WHERE s.pre_pt_root_id NOT IN ({senders})"
        )

    def _require_room(self, rows: str) -> None:
        if self._max_bytes is not None:
            ((count,),) = self._con.execute(f"SELECT count(*) FROM ({rows})").fetchall()
            require_size(count * _LEAST_BYTES_PER_SYNAPSE, self._max_bytes)

    def _left_out(self, name: str) -> str:
        """Why a table is not in the bundle; empty if it is."""
        table = self._declared.get(name)
        if table is None or self._choice.everything:
            return ""
        if table.name == SKELETON and not self._choice.has_cells:
            return "a bundle has skeletons of chosen cells, and none were chosen"
        about_all = table.role in _ABOUT_ALL or table.name == "synapses_pni_2_in_out_degree"
        return "it is about all synapses, and this bundle has a part" if about_all else ""

    def _table_rows(self, name: str, has_synapses: bool) -> str:
        rows = f"SELECT t.* FROM {self._raw}.{quoted(name)} AS t"
        table = self._declared.get(name)
        if has_synapses and table is not None and table.reference == SYNAPSE:
            rows += f" SEMI JOIN {self._rows}.{quoted(f'cave_{self._synapses}')} AS s ON s.id = t.target_id"
        if table is not None and table.name == SKELETON and not self._choice.everything:
            rows += " SEMI JOIN temp.chosen AS c ON c.pt_root_id = t.pt_root_id"
        return rows

    def _create(self, table: str, rows: str, entry: TableEntry, encoding: str = PLAIN) -> TableEntry:
        name = f"{self._rows}.{quoted(table)}"
        if empty := [f"NULL::{entry.columns[column]} AS {quoted(column)}" for column in self._dropped(entry)]:
            rows = f"SELECT * REPLACE ({', '.join(empty)}) FROM ({rows})"
        self._con.execute(f"CREATE TABLE {name} AS SELECT {encode_sql(encoding, entry.columns)} FROM ({rows})")
        ((count,),) = self._con.execute(f"SELECT count(*) FROM {name}").fetchall()
        return replace(
            entry, rows=count, files=[], bounds=[], encoding=encoding, base=None, lineages=[], table=table
        )


def is_stored(view: View) -> bool:
    """Whether a bundle has the rows of a view: not if they are its synapses or tags again, or a step to others."""
    again = view.buckets or view.layout or view.name in _QUICK_HERE
    return bool(view.store) and not (again or is_compared(view))


def native_model(view: str) -> str:
    """The name of the table that holds the rows of a view."""
    return f"model_{view.removeprefix('_')}"


def require_size(size: int, max_bytes: int | None) -> None:
    """Refuse a bundle that is larger than it may be.

    Raises:
        WarehouseError: it is.
    """
    if max_bytes is not None and size > max_bytes:
        raise WarehouseError(
            f"the bundle would have {size / 1e6:,.0f} MB or more; --max-size allows {max_bytes / 1e6:,.0f} MB: "
            "choose fewer cells, or allow more"
        )
