"""Skeletons of chosen cells: from CAVE's skeleton service into the folder of a version that is here."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from msgspec.structs import replace

from ingest.cave.service import CaveService
from ingest.job.chosen_cells import Which, roots_of
from ingest.job.scope import rows_here
from ingest.parts.plan import Part, chunks
from ingest.parts.progress import Progress, Silent
from ingest.parts.saved import PartsFolder
from ingest.parts.workers import WorkerPool
from warehouse.errors import SchemaDrift, SourceUnavailable, WarehouseError
from warehouse.registry.tables import SKELETON, TABLES
from warehouse.storage.disk import disk_errors
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Manifest, read_manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import complete_old_swap, job_lock, publish
from warehouse.storage.skeleton import Skeleton, concat_rows

log = logging.getLogger(__name__)

FORMAT = 4
"""The format of skeletons that is asked for: with radius and compartment."""
PER_REQUEST = 25
"""Some 16 MB; CAVE gives at most 500, some 315 MB."""
_MB_PER_CELL = 0.6
"""On the way, at 10,000 points."""
_WORKERS = 4
_SHOWN = 5
_SCOPES = ("chosen", "proofread", "neurons")
"""From the fewest cells to the most."""


class SkeletonJob:
    """One run: fetches the skeletons that are wanted and not here, and publishes them beside those that are."""

    def __init__(
        self,
        folder: Folder,
        version: int,
        which: Which,
        progress: Progress | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Prepare a run; nothing is asked or written yet.

        Args:
            folder: the warehouse's folder of the datastack.
            version: a version whose tables are here.
            which: "proofread", "neurons", or ids.
            progress: shows how far it is.
            again: fetch those that are here too, because they are damaged.

        Raises:
            WarehouseError: the version, or the table that says which cells are meant, is not here.
        """
        folder.require_version(version)
        self.folder = folder
        self.which = which
        self._again = again
        self.progress = progress or Silent()
        self.manifest = read_manifest(folder.manifest(version))
        self.wanted = roots_of(which, version, self._read)
        self._staging = folder.staging(version)
        self._parts_folder = PartsFolder(self._staging / "skeletons")
        self._lock = Lock()

    @property
    def missing(self) -> list[int]:
        """The segments whose skeletons are wanted and not here, ascending."""
        rows = None if self._again else self._read(SKELETON, ["pt_root_id"])
        here = set() if rows is None else set(pl.Series(rows["pt_root_id"]).unique())
        return sorted(set(self.wanted) - here)

    def cost(self) -> str:
        """What it takes to fetch what is missing, about, as a sentence."""
        cells = len(self.missing)
        requests = -(-cells // PER_REQUEST)
        return (
            f"skeletons of {cells:,} cells are missing: {requests:,} requests, "
            f"some {cells * _MB_PER_CELL:,.0f} MB on the way and a third of that on disk"
        )

    def run(self, connect: Callable[[], CaveService]) -> Manifest:
        """Fetch what is missing and publish it; does nothing, and asks nobody, when nothing is missing.

        A skeleton that the service has not ready is left out, and made there for the next run; of a crowd (all
        neurons) only what is ready is taken.

        Args:
            connect: connects to the service.

        Raises:
            WarehouseError: see `warehouse.errors`; what was fetched is kept for the next run.
        """
        version = self.manifest.version
        if not self.missing:
            log.info("the skeletons of %d cells are here; nothing to fetch", len(self.wanted))
            if self._staging.exists():
                with suppress(WarehouseError), job_lock(self._staging):  # another job will do it else
                    self._clear()
            return self.manifest
        with job_lock(self._staging), disk_errors(self.folder.path):
            complete_old_swap(self.folder, version)
            self.manifest = read_manifest(self.folder.manifest(version))
            self._forget_published()
            self._fetch(connect())
            self._publish()
            self._clear()
        self._say_what_is_left()
        return self.manifest

    def _clear(self) -> None:
        """Forget the parts of what is published, also those of a job that was killed just before it did so."""
        self._parts_folder.clear()
        if not any(self._staging.iterdir()):
            self._staging.rmdir()

    def _read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        return rows_here(self.folder, self.manifest, name, columns)

    def _paths(self, name: str) -> list[Path]:
        entry = self.manifest.tables.get(name)
        folder = self.folder.version(self.manifest.version)
        return [folder / file.path for file in entry.files] if entry else []

    def _forget_published(self) -> None:
        """Parts that a job has published just before it was killed are not there twice."""
        missing = set(self.missing)
        for stored in self._parts_folder.load():
            if not missing & set(stored.part.among):
                self._parts_folder.remove(stored)

    def _fetch(self, source: CaveService) -> None:
        service = source.service("skeleton")
        self._about: dict[str, Any] = {
            "url": f"{service.server_address}/skeletoncache/api/v1/{source.datastack}",
            "server": str(service.server_version),
        }
        parts = chunks(
            [stored.part for stored in self._parts_folder.load()], self.missing, PER_REQUEST, bound=lambda: 0
        )
        self.progress.begin(SKELETON, len(parts), None)
        left = len(parts)

        def work(part: Part) -> list[Part]:
            nonlocal left
            answer = source.ask(
                lambda: service.fetch_skeletons(
                    list(part.among),
                    skeleton_version=FORMAT,
                    generate_missing_skeletons=self.which != "neurons",
                )
            )
            rows = _readable(answer, part.among)
            self._parts_folder.save(part, concat_rows(rows), seen=len(rows))
            with self._lock:
                left -= 1
                self.progress.part(SKELETON, left)
            return []

        WorkerPool(work, _WORKERS).run(parts, on_error=source.stop)

    def _publish(self) -> None:
        parts = [stored.path for stored in self._parts_folder.load() if stored.rows]
        if not parts:
            return
        draft = self._staging / "assembled-skeletons"
        shutil.rmtree(draft, ignore_errors=True)
        before = self.manifest.tables.get(SKELETON)
        scope = self.which if isinstance(self.which, str) else "chosen"
        entry = write_table(
            draft,
            TABLES[SKELETON],
            [*([] if self._again else self._paths(SKELETON)), *parts],
            source="cave",
            url=self._about["url"],
            description=f"format {FORMAT} of skeleton service {self._about['server']}",
            scope=max((scope, before.scope if before else scope), key=_SCOPES.index),
            voxel_resolution=[1.0, 1.0, 1.0],
        )
        self.manifest = replace(self.manifest, tables={**self.manifest.tables, SKELETON: entry})
        self.manifest = publish(self.folder, draft, self.manifest)
        self._again = False

    def _say_what_is_left(self) -> None:
        if not (left := self.missing):
            return
        named = ", ".join(map(str, left[:_SHOWN])) + (", ..." if len(left) > _SHOWN else "")
        of = f"{len(left):,} of {len(self.wanted):,} cells"
        what = (
            "name them with --skeletons to have them made there"
            if self.which == "neurons"
            else "it was asked to make them: run the same command again in some minutes"
        )
        log.warning("CAVE has no skeleton ready of %s (%s); %s", of, named, what)


def _readable(answer: Mapping[str, Mapping[str, Any]], asked: Sequence[int]) -> list[pa.Table]:
    """The rows of each skeleton of an answer; one that cannot be read is left out with a word.

    Raises:
        SourceUnavailable: they are not those that were asked for.
        SchemaDrift: none can be read.
    """
    if not {int(root) for root in answer} <= set(asked):
        raise SourceUnavailable("CAVE sent skeletons of other cells than asked for; run the same command again")
    good, bad = [], []
    for root, content in sorted(answer.items()):
        try:
            good.append(_skeleton(int(root), content).rows())
        except SchemaDrift as error:
            bad.append(error)
    if bad and not good:
        raise bad[0]
    for why in bad:
        log.warning("%s", why)
    return good


def _skeleton(root_id: int, content: Mapping[str, Any]) -> Skeleton:
    """A skeleton out of CAVE's dictionary of lists."""
    try:
        vertices = np.asarray(content["vertices"], dtype=float).reshape(-1, 3)
        unknown = np.full(len(vertices), np.nan)
        return Skeleton(
            root_id,
            vertices,
            np.asarray(content["edges"], dtype=np.int64).reshape(-1, 2),
            np.asarray(content.get("radius", unknown), dtype=float),
            np.asarray(content.get("compartment", np.zeros(len(vertices))), dtype=np.int64),
            int(content["root"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaDrift(
            f"the skeleton of {root_id} has another form than known ({error}); update microns-warehouse"
        ) from error
