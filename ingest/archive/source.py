"""The public archive as a source of tables: one file a table, to anyone, without a token."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

from ingest.archive.dump import Header, dumped_schema, parse_header
from ingest.archive.table import ArchiveTable
from ingest.files.remote import Found, RemoteFiles
from ingest.parts.conform import declared, reduced
from ingest.parts.progress import Progress, Silent
from ingest.parts.saved import PartsFolder
from ingest.parts.source import Scope, Selection, SourceName
from ingest.parts.wanted import annotation_tables, in_order, is_about_synapses, needed
from warehouse.errors import SourceRefused, UsageError
from warehouse.registry.datastacks import DATASTACKS, MINNIE65, release_of
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES

log = logging.getLogger(__name__)

CELL_INFO = "aibs_cell_info"
PROOFREAD_SYNAPSES = "synapses_with_axon_proofreading"
ALL_SYNAPSES = (SYNAPSE, f"{SYNAPSE}_v1_filtered_view")
_PUBLISHED = {
    "v1507/synapses_with_axon_proofreading.csv.gz": (
        "3f0841cafb39531e9b42d8a936211da66db9f09cea96c74ec88e0d05e3d06fd5"
    ),
    "v1507/proofreading_status_and_strategy_merged.csv.gz": (
        "d10300976fc3dd5fdb411dd0308dff75ee1385bc08b69639c9f8d7e970a1c4b1"
    ),
    "v1507/aibs_cell_info_merged.csv.gz": "f26299762ef15a782a9323e9b8ae0740b85bb50fa1be7b42fbecb4adfac1b7f8",
    "v1412/proofreading_status_and_strategy_merged.csv.gz": (
        "c580c50da233cb8e5c1090e97a21d145d608b188843348a2dc9e29ff387221c5"
    ),
}
"""SHA-256 of files of the public archive, as others have published them; another file is refused."""
_AT_ONCE = 8
_BYTES_PER_SYNAPSE = 59
"""In the archive: 20,045,982,920 bytes of 337,312,428 synapses in version 1300."""
_STORED_PER_SYNAPSE = 28


@dataclass(frozen=True)
class Dump:
    """A table's file in the archive.

    Attributes:
        found: the file.
        header: its columns.
    """

    found: Found
    header: Header


class ArchiveSource:
    """Archived versions in a bucket or a folder; see `ingest.parts.source.Source`."""

    name: SourceName = "archive"
    workers = 4

    def __init__(
        self, datastack: str, bucket: RemoteFiles, progress: Progress | None = None, *, is_usual: bool = True
    ) -> None:
        """Prepare to look for files.

        Args:
            datastack: CAVE's name of the dataset.
            bucket: where the files are.
            progress: is told after each part.
            is_usual: whether nobody named the place: then files must be those that were published.
        """
        self.datastack = datastack
        self.bucket = bucket
        self._is_usual = is_usual
        self._progress = progress or Silent()
        self._dumps: dict[str, Dump] = {}

    def select(self, version: int, names: Sequence[str], scope: Scope, here: Mapping[str, Any]) -> Selection:
        """Look for the tables' files; without names, for all annotation tables and CAVE's list of cells.

        Tables about synapses have hundreds of millions of rows, so they are only taken when all synapses are, or
        when they are named.
        """
        self._dumps = {}  # of this version alone
        absent: dict[str, str] = {}
        if names:
            wanted = list(dict.fromkeys(names))
            self._look_for(version, wanted, scope)
            for name in wanted:
                self._require_known(name, version)
        else:
            every = [*annotation_tables(), CELL_INFO]
            heavy = {name for name in every if is_about_synapses(name) and name != SYNAPSE and scope != "all"}
            self._look_for(version, [name for name in every if name not in heavy], scope)
            self._require_any(version)
            absent = {name: self._why_absent(version) for name in every if name not in self._dumps}
            absent |= {name: _why_heavy(name, version) for name in heavy}
            wanted = [name for name in every if name not in heavy and (name in self._dumps or name == SYNAPSE)]
        if SYNAPSE in wanted:
            self._require_synapses(version, scope)
        more = needed(wanted, scope, [*TABLES], version, {*here, *wanted})
        self._look_for(version, more, scope)
        for name in more:
            self._require_known(name, version)
        tables = [self._declaration(name) for name in (*wanted, *more)]
        return Selection(version, self._time_stamp(version), in_order(tables), absent)

    def source_table(
        self, selection: Selection, table: Table, scope: Scope, parts_folder: PartsFolder
    ) -> ArchiveTable:
        """A table's file, to be read into parts."""
        dump = self._dumps[table.name]
        published = (
            _PUBLISHED.get(dump.found.url.removeprefix(f"{MINNIE65.archive}/"), "") if self._is_usual else ""
        )
        return ArchiveTable(
            self.bucket, dump.found, dump.header, table, scope, parts_folder, self._progress, published
        )

    def tools(self) -> dict[str, str]:
        """What the files are fetched with."""
        return {"requests": installed("requests")}

    def stop(self) -> None:
        """Try nothing again that fails from now on."""
        self.bucket.stop()

    def dump(self, version: int, *stems: str) -> Dump | None:
        """The first of these files that a version has, merged with its segmentation or not."""
        for stem in (each for name in stems for each in (f"{name}_merged", name)):
            url = f"v{version}/{stem}_header.csv"
            if (content := self.bucket.read(url)) is None:
                continue
            if found := self.bucket.find(f"v{version}/{stem}.csv.gz"):
                return Dump(found, parse_header(content, f"{self.bucket.url}/{url}"))
        return None

    def _look_for(self, version: int, names: Iterable[str], scope: Scope) -> None:
        def look(name: str) -> Dump | None:
            if name != SYNAPSE:
                return self.dump(version, name)
            return self.dump(version, *((PROOFREAD_SYNAPSES,) if scope == "proofread" else ALL_SYNAPSES))

        names = list(names)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            # The first one alone: if nobody answers, that is said once.
            dumps = [*map(look, names[:1]), *pool.map(look, names[1:])]
        self._dumps |= {name: dump for name, dump in zip(names, dumps, strict=True) if dump is not None}

    def _require_any(self, version: int) -> None:
        if self._dumps.keys() - {SYNAPSE}:
            return
        if self.dump(version, *ALL_SYNAPSES):
            raise SourceRefused(
                f"the archive of version {version} has no tables, only synapses; take them with: microns "
                f"snapshot {version} {SYNAPSE} --synapses all --source archive, and tables with --source cave"
            )
        known = DATASTACKS[self.datastack].releases if self.datastack in DATASTACKS else ()
        archived = ", ".join(str(release.version) for release in known if release.archived)
        raise SourceRefused(
            f"there is no table of version {version} in {self.bucket.url}; versions known to be archived: "
            f"{archived or 'none'}; what can be had where: microns versions"
        )

    def _require_known(self, name: str, version: int) -> None:
        if name != SYNAPSE and name in (PROOFREAD_SYNAPSES, *ALL_SYNAPSES):
            raise UsageError(
                f"{name} is a file of synapses; it is taken with: microns snapshot {version} {SYNAPSE}"
            )
        if name in self._dumps or name == SYNAPSE:
            return
        what = "is not" if name in TABLES else "is neither a table that this release knows, nor"
        raise (SourceRefused if name in TABLES else UsageError)(
            f"{name} {what} in the archive of version {version} ({self.bucket.url}/v{version}/{name}.csv.gz); "
            "leave it out, or ask CAVE: --source cave"
        )

    def _why_absent(self, version: int) -> str:
        return f"not in the archive of version {version} ({self.bucket.url})"

    def _require_synapses(self, version: int, scope: Scope) -> None:
        """Refuse when the synapses cannot be had, saying what can and what it costs."""
        if SYNAPSE in self._dumps:
            return
        whole = self.dump(version, *ALL_SYNAPSES)
        if scope != "proofread" or whole is None:
            raise SourceRefused(
                f"the archive of version {version} has no synapses; name tables to take without them, "
                f"or see where they can be had: microns versions"
            )
        size = whole.found.bytes
        stored = size / _BYTES_PER_SYNAPSE * _STORED_PER_SYNAPSE
        raise SourceRefused(
            f"the archive of version {version} has no file of the synapses of proofread axons alone, only one of "
            f"all of them. That is a download of {size / 1e9:,.1f} GB: --synapses all keeps everything "
            f"({stored / 1e9:,.1f} GB on the disk), --synapses neurons what is between cells (less). Without "
            "it: --source cave asks for the proofread ones (needs an account), version 1507 has the small file "
            "(80 MB), and tables that are named come without synapses"
        )

    def _declaration(self, name: str) -> Table:
        dump = self._dumps[name]
        schema = dumped_schema(dump.header)
        if name not in TABLES:
            log.info("%s is not described in this release; its columns are those of its header file", name)
            return declared(name, schema, {}, is_view=False)
        return reduced(TABLES[name], schema, dump.found.url)

    def _time_stamp(self, version: int) -> str:
        release = release_of(self.datastack, version)
        if release is None or not release.time_stamp:
            log.warning("this release does not know which moment version %d describes; it is NULL", version)
        return release.time_stamp if release else ""


def _why_heavy(name: str, version: int) -> str:
    return (
        "not fetched: its file in the archive is about all synapses of the volume; "
        f"to have it: microns snapshot {version} {name} --source archive"
    )
