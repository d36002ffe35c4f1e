"""All synapses of chosen cells: from any source, beside the synapses of a version that is here."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace as with_fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from ingest.job.chosen_cells import Which, roots_of
from ingest.job.fetching import Fetching
from ingest.job.order import require_one_kind
from ingest.job.scope import rows_here
from ingest.parts.progress import Progress, Silent
from ingest.parts.saved import PartsFolder
from ingest.parts.source import Source, SourceTable
from ingest.parts.wanted import is_about_synapses
from warehouse.query.scan import scan
from warehouse.registry.datastacks import citations_of, datastack_of
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.disk import disk_errors
from warehouse.storage.files import read_back
from warehouse.storage.manifest import DataFile, Manifest, TableEntry, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import complete_old_swap, job_lock, publish, synapses_lock
from warehouse.versions.store_difference import require_storable

log = logging.getLogger(__name__)

_SIDES = ("pre_pt_root_id", "post_pt_root_id")
_CHOSEN = "model/chosen_cells/part-0.parquet"


class CellSynapsesJob:
    """One run: fetches the synapses of cells that are chosen and not here, and publishes them with those that are.

    Outputs of proofread axons and cells that were chosen before stay. Tables about synapses (what they land on)
    would lack the new ones: they are left out, and a snapshot after this one fetches them.
    """

    def __init__(
        self,
        folder: Folder,
        version: int,
        which: Which,
        progress: Progress | None = None,
        memory: int | None = None,
    ) -> None:
        """Prepare a run; nothing is asked or written yet.

        Args:
            folder: the warehouse's folder of the datastack.
            version: a version whose tables are here.
            which: "proofread", "neurons", or ids.
            progress: shows how far it is.
            memory: bytes that sorting synapses may take.

        Raises:
            WarehouseError: the version, or the table that says which cells are meant, is not here.
        """
        folder.require_version(version)
        self.folder = folder
        self.progress = progress or Silent()
        self.manifest = read_manifest(folder.manifest(version))
        self.wanted = roots_of(which, version, self._read)
        self._memory = memory
        self._staging = folder.staging(version)

    @property
    def _here(self) -> TableEntry | None:
        return self.manifest.tables.get(SYNAPSE)

    @property
    def missing(self) -> list[int]:
        """The segments that are chosen and whose synapses are not all here, ascending."""
        here = self._here
        if here is None:
            return self.wanted
        return [] if here.scope == "all" else sorted(set(self.wanted) - set(self._chosen()))

    def run(self, connect: Callable[[], Source]) -> Manifest:
        """Fetch what is missing and publish it; does nothing, and asks nobody, when nothing is missing.

        Args:
            connect: connects to where the version is fetched from.

        Raises:
            WarehouseError: see `warehouse.errors`; what was fetched is kept for the next run.
        """
        version = self.manifest.version
        if not self.missing:
            log.info("all synapses of %d chosen cells are here; nothing to fetch", len(self.wanted))
            return self.manifest
        with job_lock(self._staging), disk_errors(self.folder.path):
            complete_old_swap(self.folder, version)
            self.manifest = read_manifest(self.folder.manifest(version))
            missing = self.missing
            source = connect()
            selection = source.select(version, [SYNAPSE], "cells", self.manifest.tables)
            require_one_kind(self.folder, selection)
            (table,) = (each for each in selection.tables if each.name == SYNAPSE)
            require_storable(self.folder, version, table, "cells", None)
            roots = pa.array(missing, pa.int64())
            # CAVE is asked by roots, one side after the other; files are read once, whatever is kept.
            rounds = [(side,) for side in _SIDES] if source.name == "cave" else [_SIDES]
            targets = [
                source.source_table(selection, table, "cells", self._store(missing, sides, source))
                for sides in rounds
            ]
            for target, sides in zip(targets, rounds, strict=True):
                target.keep_only(dict.fromkeys(sides, roots))
            fetching = Fetching(self.progress)
            fetching.run(source, targets)
            fetching.require_all()
            parts = [part.path for target in targets for part in target.complete()]
            with synapses_lock(self.folder, [version]):
                require_storable(self.folder, version, table, "cells", None)
                self._publish(targets[0], parts, missing)
            for remains in self._staging.glob(f"{SYNAPSE}.chosen-*"):
                shutil.rmtree(remains)
            if not any(self._staging.iterdir()):
                self._staging.rmdir()
        return self.manifest

    def _store(self, missing: Sequence[int], sides: Sequence[str], source: Source) -> PartsFolder:
        """Where parts wait; those of other cells, sides or sources never mix."""
        which = hashlib.sha256(repr((list(missing), tuple(sides), source.name)).encode()).hexdigest()[:16]
        return PartsFolder(self._staging / f"{SYNAPSE}.chosen-{which}")

    def _publish(self, target: SourceTable, parts: list[Path], missing: Sequence[int]) -> None:
        draft = self._staging / "draft-cells"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        before, table = self._here, target.table
        keeps = [] if before is None else before.scope.split("+")
        if before is not None and not {"proofread", "cells"} & set(keeps):
            log.warning("the synapses of scope %s here give way to those of chosen cells", before.scope)
            before = None
        if before is not None:
            table = _common(table, before)
            earlier = draft / "earlier.parquet"
            pq.write_table(_cast(scan(self._path, before).collect().to_arrow(), table), earlier)
            parts = [earlier, *(_narrowed(path, table, draft) for path in parts)]
        rows = parts or table.arrow_schema.empty_table()
        scope = "proofread+cells" if "proofread" in keeps else "cells"
        papers = list(citations_of(datastack_of(self.folder.datastack), table))
        about = {**target.entry(), "scope": scope, "citations": papers}
        chosen = self._written(draft, sorted({*self._chosen(), *missing}) if before else list(missing))
        entry = cluster_synapses(draft, table, rows, memory=self._memory, chosen=[chosen], **about)
        for path in draft.glob("*.parquet"):
            path.unlink()
        kept = {name: each for name, each in self.manifest.tables.items() if not is_about_synapses(name)}
        self.manifest = publish(self.folder, draft, replace(self.manifest, tables={**kept, SYNAPSE: entry}))

    def _written(self, draft: Path, roots: Sequence[int]) -> DataFile:
        path = draft / _CHOSEN
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"pt_root_id": pa.array(roots, pa.int64())}), path)
        return read_back(draft, path, ["pt_root_id"], "the list of chosen cells")

    @property
    def _path(self) -> Path:
        return self.folder.version(self.manifest.version)

    def _chosen(self) -> list[int]:
        here = self._here
        files = here.chosen if here else []
        return [root for file in files for root in pq.read_table(self._path / file.path)["pt_root_id"].to_pylist()]

    def _read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        return rows_here(self.folder, self.manifest, name, columns)


def _common(table: Table, before: TableEntry) -> Table:
    """The declaration with the columns that both have: no row is filled up with NULL."""
    there = {*before.columns}
    return with_fields(table, columns=tuple(c for c in table.columns if not c.stored or {*c.fields} <= there))


def _cast(rows: pa.Table, table: Table) -> pa.Table:
    return rows.select(table.arrow_schema.names).cast(table.arrow_schema)


def _narrowed(path: Path, table: Table, folder: Path) -> Path:
    """A part with the columns of the table and no others."""
    if pq.read_schema(path).names == table.arrow_schema.names:
        return path
    made = folder / f"{path.parent.name}-{path.name}"
    pq.write_table(_cast(pq.read_table(path), table), made)
    return made
