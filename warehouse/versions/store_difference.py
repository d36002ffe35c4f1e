"""The synapses of a further version, stored as what differs from another version's.

A root id is immutable: every edit gives new ones. So a synapse differs between two versions when one of its roots
is no longer there, and a list of those roots says which rows of the base are dead. Nothing is taken on trust: rows
are compared with the base's one by one, what the list of roots does not explain goes to a list of ids (a synapse
that had no root before, say), and what readers then see is compared with what was fetched.

Rows that are the same in both versions lie in the same bucket of both, so one bucket is compared at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.checksum import SUMMED, Sums, checksum_of, sums_of, text_of
from warehouse.storage.clustering import Buckets, Rows, partitioned, write_bucket
from warehouse.storage.disk import disk_errors
from warehouse.storage.encoding import OFFSET, delta_bucket, logical_select, surface_type
from warehouse.storage.files import duckdb_columns, entry_of, file_of, require_unique, scratch_connection
from warehouse.storage.manifest import Base, DataFile, Lineage, TableEntry, read_manifest
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder, model_path
from warehouse.storage.publish import dependents, manifests_lock
from warehouse.storage.quoting import text_literal
from warehouse.versions.find_retired import Findings, find_retired

log = logging.getLogger(__name__)

_TOO_MUCH = 0.3
"""From this share of differing rows on, a full copy is the better choice."""


@dataclass(frozen=True)
class BaseVersion:
    """The version to compare with.

    Attributes:
        folder: of the datastack.
        version: its number.
        entry: its synapse table.
    """

    folder: Folder
    version: int
    entry: TableEntry

    @classmethod
    def of(cls, folder: Folder, version: int) -> BaseVersion:
        """A version that is here.

        Raises:
            WarehouseError: it is not, or has no synapses, or is itself stored against another one.
        """
        folder.require_version(version)
        entry = read_manifest(folder.manifest(version)).tables.get(SYNAPSE)
        if entry is None:
            raise WarehouseError(
                f"version {version} has no synapses here to compare with; leave out --base, or fetch them with: "
                f"microns snapshot {version} {SYNAPSE}"
            )
        if entry.base is not None:
            raise WarehouseError(
                f"version {version} is itself stored against version {entry.base.version}; name that one "
                f"(--base {entry.base.version}), or make version {version} a full copy: microns promote {version}"
            )
        return cls(folder, version, entry)

    @property
    def paths(self) -> list[Path]:
        """The files of its synapses."""
        return [self.folder.version(self.version) / file.path for file in self.entry.files]


@dataclass(frozen=True)
class _Sifted:
    """A bucket after the comparison: its number, rows that the base lacks, and the sums of all fetched rows."""

    number: int
    delta: Path
    sums: Sums


def require_storable(folder: Folder, version: int, table: Table, scope: str, base: BaseVersion | None) -> None:
    """Say why a version's synapses could not be stored, before they are fetched.

    Args:
        folder: of the datastack.
        version: the materialization version.
        table: the declaration of the synapse table.
        scope: which synapses are to be fetched.
        base: the version to store them against; None for a full copy.

    Raises:
        WarehouseError: the sentence.
    """
    if needed := dependents(folder, version):
        raise WarehouseError(
            f"version {needed[0]} is stored against the synapses of version {version} that are here; before "
            f"others take their place, make it a full copy: microns promote {needed[0]}"
        )
    if base is None:
        return
    number, entry = base.version, base.entry
    if entry.scope != scope:
        raise WarehouseError(
            f"version {number} holds synapses of scope {entry.scope}, not {scope}; only the same scope can be "
            f"compared: leave out --base, or ask for --synapses {entry.scope}"
        )
    if entry.encoding != OFFSET or not entry.bounds or _shown(entry) != duckdb_columns(table):
        raise WarehouseError(
            f"the synapses of version {number} were written by another release with other columns; "
            "leave out --base"
        )


def _shown(entry: TableEntry) -> dict[str, str]:
    return {name: surface_type(name, kind) for name, kind in entry.columns.items()}


def store_difference(
    directory: Path,
    version: int,
    table: Table,
    rows: Rows,
    base: BaseVersion,
    *,
    memory: int | None = None,
    **metadata: Any,
) -> TableEntry:
    """Write what differs from another version's synapses under `model/`, and prove that it is right.

    Args:
        directory: the version's folder, being put together.
        version: the materialization version.
        table: the declaration of the synapse table; its `arrow_schema` is what `rows` holds.
        rows: all rows of the version, the Parquet files that hold them, or what makes them; in any order.
        base: the version to compare with; `require_storable` has let it pass.
        memory: how many bytes it may take; half of the machine's if not given.
        **metadata: further fields of the `TableEntry` (source, url, scope, ...).

    Raises:
        SnapshotDamaged: what was written does not give the rows that were fetched.
        WarehouseError: the disk is full.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with disk_errors(directory), TemporaryDirectory(dir=directory, prefix=".dead-") as scratch:
        with partitioned(directory, table, rows, base.entry.bounds, memory=memory) as buckets:
            sifted = _sift(Path(scratch), buckets, base)
        paths = _written(directory, sifted)
        files = [file_of(directory, table, path) for path in paths]
        own = entry_of(directory, table, files, encoding=OFFSET, bounds=base.entry.bounds, **metadata)
        with _draft_connection(base.folder, directory, version, memory) as con:
            files_of = {"dead": sorted(Path(scratch).glob("dead-*.parquet")), "delta": paths, "base": base.paths}
            entry = _described(
                own,
                base,
                find_retired(con, directory, files_of, base.version),
                text_of(each.sums for each in sifted),
            )
            _prove(con, version, table, entry)
    _report(version, entry)
    return entry


