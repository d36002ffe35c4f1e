"""The snapshot job: from a version, wherever it can be had, to a published folder of Parquet files."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.job.order import Order, base_version_of, scope_of
from ingest.job.scope import wanted
from ingest.parts.conform import resolved
from ingest.parts.parts import PartsFolder
from ingest.parts.plan import Part
from ingest.parts.progress import Progress, Silent
from ingest.parts.source import SCOPES, SOURCE_NAMES, Scope, Selection, Source, SourceName, SourceTable
from ingest.parts.wanted import annotation_tables, is_about_synapses, stage
from ingest.parts.workers import WorkerPool
from warehouse.errors import SourceUnavailable, WarehouseError
from warehouse.query.scan import scan
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.disk import disk_errors
from warehouse.storage.exact import FIRST_INEXACT
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Layout, Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import changing, finish_publishing, only_job, publish
from warehouse.versions.store_difference import BaseVersion, require_storable, store_difference

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3
"""So many parts failing one after the other mean that the service is down, not that a part is too large for it."""


@dataclass(frozen=True)
class Plan:
    """What one run does.

    Attributes:
        selection: the tables that are wanted, and those that the version lacks.
        targets: the wanted tables that are not here yet.
    """

    selection: Selection
    targets: tuple[SourceTable, ...]


class Snapshot:
    """One run of the job."""

    def __init__(self, folder: Folder, order: Order, progress: Progress | None = None) -> None:
        """Prepare a run; nothing is asked or written yet.

        Args:
            folder: the warehouse's folder of the datastack.
            order: what is to be here.
            progress: shows how far it is.
        """
        self.folder = folder
        self.order = order
        self.progress = progress or Silent()
        self.manifest = _published(folder, order.version)
        self.against = base_version_of(self.manifest, folder, order)
        self.scope = scope_of(self.manifest, order, self.against)
        self._staging = folder.staging(order.version)
        self._parts: dict[str, list[Path]] = {}
        self._failures = 0
        self._lock = Lock()

    @property
    def is_finished(self) -> bool:
        """Whether everything is here already."""
        order = self.order
        return self.manifest is not None and is_finished(self.manifest, order.tables, self.scope, order.source)

    def run(self, connect: Callable[[], Source]) -> Manifest:
        """Fetch what is missing and publish it; does nothing, and asks nobody, when nothing is missing.

        Args:
            connect: connects to where the version is fetched from.

        Raises:
            WarehouseError: see `warehouse.errors`; what was fetched is kept for the next run.
        """
        if self.manifest is not None and self.order.layout not in (None, self.manifest.layout):
            self._lay_out(self.manifest, self.order.layout)
        if self.manifest is not None and self.is_finished:
            log.info("version %d is complete in %s; nothing to fetch", self.order.version, self.folder.path)
            if self._staging.exists():
                with suppress(WarehouseError), only_job(self._staging):  # another job will do it else
                    self._clear_published(self.manifest)
            return self.manifest
        with only_job(self._staging), disk_errors(self.folder.path):
            finish_publishing(self.folder, self.order.version)
            self.manifest = _published(self.folder, self.order.version)
            if self.manifest is not None:
                self._clear_published(self.manifest)
            source = connect()
            plan = self.plan(source)
            for turn in (0, 1, 2):
                now = [target for target in plan.targets if stage(target.table.name) == turn]
                for target in now:
                    target.narrow(wanted(target.table.name, target.scope, self._read))
                self._fetch(source, now)
                self._parts |= {target.table.name: [part.path for part in target.complete()] for target in now}
            with self._undisturbed(plan):
                return self._publish(source, plan)

    def plan(self, source: Source) -> Plan:
        """Ask which tables there are, check the order against them, and say what is still to be fetched."""
        here = self.manifest.tables if self.manifest else {}
        selection = source.select(self.order.version, self.order.tables, self.scope, here)
        missing = [table for table in selection.tables if not self._is_here(table)]
        for table in missing:
            if table.name == SYNAPSE:
                require_storable(self.folder, self.order.version, table, self.scope, self.against)
        if SYNAPSE in here and self.scope != "all" and any(table.name == SYNAPSE for table in missing):
            log.warning(
                "the synapses of scope %s here give way to those of scope %s; to have both: --synapses all",
                here[SYNAPSE].scope,
                self.scope,
            )
        return Plan(selection, tuple(self._target(source, selection, table) for table in missing))

    def _target(self, source: Source, selection: Selection, table: Table) -> SourceTable:
        scope: Scope = self.scope if is_about_synapses(table.name) else "all"
        return source.target(selection, table, scope, self._store(table.name, scope, source.name))

    def _store(self, name: str, scope: Scope, source: SourceName) -> PartsFolder:
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
        if self.manifest and name in self.manifest.tables:
            here = scan(self.folder.version(self.order.version), self.manifest.tables[name])
            rows = here.select(columns or "*").collect().to_arrow()
            return rows.cast(pa.schema([TABLES[name].arrow_schema.field(each) for each in rows.column_names]))
        return None

    def _fetch(self, source: Source, targets: Sequence[SourceTable]) -> None:
        tasks = [(target, part) for target in targets for part in self._missing(target)]
        left = {target.table.name: sum(other is target for other, _ in tasks) for target in targets}

        def work(task: tuple[SourceTable, Part]) -> list[tuple[SourceTable, Part]]:
            target, part = task
            pieces = self._attempt(target, part)
            with self._lock:
                left[target.table.name] += len(pieces) - 1
                if not pieces:
                    self.progress.part(target.table.name, left[target.table.name])
            return [(target, piece) for piece in pieces]

        WorkerPool(work, source.workers).run(tasks, on_error=source.stop)

    def _missing(self, target: SourceTable) -> list[Part]:
        missing = target.missing()
        if missing:
            if words := target.forewarning():
                log.info("%s", words)
            self.progress.begin(target.table.name, len(missing), target.rows_to_come)
        return missing

    def _attempt(self, target: SourceTable, part: Part) -> list[Part]:
        """Fetch a part; one that the service keeps failing on may be too large for it, and is cut."""
        try:
            pieces = target.fetch(part)
        except SourceUnavailable:
            with self._lock:
                self._failures += 1
                is_down = self._failures >= _FAILURES_IN_A_ROW
            if is_down or not (smaller := target.smaller(part)):
                raise
            return smaller
        self._failures = 0
        return pieces

    @contextmanager
    def _undisturbed(self, plan: Plan) -> Iterator[None]:
        """Hold the synapses of this version and of the base, having seen that they may still be stored."""
        synapses = [target.table for target in plan.targets if target.table.name == SYNAPSE]
        base = [self.against.version] if self.against else []
        with changing(self.folder, [self.order.version, *base] if synapses else []):
            for table in synapses:
                self.against = BaseVersion.of(self.folder, base[0]) if base else None
                require_storable(self.folder, self.order.version, table, self.scope, self.against)
            yield

    def _publish(self, source: Source, plan: Plan) -> Manifest:
        selection = plan.selection
        assembled = self._staging / "assembled"
        shutil.rmtree(assembled, ignore_errors=True)
        assembled.mkdir(parents=True)
        entries = {target.table.name: self._write(assembled, target) for target in plan.targets}
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
            models=self.manifest.models if self.manifest else {},  # the next build decides which are still right
        )
        publish(self.folder, assembled, manifest)
        published = read_manifest(self.folder.manifest(selection.version))
        self._clear_published(published)
        return published

    def _lay_out(self, manifest: Manifest, layout: Layout) -> None:
        """Note the layout that was ordered for what is here; the next build stores rows or drops them."""
        with only_job(self._staging), disk_errors(self.folder.path):
            assembled = self._staging / "assembled"
            shutil.rmtree(assembled, ignore_errors=True)
            assembled.mkdir(parents=True)
            publish(self.folder, assembled, replace(manifest, layout=layout))
            self.manifest = read_manifest(self.folder.manifest(manifest.version))

    def _clear_published(self, manifest: Manifest) -> None:
        """Forget the parts of what is published, also those of a job that was killed just before it did so."""
        for name, entry in manifest.tables.items():
            for scope in SCOPES:
                if entry.scope in (scope, "all"):
                    for source in SOURCE_NAMES:
                        self._store(name, scope, source).clear()
        if self._staging.exists() and not any(self._staging.iterdir()):
            self._staging.rmdir()

    def _write(self, assembled: Path, target: SourceTable) -> TableEntry:
        table, rows = target.table, self._parts[target.table.name] or target.table.arrow_schema.empty_table()
        fields = {"citations": list(table.citation), **target.entry()}
        log.debug("%s: writing", table.name)
        if table.name != SYNAPSE:
            return write_table(assembled, resolved(table, partial(_numbers, rows)), rows, **fields)
        how = {**fields, "memory": self.order.memory}
        if self.against is None:
            return cluster_synapses(assembled, table, rows, **how)
        return store_difference(assembled, self.order.version, table, rows, self.against, **how)


def _numbers(rows: pa.Table | Sequence[Path], name: str) -> tuple[bool, bool]:
    """Of a column of decimals, whether all are whole numbers of 64 bits, and whether all are below 2^53."""
    if isinstance(rows, pa.Table):
        return True, True
    is_whole = is_small = True
    for path in rows:
        column = pq.ParquetFile(path).read(columns=[name])[name].drop_null()
        values = column.cast(pa.float64())
        is_whole &= bool(pc.all(pc.equal(pc.floor(column), column)).as_py() in (True, None))
        is_whole &= not len(values) or pc.max(pc.abs(values)).as_py() < 2**63
        is_small &= not len(values) or pc.max(pc.abs(values)).as_py() < FIRST_INEXACT
    return is_whole, is_small


def is_finished(manifest: Manifest, names: Sequence[str], scope: Scope, source: SourceName | None = None) -> bool:
    """Whether all that is asked for is here, so that nobody needs to be asked.

    A table that one source does not have may be had from another: a source that is named, and that nothing here
    came from, is asked for it.
    """
    was_asked = source in (None, "delta") or any(entry.source == source for entry in manifest.tables.values())

    def is_here(name: str) -> bool:
        if (entry := manifest.tables.get(name)) is None:
            return name in manifest.absent and was_asked and not names
        return not is_about_synapses(name) or entry.scope in (scope, "all")

    return all(is_here(name) for name in names or annotation_tables())


def _published(folder: Folder, version: int) -> Manifest | None:
    path = folder.manifest(version)
    return read_manifest(path) if path.exists() else None


def _tools(source: Source) -> dict[str, str]:
    names = ("microns-warehouse", "pyarrow", "duckdb")
    return {**{name: installed(name) for name in names}, **source.tools()}
