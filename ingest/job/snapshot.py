"""The snapshot job: from a version, wherever it can be had, to a published folder of Parquet files."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from ingest.job.fetching import Fetching
from ingest.job.order import Order, base_version_of, require_one_kind, scope_of
from ingest.job.scope import decides, rows_here, wanted
from ingest.parts.conform import resolved
from ingest.parts.progress import Progress, Silent
from ingest.parts.saved import PartsFolder
from ingest.parts.source import SCOPES, SOURCE_NAMES, Scope, Selection, Source, SourceName, SourceTable
from ingest.parts.wanted import annotation_tables, is_about_synapses, stage
from warehouse.errors import SnapshotIncomplete, SourceUnavailable, WarehouseError
from warehouse.registry.datastacks import Datastack, citations_of, datastack_of
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.disk import disk_errors
from warehouse.storage.exact import FIRST_INEXACT
from warehouse.storage.files import write_table
from warehouse.storage.manifest import NOT_BIOLOGY, Layout, Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import complete_old_swap, job_lock, publish, synapses_lock
from warehouse.versions.store_difference import BaseVersion, require_storable, store_difference

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What one run does.

    Attributes:
        selection: the tables that are wanted, and those that the version lacks.
        source_tables: the wanted tables that are not here yet.
    """

    selection: Selection
    source_tables: tuple[SourceTable, ...]


