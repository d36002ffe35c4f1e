"""The snapshot job: from a version, wherever it can be had, to a published folder of Parquet files."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.crew import Crew
from ingest.order import Order, against_of, scope_of
from ingest.origin import PLACES, SCOPES, Origin, Place, Scope, Selection, Target
from ingest.parts import PartStore
from ingest.plan import Part
from ingest.progress import Progress, Silent
from ingest.scope import wanted
from ingest.selection import is_about_synapses, is_finished, stage
from warehouse.cluster import cluster_synapses
from warehouse.difference import Against, require_storable, store_difference
from warehouse.disk import disk_errors
from warehouse.encoding import scan
from warehouse.errors import SourceUnavailable, WarehouseError
from warehouse.layout import Folder
from warehouse.manifest import Layout, Manifest, TableEntry, read_manifest
from warehouse.publish import changing, finish_publishing, only_job, publish
from warehouse.schema import Table
from warehouse.store import write_table
from warehouse.tables import SYNAPSE, TABLES

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
    targets: tuple[Target, ...]


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
        self.against = against_of(self.manifest, folder, order)
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

    def run(self, connect: Callable[[], Origin]) -> Manifest:
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
            origin = connect()
            plan = self.plan(origin)
            for turn in (0, 1, 2):
                now = [target for target in plan.targets if stage(target.table.name) == turn]
                for target in now:
                    target.narrow(wanted(target.table.name, target.scope, self._read))
                self._fetch(origin, now)
                self._parts |= {target.table.name: [part.path for part in target.complete()] for target in now}
            with self._undisturbed(plan):
                return self._publish(origin, plan)

    def plan(self, origin: Origin) -> Plan:
        """Ask which tables there are, check the order against them, and say what is still to be fetched."""
        here = self.manifest.tables if self.manifest else {}
        selection = origin.select(self.order.version, self.order.tables, self.scope, here)
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
        return Plan(selection, tuple(self._target(origin, selection, table) for table in missing))

    def _target(self, origin: Origin, selection: Selection, table: Table) -> Target:
        scope: Scope = self.scope if is_about_synapses(table.name) else "all"
        return origin.target(selection, table, scope, self._store(table.name, scope, origin.name))

    def _store(self, name: str, scope: Scope, place: Place) -> PartStore:
        """Where the parts of a table wait; those of different places are cut differently and never mix."""
        folder = name if scope == "all" else f"{name}.{scope}"
        return PartStore(self._staging / (folder if place == "cave" else f"{folder}.{place}"))

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

    def _fetch(self, origin: Origin, targets: Sequence[Target]) -> None:
        tasks = [(target, part) for target in targets for part in self._missing(target)]
        left = {target.table.name: sum(other is target for other, _ in tasks) for target in targets}

        def work(task: tuple[Target, Part]) -> list[tuple[Target, Part]]:
            target, part = task
            pieces = self._attempt(target, part)
            with self._lock:
                left[target.table.name] += len(pieces) - 1
                if not pieces:
                    self.progress.part(target.table.name, left[target.table.name])
            return [(target, piece) for piece in pieces]

        Crew(work, origin.workers).run(tasks, on_error=origin.stop)

    def _missing(self, target: Target) -> list[Part]:
        missing = target.missing()
        if missing:
            if words := target.forewarning():
                log.info("%s", words)
            self.progress.begin(target.table.name, len(missing), target.rows_to_come)
        return missing

    def _attempt(self, target: Target, part: Part) -> list[Part]:
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
                self.against = Against.of(self.folder, base[0]) if base else None
                require_storable(self.folder, self.order.version, table, self.scope, self.against)
            yield

    def _publish(self, origin: Origin, plan: Plan) -> Manifest:
        selection = plan.selection
        assembled = self._staging / "assembled"
        shutil.rmtree(assembled, ignore_errors=True)
        assembled.mkdir(parents=True)
        entries = {target.table.name: self._write(assembled, target) for target in plan.targets}
        before = self.manifest.tables if self.manifest else {}
        tables = {**before, **entries}
        absent = self.manifest.absent if self.manifest else {}
        manifest = Manifest(
            datastack=origin.datastack,
            version=selection.version,
            time_stamp=selection.time_stamp,
            tables=tables,
            absent={name: why for name, why in ({**absent, **selection.absent}).items() if name not in tables},
            tools={**(self.manifest.tools if self.manifest else {}), **_tools(origin)},
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
                    for place in PLACES:
                        self._store(name, scope, place).clear()
        if self._staging.exists() and not any(self._staging.iterdir()):
            self._staging.rmdir()

    def _write(self, assembled: Path, target: Target) -> TableEntry:
        table, rows = target.table, self._parts[target.table.name] or target.table.arrow_schema.empty_table()
        fields = {"citations": list(table.citation), **target.entry()}
        log.debug("%s: writing", table.name)
        if table.name != SYNAPSE:
            return write_table(assembled, table, rows, **fields)
        how = {**fields, "memory": self.order.memory}
        if self.against is None:
            return cluster_synapses(assembled, table, rows, **how)
        return store_difference(assembled, self.order.version, table, rows, self.against, **how)


def _published(folder: Folder, version: int) -> Manifest | None:
    path = folder.manifest(version)
    return read_manifest(path) if path.exists() else None


def _tools(origin: Origin) -> dict[str, str]:
    names = ("microns-warehouse", "pyarrow", "duckdb")
    return {**{name: installed(name) for name in names}, **origin.tools()}