def _described(own: TableEntry, base: BaseVersion, found: Findings, checksum: str) -> TableEntry:
    """The entry of the whole table, given that of the rows that the base lacks."""
    added = own.rows - found.changed
    difference = Base(
        base.version,
        base.entry.files,
        found.retired,
        found.dead,
        found.changed,
        added,
        found.removed,
        checksum,
    )
    rows = base.entry.rows + added - found.removed
    lineage = Lineage(base.version, found.lineage, base.entry.fingerprint)
    return replace(own, rows=rows, base=difference, lineages=[lineage])


def _sift(scratch: Path, buckets: Buckets, base: BaseVersion) -> list[_Sifted]:
    old = {bucket_of(file): path for file, path in zip(base.entry.files, base.paths, strict=True)}
    numbers = sorted({*buckets.numbers, *old})

    def sift(number: int) -> _Sifted:
        new = buckets.rows(number)
        before = pq.ParquetFile(old[number]).read(columns=new.column_names) if number in old else new.slice(0, 0)
        same_before, same_new = _same(before, new)
        pq.write_table(before.select(SUMMED).filter(pa.array(~same_before)), scratch / f"dead-{number}.parquet")
        delta = write_bucket(scratch, number, new.filter(pa.array(~same_new)))
        return _Sifted(number, delta, sums_of(new))

    return buckets.map(sift, numbers)


def _written(directory: Path, sifted: Sequence[_Sifted]) -> list[Path]:
    """What the base lacks, several of its buckets in a file."""
    target = directory / model_path("synapses_delta")
    paths = []
    for bucket, some in groupby(sifted, lambda each: delta_bucket(each.number)):
        rows = pa.concat_tables([pq.ParquetFile(each.delta).read() for each in some])
        paths.append(write_bucket(target, bucket, rows))
    return paths


def bucket_of(file: DataFile) -> int:
    """The bucket that a file of a table in buckets holds."""
    return int(Path(file.path).parent.name.removeprefix("b="))