class Snapshot:
    """One run of the job."""

    def __init__(
        self,
        folder: Folder,
        order: Order,
        progress: Progress | None = None,
        *,
        again: Collection[str] = (),
    ) -> None:
        """Prepare a run; nothing is asked or written yet.

        Args:
            folder: the warehouse's folder of the datastack.
            order: what is to be here.
            progress: shows how far it is.
            again: tables to fetch although they are here, because they are damaged.
        """
        self._again = again
        self.folder = folder
        self.order = order
        self.progress = progress or Silent()
        self.manifest = self._published()
        self.base = base_version_of(self.manifest, folder, order)
        self.scope = scope_of(self.manifest, order, self.base)
        self._staging = folder.staging(order.version)
        self._parts: dict[str, list[Path]] = {}

    def _published(self) -> Manifest | None:
        """What is here, without what is to be fetched again."""
        path = self.folder.manifest(self.order.version)
        if not path.exists():
            return None
        manifest = read_manifest(path)
        kept = {name: entry for name, entry in manifest.tables.items() if name not in self._again}
        return replace(manifest, tables=kept)

    @property
    def is_finished(self) -> bool:
        """Whether everything is here already."""
        order = self.order
        if self.manifest is None:
            return False
        names = order.tables or annotation_tables()
        wanted = [name for name in names if not self._waits(name)]
        return is_finished(self.manifest, wanted, self.scope, order.source, are_named=bool(order.tables))

    def _waits(self, name: str) -> bool:
        """Whether a table is fetched later: of chosen cells, what is about synapses, until those are here."""
        here = self.manifest.tables.get(SYNAPSE) if self.manifest else None
        return "cells" in self.scope and is_about_synapses(name) and (here is None or here.scope != self.scope)

    def run(self, connect: Callable[[], Source]) -> Manifest:
        """Fetch what is missing and publish it; does nothing, and asks nobody, when nothing is missing.

        A table that fails by itself does not keep the others from being published.

        Args:
            connect: connects to where the version is fetched from.

        Raises:
            SnapshotIncomplete: some tables failed, and the others were published.
            WarehouseError: see `warehouse.errors`; what was fetched is kept for the next run.
        """
        if self.manifest is not None and self.order.layout not in (None, self.manifest.layout):
            self._lay_out(self.manifest, self.order.layout)
        if self.manifest is not None and self.is_finished:
            kind = f" and {NOT_BIOLOGY}" if self.manifest.synthetic else ""
            complete = f"version {self.order.version} is complete in {self.folder.path}{kind}"
            log.info("%s; nothing to fetch", complete)
            if self._staging.exists():
                with suppress(WarehouseError), job_lock(self._staging):  # another job will do it else
                    self._clear_published(self.manifest)
            return self.manifest
        with job_lock(self._staging), disk_errors(self.folder.path):
            complete_old_swap(self.folder, self.order.version)
            self.manifest = self._published()
            if self.manifest is not None:
                self._clear_published(self.manifest)
            source = connect()
            plan = self.plan(source)
            fetching = Fetching(self.progress)
            for turn in (0, 1, 2):
                self._take(
                    source, [target for target in plan.source_tables if stage(target.table.name) == turn], fetching
                )
            plan = Plan(
                plan.selection, tuple(each for each in plan.source_tables if each.table.name in self._parts)
            )
            if not plan.source_tables:
                fetching.require_all()
            with self._hold_synapses(plan):
                published = self._publish(source, plan)
        if failed := fetching.failed:
            reasons = "; ".join(f"{name}: {str(error).split(';')[0]}" for name, error in failed.items())
            raise SnapshotIncomplete(
                f"version {published.version} is published without {', '.join(failed)} ({reasons}); "
                "run the same command again, it fetches only what is missing"
            )
        return published

    def _take(self, source: Source, targets: Sequence[SourceTable], fetching: Fetching) -> None:
        """Fetch some tables; nothing is fetched that depends on one that failed."""
        now = []
        for target in targets:
            name = target.table.name
            if lost := [each for each in fetching.failed if each in decides(name, target.scope)]:
                fetching.fail(target, SourceUnavailable(f"{lost[0]} decides which of its rows are kept"))
                continue
            target.keep_only(wanted(name, target.scope, self._read))
            now.append(target)
        fetching.run(source, now)
        for target in now:
            if target.table.name in fetching.failed:
                continue
            try:
                self._parts[target.table.name] = [part.path for part in target.complete()]
            except SourceUnavailable as error:
                fetching.fail(target, error)

    def plan(self, source: Source) -> Plan:
        """Ask which tables there are, check the order against them, and say what is still to be fetched."""
        here = self.manifest.tables if self.manifest else {}
        selection = source.select(self.order.version, self.order.tables, self.scope, here)
        require_one_kind(self.folder, selection)
        missing = [table for table in selection.tables if not self._is_here(table) and not self._waits(table.name)]
        for table in missing:
            if table.name == SYNAPSE and SYNAPSE not in self._again:
                require_storable(self.folder, self.order.version, table, self.scope, self.base)
        if SYNAPSE in here and self.scope != "all" and any(table.name == SYNAPSE for table in missing):
            log.warning(
                "the synapses of scope %s here give way to those of scope %s; to have both: --synapses all",
                here[SYNAPSE].scope,
                self.scope,
            )
        return Plan(selection, tuple(self._source_table(source, selection, table) for table in missing))

    def _source_table(self, source: Source, selection: Selection, table: Table) -> SourceTable:
        scope: Scope = self.scope if is_about_synapses(table.name) else "all"
        return source.source_table(selection, table, scope, self._parts_folder(table.name, scope, source.name))

    def _parts_folder(self, name: str, scope: Scope, source: SourceName) -> PartsFolder:
        """Where the parts of a table wait; those of different sources are cut differently and never mix."""
        folder = name if scope == "all" else f"{name}.{scope}"
        return PartsFolder(self._staging / (folder if source == "cave" else f"{folder}.{source}"))

    def _is_here(self, table: Table) -> bool:
        entry = self.manifest.tables.get(table.name) if self.manifest else None
        return entry is not None and (not is_about_synapses(table.name) or entry.scope in (self.scope, "all"))

    def _read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        """Rows of a table that this run has fetched, or an earlier one has published."""
        if name in self._parts:
            tables = [pq.ParquetFile(path).read(columns=columns) for path in self._parts[name]]
            return pa.concat_tables(tables) if tables else None
        return rows_here(self.folder, self.manifest, name, columns) if self.manifest else None

    @contextmanager
    def _hold_synapses(self, plan: Plan) -> Iterator[None]:
        """Hold the synapses of this version and of the base, having seen that they may still be stored."""
        synapses = [each.table for each in plan.source_tables if each.table.name == SYNAPSE]
        base = [self.base.version] if self.base else []
        with synapses_lock(self.folder, [self.order.version, *base] if synapses else []):
            for table in synapses:
                self.base = BaseVersion.of(self.folder, base[0]) if base else None
                if SYNAPSE not in self._again:
                    require_storable(self.folder, self.order.version, table, self.scope, self.base)
            yield

    def _publish(self, source: Source, plan: Plan) -> Manifest:
        selection = plan.selection
        draft = self._staging / "assembled"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        entries = {each.table.name: self._write(draft, each) for each in plan.source_tables}
        before = self.manifest.tables if self.manifest else {}
        tables = {**before, **entries}
        absent = self.manifest.absent if self.manifest else {}
        manifest = Manifest(
            datastack=source.datastack,
            version=selection.version,
            time_stamp=selection.time_stamp,
            tables=tables,
            absent={name: why for name, why in ({**absent, **selection.absent}).items() if name not in tables},
            tools={**(self.manifest.tools if self.manifest else {}), **_tools(source)},
            layout=self.order.layout or (self.manifest.layout if self.manifest else "default"),
            # The next build decides which are still right.
            stored_views=self.manifest.stored_views if self.manifest else {},
            synthetic=selection.synthetic,
        )
        published = publish(self.folder, draft, manifest)
        self._clear_published(published)
        return published

    def _lay_out(self, manifest: Manifest, layout: Layout) -> None:
        """Note the layout that was ordered for what is here; the next build stores rows or drops them."""
        with job_lock(self._staging), disk_errors(self.folder.path):
            draft = self._staging / "assembled"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            self.manifest = publish(self.folder, draft, replace(manifest, layout=layout))

    def _clear_published(self, manifest: Manifest) -> None:
        """Forget the parts of what is published, also those of a job that was killed just before it did so."""
        for name, entry in manifest.tables.items():
            for scope in SCOPES:
                if entry.scope in (scope, "all"):
                    for source in SOURCE_NAMES:
                        self._parts_folder(name, scope, source).clear()
        if self._staging.exists() and not any(self._staging.iterdir()):
            self._staging.rmdir()

    def _write(self, draft: Path, source_table: SourceTable) -> TableEntry:
        table = source_table.table
        rows = self._parts[table.name] or table.arrow_schema.empty_table()
        datastack = datastack_of(self.folder.datastack)
        fields = {"citations": list(citations_of(datastack, table)), **source_table.entry()}
        log.debug("%s: writing", table.name)
        _say_voxel(datastack, table.name, fields.get("voxel_resolution", []))
        if table.name != SYNAPSE:
            return write_table(draft, resolved(table, partial(_numbers, rows)), rows, **fields)
        how = {**fields, "memory": self.order.memory}
        if self.base is None:
            return cluster_synapses(draft, table, rows, **how)
        return store_difference(draft, self.order.version, table, rows, self.base, **how)


