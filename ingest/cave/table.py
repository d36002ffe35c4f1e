"""A table that a snapshot fetches from CAVE, and the requests that fetch it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.cave.service import CaveService
from ingest.parts.conform import conform
from ingest.parts.plan import Part, bound_above, chunks, rows_per_answer, tiles, window_width, windows
from ingest.parts.saved import PartsFolder, SavedPart
from ingest.parts.source import Cost, Scope
from ingest.parts.wanted import axon_rows, kept, wire_bytes
from warehouse.errors import SourceUnavailable
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sizes:
    """How much to ask for at once.

    Attributes:
        rows: rows that one answer should hold: half of the smallest row cap that CAVE is known to have.
        single: tables with fewer rows are asked for whole.
        roots: roots of proofread axons per request; an axon has a thousand outputs.
        ids: synapse ids per request, for tables about synapses.
        workers: requests at once.
    """

    rows: int = 100_000
    single: int = 200_000
    roots: int = 50
    ids: int = 10_000
    workers: int = 4


@dataclass(frozen=True)
class CaveVersion:
    """One version of one service, as all requests need it.

    Attributes:
        service: the service.
        version: the materialization version.
        is_merged: whether it has the older layout.
    """

    service: CaveService
    version: int
    is_merged: bool


@dataclass
class CaveTable:
    """One table to fetch; see `ingest.parts.source.SourceTable`.

    Attributes:
        cave_version: where from.
        table: the declaration.
        parts_folder: where its parts wait.
        sizes: how much to ask for at once.
        count: the number of rows according to the service, of the whole table.
        scope: which rows are kept.
        metadata: CAVE's metadata of the table.
        by: the column that values are asked by; "" to ask by ids.
        among: the values to ask for.
        keep: per column, the values that are kept of what was asked for.
        cap: the service's row limit, once it was met.
        note: what was odd, for the manifest.
    """

    cave_version: CaveVersion
    table: Table
    parts_folder: PartsFolder
    sizes: Sizes
    count: int
    scope: Scope = "all"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    among: list[int] = field(default_factory=list)
    keep: dict[str, pa.Array] = field(default_factory=dict)
    cap: int | None = None
    note: str = ""
    _bound: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """CAVE's name of the table."""
        return self.table.name

    @property
    def is_view(self) -> bool:
        """Whether CAVE computes it when asked."""
        return self.table.kind == "view"

    @property
    def rows_to_come(self) -> int | None:
        """The service's count, unless only some rows are asked for."""
        return None if self.by else self.count

    def keep_only(self, wanted: Mapping[str, pa.Array]) -> None:
        """Keep only rows with these values.

        Ids, and roots of proofread axons and chosen cells, are asked for; roots of neurons are too many to ask by,
        so the whole table is asked for, and few of its rows are kept.
        """
        if self.scope not in ("all", "neurons") and len(wanted) == 1:
            ((self.by, values),) = wanted.items()
            self.among = values.to_pylist()
        else:
            self.keep = dict(wanted)

    def missing(self) -> list[Part]:
        """The requests that are still to be made."""
        done = [stored.part for stored in self.parts_folder.load()]
        if self.by:
            # A dendrite has several times as many synapses as an axon.
            sizes = {"target_id": self.sizes.ids, "post_pt_root_id": max(1, self.sizes.roots // 5)}
            size = sizes.get(self.by, self.sizes.roots)
            return chunks(done, self.among, size, self.bound)
        if any(part.high is None for part in done):
            return []
        if not done and self.count < self.sizes.single:
            return [Part()]
        return windows(done, self.bound(), self._width())

    def fetch(self, part: Part) -> list[Part]:
        """Fetch one part and keep it; returns the parts that it must be cut into instead, if it was too large.

        Raises:
            SourceUnavailable: the service fails, or sends what was not asked for.
            SchemaDrift: its columns are not the declared ones.
        """
        answer = self.cave_version.service.rows(
            self.cave_version.version, self.name, part, by=self.by, columns=self._columns(), view=self.is_view
        )
        cap = answer.cap or self.cap
        if cap is not None and answer.rows.num_rows >= cap:
            # A full page may be all there is; the service does not say.
            self.cap = cap
            return self.cut(part)
        rows = conform(self.table, answer.rows, is_merged=self.cave_version.is_merged)
        self._require_as_asked(part, rows)
        self.parts_folder.save(part, self._kept(rows), seen=rows.num_rows)
        return []

    def cut(self, part: Part) -> list[Part]:
        """Smaller parts that together are this one.

        Raises:
            SourceUnavailable: it cannot be cut.
        """
        if "id" not in self.table.arrow_schema.names:
            raise SourceUnavailable(
                f"{self.name} has more rows than CAVE sends at once, and no id to ask for them in pieces; "
                "name the other tables instead"
            )
        if not part.among and (part.high is None or self._width() < (part.high - part.low) // 2):
            high = self.bound() if part.high is None else part.high
            return [Part(*tile) for tile in tiles(part.low, high, self._width())]
        halves = part.halves(self.bound)
        if halves is None:
            raise SourceUnavailable(
                f"CAVE sends more than one row of {self.name} for id {part.low}; report this to it"
            )
        return list(halves)

    def smaller(self, part: Part) -> list[Part]:
        """Smaller parts that together are this one, if it can be cut."""
        few = len(part.among) <= 1 and part.high is not None and part.high - part.low <= 1
        return [] if few or "id" not in self.table.arrow_schema.names else self.cut(part)

    def complete(self) -> list[SavedPart]:
        """The parts, whose rows are as many as the service counts."""
        return require_complete(self)

    def cost(self, rows: Mapping[str, int]) -> Cost:
        """The requests that are left, and what they bring."""
        sizes, here = self.sizes, self.count
        if self.scope == "proofread":
            here = min(here, axon_rows(rows))
            per_request = axon_rows({}, sizes.roots) if self.name == SYNAPSE else sizes.ids
        else:
            per_request = sizes.rows if here >= sizes.single else max(here, 1)
        requests = max(1, -(-here // per_request))
        left = max(0, requests - self.parts_folder.count())
        here = here * left // requests
        return Cost(left, here, wire_bytes(self.table, here))

    def size_notice(self) -> str:
        """What it takes to ask for all synapses that are not here yet."""
        if self.name != SYNAPSE or self.by:
            return ""
        rows = self.count - sum(stored.seen for stored in self.parts_folder.load())
        return (
            f"all synapses are asked for: {rows:,} to come, in about {len(self.missing())} requests "
            f"of {wire_bytes(self.table, rows) / 1e6:,.0f} MB in all; stop and continue whenever you like"
        )

    def entry(self) -> dict[str, Any]:
        """Where it comes from, and CAVE's metadata."""
        metadata = self.metadata
        resolution = metadata.get("voxel_resolution") or ()
        return {
            "source": "cave",
            "url": self.cave_version.service.url(self.cave_version.version, self.name, view=self.is_view),
            "scope": self.scope,
            "source_rows": self.count,
            "note": self.note,
            "schema_type": str(metadata.get("schema_type") or self.table.schema_type),
            "description": str(metadata.get("description") or ""),
            "notice_text": str(metadata.get("notice_text") or ""),
            "reference_table": str(metadata.get("reference_table") or ""),
            "voxel_resolution": [float(size) for size in resolution if size is not None],
        }

    def bound(self) -> int:
        """A number above all ids of the table; costs some requests the first time."""
        with self._lock:
            if self._bound is None:
                self._bound = bound_above(self._exists, self.count, self._rows_per_answer())
            return self._bound

    def counted(self, run: list[SavedPart]) -> int:
        """How many rows the service counts for parts that lie side by side."""
        service, version = self.cave_version.service, self.cave_version.version
        parts = [stored.part for stored in run]
        if not self.by:
            parts = [Part(parts[0].low, parts[-1].high)]
        else:
            whole = [value for part in parts if part.high is None for value in part.among]
            parts = chunks([], whole, self.sizes.ids, self.bound) + [part for part in parts if part.high]
        return sum(service.count_where(version, self.name, part, by=self.by, view=self.is_view) for part in parts)

    def _exists(self, bound: int) -> bool:
        names = {column.name for column in self.table.columns}
        second = "valid" if "valid" in names else self.table.columns[-1].name
        answer = self.cave_version.service.rows(
            self.cave_version.version, self.name, Part(bound), columns=("id", second), limit=1, view=self.is_view
        )
        return bool(answer.rows.num_rows)

    def _columns(self) -> list[str] | None:
        """All columns, so that a change is noticed; of synapses only those that are kept, for their number."""
        return [column.name for column in self.table.stored_columns] if self.name == SYNAPSE else None

    def _rows_per_answer(self) -> int:
        return rows_per_answer(self.cap, self.sizes.rows)

    def _width(self) -> int:
        return window_width(self.count, self.bound(), self._rows_per_answer())

    def _kept(self, rows: pa.Table) -> pa.Table:
        return kept(rows, self.keep, self.scope)

    def _require_as_asked(self, part: Part, rows: pa.Table) -> None:
        """Distinct ids, inside the range, with the values that were asked for."""
        wrong = ""
        if "id" in rows.column_names and rows.num_rows:
            span = pc.min_max(rows["id"]).as_py()
            if rows["id"].null_count or pc.count_distinct(rows["id"]).as_py() != rows.num_rows:
                wrong = "the same id twice"
            elif span["min"] < part.low or (part.high is not None and span["max"] >= part.high):
                wrong = f"ids {span['min']} to {span['max']}"
        if part.among and not pc.all(pc.is_in(rows[self.by], value_set=pa.array(part.among, pa.int64()))).as_py():
            wrong = f"rows with another {self.by}" if rows.num_rows else wrong
        if wrong:
            raise SourceUnavailable(
                f"CAVE sent {wrong} when asked for {self.name} with ids from {part.low} to {part.high}; "
                "run the same command again"
            )


def require_complete(cave_table: CaveTable) -> list[SavedPart]:
    """The parts of a table: they leave nothing out, and their rows are as many as the service counts.

    The number that the service has stored of a table may be off: it is counted before the version is copied, and
    rows that become invalid in between are not copied. What it counts in the version itself decides then.

    That ids are distinct follows: each part's are, and parts share none (different ranges, different roots); the
    writer looks at all of them once more.

    Raises:
        SourceUnavailable: a part is missing, or the numbers differ; the parts that are wrong are forgotten.
    """
    stored = cave_table.parts_folder.load()
    if cave_table.missing():
        raise SourceUnavailable(f"parts of {cave_table.name} are missing on disk; run the same command again")
    seen = sum(part.seen for part in stored)
    expected = _expected(cave_table, stored)
    if seen == expected:
        return stored
    wrong = _suspects(cave_table, stored)
    for part in wrong:
        cave_table.parts_folder.remove(part)
    if wrong:
        raise SourceUnavailable(
            f"CAVE sent {seen:,} rows of {cave_table.name} and counts {expected:,}: it cut {len(wrong)} answers "
            "short without saying so; run the same command again, it fetches only those"
        )
    if "id" not in cave_table.table.arrow_schema.names:
        raise SourceUnavailable(
            f"CAVE counted {expected:,} rows of {cave_table.name} at first, and {seen:,} later; "
            "run the same command again"
        )
    cave_table.note = (
        f"CAVE's stored number of rows is {expected:,}; it serves {seen:,} with distinct ids, and counts as many"
    )
    log.warning("%s: %s, so these are all", cave_table.name, cave_table.note)
    return stored


def _expected(cave_table: CaveTable, stored: list[SavedPart]) -> int:
    """The service's own count of what was asked for."""
    if not cave_table.by:
        return cave_table.count
    return cave_table.counted(stored) if stored else 0


def _suspects(cave_table: CaveTable, run: list[SavedPart]) -> list[SavedPart]:
    """The parts whose rows are not as many as the service counts for them, found by halving."""
    if not run or sum(part.seen for part in run) == cave_table.counted(run):
        return []
    if len(run) == 1:
        return run
    middle = len(run) // 2
    return _suspects(cave_table, run[:middle]) + _suspects(cave_table, run[middle:])
