"""Where versions can be had, which source is best, and how to connect to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ingest.archive.source import ALL_SYNAPSES, CELL_INFO, PROOFREAD_SYNAPSES, ArchiveSource
from ingest.cave.service import CaveService, Versions
from ingest.cave.source import CaveSource
from ingest.delta.source import SPECS, DeltaSource
from ingest.files.remote import RemoteFiles, remote_files_at
from ingest.files.retry import RetryPolicy
from ingest.parts.progress import Progress
from ingest.parts.source import Scope, Source, SourceName
from warehouse.errors import SourceError, SourceRefused, UsageError
from warehouse.registry.datastacks import Datastack, datastack_of
from warehouse.registry.tables import NUCLEUS, SYNAPSE

log = logging.getLogger(__name__)

_T = TypeVar("_T")
BRIEF = RetryPolicy(attempts=2, first_attempts=2, wait=0.5, connect=5.0, read=15.0, first_read=15.0)
"""For questions whose answers are not worth waiting for."""
_AT_ONCE = 8
COLUMNS = ("version", "time_stamp", "cave", "archive", "delta", "here")
"""Of the table of versions."""
_PROBES = (
    ("tables", (NUCLEUS, CELL_INFO)),
    ("proofread synapses", (PROOFREAD_SYNAPSES,)),
    ("all synapses", ALL_SYNAPSES),
)
"""What an archived version may have, and the files that show it."""


@dataclass(frozen=True)
class Sources:
    """The sources where versions of a datastack can be had; each is asked when it matters.

    Attributes:
        datastack: CAVE's name of the dataset.
        service: connects to CAVE.
        location: another place of the files than the public ones; None for those.
    """

    datastack: str
    service: Callable[[], CaveService]
    location: str | None = None

    @property
    def _known(self) -> Datastack:
        """What is known of the datastack."""
        return datastack_of(self.datastack)

    @cached_property
    def _offered(self) -> Versions | str:
        """CAVE's versions, or why it cannot be asked."""
        try:
            return self.service().versions()
        except SourceError as error:
            return str(error)

    @cached_property
    def archive(self) -> RemoteFiles:
        """Where the dumps are."""
        return self._bucket(self._known.archive, BRIEF)

    @cached_property
    def lake(self) -> RemoteFiles:
        """Where the Delta tables are."""
        return self._bucket(self._known.lake, BRIEF)

    def _bucket(self, usual: str, policy: RetryPolicy | None = None) -> RemoteFiles:
        location = self.location or usual
        if not location:
            raise UsageError(f"no public files of {self.datastack} are known; say where they are with --from")
        return remote_files_at(location, policy)

    def connect(self, name: SourceName | None, version: int, scope: Scope, progress: Progress) -> Source:
        """The source to fetch from; the best one, with a line that says why, if none is named.

        Raises:
            SourceRefused: the version cannot be had.
        """
        if name is None:
            name, why = self.best(version, scope)
            log.info("version %d is fetched with --source %s: %s", version, name, why)
        if name == "archive":
            bucket = self._bucket(self._known.archive)
            return ArchiveSource(self.datastack, bucket, progress, is_usual=self.location is None)
        if name == "delta":
            return DeltaSource(self.datastack, self._bucket(self._known.lake), is_usual=self.location is None)
        return CaveSource(self.service())

    def archived(self, version: int) -> list[str]:
        """What the archive has of a version.

        Raises:
            SourceUnavailable: it does not answer.
        """
        return [what for what, stems in _PROBES if any(self._is_dumped(version, stem) for stem in stems)]

    def _is_dumped(self, version: int, stem: str) -> bool:
        names = (f"v{version}/{stem}_merged_header.csv", f"v{version}/{stem}_header.csv")
        return any(self.archive.find(name) for name in names)

    def in_lake(self, version: int) -> bool:
        """Whether the synapses of a version are there as a Delta table."""
        logs = (f"v{version}/{SYNAPSE}/{spec}/_delta_log/{0:020d}.json" for spec in SPECS)
        return any(self.lake.find(log) for log in logs)

    def best(self, version: int, scope: Scope) -> tuple[SourceName, str]:
        """The best source to fetch a version from, and why.

        Raises:
            SourceRefused: there is none.
        """
        if self.location is not None:
            if self.archived(version):
                return "archive", f"{self.location} has its files"
            return "delta", f"{self.location} has no files of the archive"
        offered = self._offered
        if isinstance(offered, Versions):
            is_live = version in offered.live
            why = "CAVE offers it, with every table and column"
            why_not = "it has expired at CAVE" if version in offered.expired else "CAVE does not know it"
        else:
            is_live, why, why_not = False, "", f"CAVE cannot be asked ({offered.split(';')[0]})"
        if is_live and scope in ("proofread", "cells", "proofread+cells"):
            return "cave", why
        nothing: list[str] = []
        archived = self._answer(lambda: self.archived(version), nothing)
        if "tables" in archived and (scope == "proofread" or "all synapses" in archived):
            return "archive", "one file is faster than thousands of requests" if is_live else why_not
        if is_live:
            return "cave", why
        if self._answer(lambda: self.in_lake(version), False):
            return "delta", f"{why_not}, and the archive has no tables of it"
        raise SourceRefused(
            f"version {version} of {self.datastack} cannot be had: {why_not}, and neither the archive nor the "
            "Delta tables have what is asked for; what can be had where: microns versions"
        )

    def _answer(self, question: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return question()
        except SourceError as error:
            log.warning("%s", error)
            return otherwise

    def _reached(self, bucket: Callable[[], RemoteFiles]) -> bool:
        """Whether somebody answers there; one question, so that silence is said once."""
        try:
            bucket().find("v0/none")
        except (SourceError, UsageError) as error:
            log.warning("%s", error)
            return False
        return True

    def table(self, here: Sequence[int]) -> list[tuple[int, str, str, str, str, str]]:
        """All versions that anybody knows of, and where each can be had; the columns are `COLUMNS`.

        Args:
            here: the versions that are in the warehouse.
        """
        offered = self._offered
        times: dict[int, str] = {}
        if isinstance(offered, Versions):
            times = self._answer(lambda: self.service().times(), times)
        known = {release.version: release for release in self._known.releases}
        versions = set(known) | set(here)
        if isinstance(offered, Versions):
            versions |= {*offered.live, *offered.expired}
        else:
            log.warning("CAVE could not be asked: %s", offered)
        numbers = sorted(versions)

        has_archive, has_lake = self._reached(lambda: self.archive), self._reached(lambda: self.lake)

        def files(version: int) -> tuple[str, str]:
            archived = ", ".join(self.archived(version)) if has_archive else "?"
            return archived, ("?" if not has_lake else "synapses" if self.in_lake(version) else "")

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            filed = list(pool.map(files, numbers))
        rows = []
        for version, (archived, lake) in zip(numbers, filed, strict=True):
            release, cave = known.get(version), "?"
            if isinstance(offered, Versions):
                cave = "yes" if version in offered.live else "expired" if version in offered.expired else "no"
            stamp = times.get(version) or (release.time_stamp if release else "")
            rows.append((version, stamp, cave, archived, lake, "yes" if version in here else ""))
        return rows