def _same(before: pa.Table, new: pa.Table) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which rows of either side are on the other one just as they are."""
    ids = (before["id"].to_numpy(), new["id"].to_numpy())
    _, *places = np.intersect1d(*ids, assume_unique=True, return_indices=True)
    equal = np.ones(len(places[0]), dtype=bool)
    for name in new.column_names:
        a, b = (
            side[name].combine_chunks().take(pa.array(at)) for side, at in zip((before, new), places, strict=True)
        )
        equal &= pc.coalesce(pc.equal(a, b), pc.and_(pc.is_null(a), pc.is_null(b))).to_numpy(zero_copy_only=False)
    masks = [np.zeros(len(side), dtype=bool) for side in ids]
    for mask, at in zip(masks, places, strict=True):
        mask[at[equal]] = True
    return masks[0], masks[1]


@contextmanager
def _draft_connection(
    folder: Folder, directory: Path, version: int, memory: int | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which views of the version read what is being put together."""
    with scratch_connection(directory) as con:
        con.execute(f"SET memory_limit = '{memory or byte_count(None)}B'")
        own = f"v{version}/"
        con.execute(
            f"CREATE MACRO main._path(path) AS CASE WHEN starts_with(path, '{own}') "
            f"THEN {text_literal(str(directory) + '/')} || substr(path, {len(own) + 1}) "
            f"ELSE {text_literal(str(folder.path) + '/')} || path END"
        )
        yield con


def _prove(con: duckdb.DuckDBPyConnection, version: int, table: Table, entry: TableEntry) -> None:
    """What readers will see must be what was fetched."""
    con.execute(f"CREATE VIEW whole AS {logical_select(version, entry)}")
    require_unique(con, table, "FROM whole", entry.rows)
    if entry.base is None or entry.base.checksum != checksum_of(con, "whole"):
        raise SnapshotDamaged(
            f"the synapses of version {version} do not come out of what is stored as they were fetched; "
            "leave out --base, and please report this"
        )


def rebase(folder: Folder, version: int, synapses: TableEntry) -> None:
    """Let versions that are stored against another one read files of it that were written anew.

    Args:
        folder: of the datastack.
        version: the base.
        synapses: its table as it is now.

    Raises:
        SnapshotDamaged: a version would no longer hold the rows that were fetched.
    """
    for dependent in dependents(folder, version):
        manifest = read_manifest(folder.manifest(dependent))
        entry = manifest.tables[SYNAPSE]
        assert entry.base is not None
        if entry.bounds != synapses.bounds:
            raise SnapshotDamaged(
                f"the synapses of version {version} lie in other buckets than before, and version {dependent} is "
                f"stored against them; fetch it again: microns drop {dependent}, then microns snapshot {dependent}"
            )
        moved = replace(entry, base=replace(entry.base, files=synapses.files))
        with _draft_connection(folder, folder.version(dependent), dependent, None) as con:
            _prove(con, dependent, TABLES[SYNAPSE], moved)
        with manifests_lock(folder):
            replace(manifest, tables=manifest.tables | {SYNAPSE: moved}).write(folder.manifest(dependent))


def _report(version: int, entry: TableEntry) -> None:
    base = entry.base
    assert base is not None
    differ = base.changed + base.added
    share = differ / max(entry.rows, 1)
    retired, by_id = (sum(file.rows for file in files) for files in (base.retired, base.dead))
    log.info(
        f"version {version}: {differ:,} of {entry.rows:,} synapses ({share:.1%}) are not as in version "
        f"{base.version}, where {retired:,} of their roots are retired; {by_id:,} further rows are listed by id"
    )
    if entry.scope == "all" and base.added + base.removed:
        log.warning(
            f"version {version} has {base.added:,} synapses that version {base.version} lacks, and lacks "
            f"{base.removed:,} of its; CAVE's table of synapses should not change"
        )
    if share > _TOO_MUCH:
        log.warning(f"that is so much that a full copy answers faster: microns promote {version}")
