"""Making a bundle: one DuckDB file that holds a version's tables, the synapses of a choice, and every view.

It answers as a warehouse does, because its names are made by the same code; only where rows are differs, and the
scope of its synapses, by which views answer or refuse. Rows that could not be computed from fewer synapses
(degrees, say) are carried over from the warehouse, where they are stored.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version as installed
from pathlib import Path

import duckdb
from msgspec.structs import replace

from warehouse.bundle.choice import Choice
from warehouse.catalog.build import STORAGE, database
from warehouse.catalog.names import Names
from warehouse.catalog.refusal import refusal
from warehouse.catalog.schemas import raw_schema_of, schema_of
from warehouse.catalog.stored_views import without_stale
from warehouse.catalog.version_schema import create_curated
from warehouse.catalog.views import VIEWS_VERSION, View, load_views
from warehouse.errors import FolderBusy, SnapshotDamaged, UsageError, WarehouseError, sentence_of_refusal
from warehouse.query.connection import MANIFEST_TABLE, bundle_manifest
from warehouse.query.session import connect
from warehouse.registry.datastacks import datastack_of, declared_tables, table_called
from warehouse.registry.tables import SKELETON, SYNAPSE
from warehouse.storage.disk import disk_errors
from warehouse.storage.durable import replace_database
from warehouse.storage.encoding import OFFSET, PLAIN, encode_sql, encoding_for, rows_schema_of
from warehouse.storage.files import now
from warehouse.storage.locks import exclusive_lock
from warehouse.storage.manifest import NOT_BIOLOGY, Encoding, Manifest, TableEntry
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted, text_literal
from warehouse.storage.trust import was_built_here

MADE_ANEW = ("_orphans", "cable_length")
"""Stored views about the synapses or skeletons that are here: in a bundle they are about fewer."""

_QUICK_HERE = ("_cell_connections", "synapse_targets")
_COMPLETE = "_complete_roots"
_ABOUT_ALL = ("synapse", "connection")
"""Roles of tables that are about all synapses; a bundle of some of them leaves these out."""
_LEAST_BYTES_PER_SYNAPSE = 20
_NAMED = 20
"""So many ids are named in a sentence."""
_WORKSHOP, _LOCK = ".bundle-", ".lock"
_ROW_GROUP = 491_520
"""Four times DuckDB's own: columns then fill their blocks better, which saves a tenth of the synapses' bytes."""


def make_bundle(
    folder: Folder,
    version: int | None,
    choice: Choice,
    out: Path,
    *,
    max_bytes: int | None = None,
    supervoxels: bool = False,
    memory: str | None = None,
    trust: bool = False,
) -> Manifest:
    """Write a bundle; another one of that name is replaced when this is complete. Returns its manifest.

    Args:
        folder: of the datastack; its database must have been built.
        version: the version to take; the default one if not given.
        choice: which synapses.
        out: the file to write.
        max_bytes: how large it may become.
        supervoxels: whether to keep supervoxel ids, which only CAVE's own services can use; else they are NULL.
        memory: how much memory the work may take, in DuckDB's words ("4GB").
        trust: whether to run the views of a database that was not built on this machine.

    Raises:
        UsageError: the choice cannot be made from what is here, DuckDB could not open a file of this name,
            something else has it, or the database was not built on this machine.
        SnapshotNotFound: there is no such version.
        WarehouseError: the bundle would be larger than `max_bytes`, or the disk is full.
        FolderBusy: another program has the file open (Windows).
    """
    _require_name(out)
    if not trust and folder.database.is_file() and not was_built_here(folder.database):
        raise UsageError(
            f"{folder.database} was not built on this machine, and its views may do more than read; make them "
            "anew with: microns build, or add --trust if you know who built it"
        )
    views = load_views(datastack_of(folder.datastack))
    with disk_errors(out), workshop_beside(out) as workshop:
        temporary = workshop / "bundle.duckdb"
        with connect(version, folder.path.parent, folder.datastack, memory=memory, trust=trust) as warehouse:
            rows = RowsOfBundle(
                warehouse.cursor(),
                warehouse.manifest,
                choice,
                max_bytes=max_bytes,
                supervoxels=supervoxels,
            )
            manifest = rows.write(temporary, views)
        with database(temporary, folder.path, byte_count(memory)) as con:
            manifest = create_names(con, manifest)
        require_size(temporary.stat().st_size, max_bytes)
        replace_database(out, temporary, "the same command again")
    return manifest


def _require_name(out: Path) -> None:
    """DuckDB calls a database after its file, and could not tell it from a schema of the same name."""
    name = out.stem.lower()
    if name in ("main", "local", "memory", "system", "temp") or re.fullmatch(r"v\d+(_cave|_rows)?", name):
        raise UsageError(
            f"DuckDB would take {out.name} for a schema of its own; choose another name, say class.duckdb"
        )
    if out.is_dir():
        raise UsageError(f"{out} is a folder; name a file in it, say {out / 'class.duckdb'}")
    if out.exists():
        try:
            bundle_manifest(out)
        except SnapshotDamaged:
            raise UsageError(f"{out} is there already and is no bundle; choose another name") from None


@contextmanager
def workshop_beside(out: Path) -> Iterator[Path]:
    """An empty folder to make a bundle in, on the same disk; those of killed jobs are removed.

    Raises:
        FolderBusy: another process makes a bundle of this name.
    """
    folder = out.parent
    folder.mkdir(parents=True, exist_ok=True)
    workshop = folder / f"{_WORKSHOP}{out.name}"
    busy = f"another microns bundle writes {out}; wait for it, or choose another name"
    with exclusive_lock(_lock_of(workshop), busy):
        for other in {path.with_name(path.name.removesuffix(_LOCK)) for path in folder.glob(f"{_WORKSHOP}*")}:
            if other != workshop:
                with suppress(FolderBusy), exclusive_lock(_lock_of(other), busy):
                    shutil.rmtree(other, ignore_errors=True)
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir()
        try:
            yield workshop
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


def _lock_of(workshop: Path) -> Path:
    return workshop.with_name(workshop.name + _LOCK)


def create_names(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> Manifest:
    """Views, macros and comments over the rows, in the current database; returns the manifest as it then is."""
    version = manifest.version
    names = Names(con, manifest.datastack, {version: manifest}, version)
    con.execute("BEGIN")
    names.create_path_macro()
    names.create_tables(version)
    names.create_views_to_store(version)
    names.manifests[version] = _store_models(con, manifest, names.views)
    names.create_other_views(version)
    names.create_default_names()
    names.create_histories()
    names.create_cross_version_views_to_store(version)
    names.create_spanning_views()
    names.create_cross_version_views()
    con.execute("COMMIT")
    con.execute(
        f"CREATE SCHEMA local; CREATE TABLE {rows_schema_of(version)}.{MANIFEST_TABLE} AS "
        f"SELECT {text_literal(names.manifests[version].to_json())} AS manifest"
    )
    return names.manifests[version]


def _store_models(con: duckdb.DuckDBPyConnection, manifest: Manifest, views: Mapping[str, View]) -> Manifest:
    """Store the views that are to be stored, can be made here, and were not carried over."""
    for view in views.values():
        if not is_stored(view) or view.name in manifest.stored_views or refusal(manifest, view) is not None:
            continue
        rows = con.sql(
            f"FROM {schema_of(manifest.version)}.{view.name} ORDER BY {', '.join(map(quoted, view.store))}"
        )
        columns = dict(zip(rows.columns, map(str, rows.types), strict=True))
        table = stored_view_table(view.name)
        rows.create(f"{rows_schema_of(manifest.version)}.{table}")
        entry = TableEntry("view", "", "all", columns, len(rows), [], fetched=now(), table=table)
        manifest = replace(manifest, stored_views=manifest.stored_views | {view.name: entry})
        create_curated(con, manifest, view, views)
    return manifest


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
        self._declared = declared_tables(datastack)
        self._rows = f"bundle.{rows_schema_of(manifest.version)}"
        self._raw = raw_schema_of(manifest.version)

    def write(self, path: Path, views: Mapping[str, View]) -> Manifest:
        """Write all rows into a database at `path`, which must not exist; returns the manifest that says so."""
        options = f"STORAGE_VERSION '{STORAGE}', ROW_GROUP_SIZE {_ROW_GROUP}"
        self._con.execute(f"ATTACH {text_literal(str(path))} AS bundle ({options})")
        self._con.execute(f"CREATE SCHEMA {self._rows}")
        self._choose_cells()
        tables, stored = self._chosen_synapses()
        absent = dict(self._manifest.absent)
        for name, entry in self._manifest.tables.items():
            if name not in tables and (why := self._left_out(name)):
                absent[name] = why
            elif name not in tables:
                tables[name] = self._create(f"cave_{name}", self._table_rows(name, SYNAPSE in tables), entry)
        for name, entry in without_stale(self._manifest, views, {}).stored_views.items():
            if name not in MADE_ANEW and is_stored(views[name]):
                rows = f"FROM {schema_of(self._manifest.version)}.{name}"
                stored[name] = self._create(stored_view_table(name), rows, entry)
        self._con.execute("DETACH bundle")
        mind = f" ({NOT_BIOLOGY})" if self._manifest.synthetic else ""
        made = f"microns-warehouse {installed('microns-warehouse')}, {now()} UTC: {self._choice}{mind}"
        tools = self._manifest.tools | {"bundle": made, "views": str(VIEWS_VERSION)}
        return replace(self._manifest, tables=tables, stored_views=stored, absent=absent, tools=tools)

    def _chosen_synapses(self) -> tuple[dict[str, TableEntry], dict[str, TableEntry]]:
        """The table of synapses, and the segments that are complete in it."""
        entry = self._manifest.tables.get(self._synapses)
        if entry is None:
            return {}, {}
        scope = self._choice.scope(entry.scope, self._manifest.version)
        if self._choice.has_cells and entry.scope != "all":
            self._require_chosen()
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
        chosen = _COMPLETE if self._choice.everything else "temp.chosen"
        complete = self._create(stored_view_table(_COMPLETE), f"FROM {chosen} ORDER BY ALL", view)
        return {self._synapses: made}, {_COMPLETE: complete}

    def _dropped(self, entry: TableEntry) -> list[str]:
        """The columns of supervoxel ids, unless they are to be kept."""
        return [] if self._supervoxels else [name for name in entry.columns if name.endswith("supervoxel_id")]

    def _choose_cells(self) -> None:
        """A temporary table of the chosen cells' segments."""
        try:
            self._con.execute(f"CREATE TEMP TABLE chosen AS SELECT DISTINCT * FROM ({self._choice.cells_sql()})")
        except duckdb.InvalidInputException as error:  # the sentence of a macro about an id
            raise UsageError(sentence_of_refusal(error)) from error
        if self._choice.has_cells and self._con.execute("SELECT count(*) FROM temp.chosen").fetchall() == [(0,)]:
            found = self._con.execute(
                "SELECT DISTINCT cell_type FROM cells WHERE cell_type IS NOT NULL ORDER BY ALL"
            )
            types = ", ".join(name for (name,) in found.fetchall())
            raise UsageError(f"there are no cells to choose for {self._choice}; types that are here: {types}")

    def _require_chosen(self) -> None:
        """Refuse cells whose synapses are not all here."""
        query = f"SELECT pt_root_id FROM temp.chosen EXCEPT FROM {_COMPLETE} ORDER BY ALL"
        if lacking := [str(root) for (root,) in self._con.execute(query).fetchall()]:
            version = self._manifest.version
            raise UsageError(
                f"of {len(lacking):,} of the chosen cells not all synapses are here; fetch them with: "
                f"microns snapshot {version} --synapses cells --cells {','.join(lacking[:_NAMED])}"
                f"{' and so on' if len(lacking) > _NAMED else ''}"
            )

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

    def _create(self, table: str, rows: str, entry: TableEntry, encoding: Encoding = PLAIN) -> TableEntry:
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
    return bool(view.store) and not (again or view.is_cross_version)


def stored_view_table(view: str) -> str:
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