def _say_voxel(datastack: Datastack, table: str, sizes: Sequence[float]) -> None:
    """Say that positions of a table are counted in other voxels than those of the datastack."""
    if sizes and datastack.voxel_nm is not None and tuple(sizes) != datastack.voxel_nm:
        here, usual = (" x ".join(f"{size:g}" for size in each) for each in (sizes, datastack.voxel_nm))
        log.warning(
            "%s: its voxels are %s nm, those of %s are %s nm; positions in nm are computed with its own",
            table,
            here,
            datastack.name,
            usual,
        )


def _numbers(rows: pa.Table | Sequence[Path], name: str) -> tuple[bool, bool]:
    """Of a column of decimals, whether all are whole numbers of 64 bits, and whether all are below 2^53."""
    if isinstance(rows, pa.Table):
        return True, True
    is_whole = is_small = True
    for path in rows:
        column = pq.ParquetFile(path).read(columns=[name])[name].drop_null()
        most = pc.max(pc.abs(column.cast(pa.float64()))).as_py() or 0  # None without values
        is_whole &= pc.all(pc.equal(pc.floor(column), column)).as_py() is not False and most < 2**63
        is_small &= most < FIRST_INEXACT
    return is_whole, is_small


def is_finished(
    manifest: Manifest, names: Sequence[str], scope: Scope, source: SourceName | None = None, *, are_named: bool
) -> bool:
    """Whether all that is asked for is here, so that nobody needs to be asked.

    A table that one source does not have may be had from another: a source that is named, and that nothing here
    came from, is asked for it.
    """
    was_asked = source in (None, "delta") or any(entry.source == source for entry in manifest.tables.values())

    def is_here(name: str) -> bool:
        if (entry := manifest.tables.get(name)) is None:
            return name in manifest.absent and was_asked and not are_named
        return not is_about_synapses(name) or entry.scope in (scope, "all")

    return all(map(is_here, names))


def _tools(source: Source) -> dict[str, str]:
    names = ("microns-warehouse", "pyarrow", "duckdb")
    return {**{name: installed(name) for name in names}, **source.tools()}
