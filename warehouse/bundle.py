"""Making a bundle: one DuckDB file that holds a version's tables, the synapses of a choice, and every view.

It answers as a warehouse does, because its names are made by the same code; only where rows are differs, and the
scope of its synapses, by which views answer or refuse. Rows that could not be computed from fewer synapses
(degrees, say) are carried over from the warehouse, where they are stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from warehouse.build import create_names, database
from warehouse.bundle_rows import RowsOfBundle, is_stored, native_model, require_size
from warehouse.choice import Choice
from warehouse.comparing import create_spanning
from warehouse.datastacks import datastack_of
from warehouse.dictionary import quoted, text_literal
from warehouse.disk import disk_errors
from warehouse.encoding import rows_schema_of
from warehouse.engine import MANIFEST_TABLE
from warehouse.errors import FolderBusy, UsageError, WarehouseError
from warehouse.layout import Folder
from warehouse.manifest import Manifest, TableEntry
from warehouse.memory import byte_count
from warehouse.session import connect
from warehouse.store import now
from warehouse.version_schema import create_curated, refusal
from warehouse.version_texts import schema_of
from warehouse.views import View, load_views

_CELLS_DOC = (
    "The cells that were chosen for this bundle, one row per nucleus: all of their synapses are here.\n\n"
    "Of other cells not all inputs are here; the outputs of proofread axons are, if the bundle was made of them. "
    "Empty where no cells were chosen."
)
_CELLS = {
    "nucleus_id": ("BIGINT", "The cell: its id in the table of nuclei"),
    "pt_root_id": ("BIGINT", "Its segment in this version"),
    "cell_class": ("VARCHAR", "Class of the cell: excitatory, inhibitory, nonneuron"),
    "cell_type": ("VARCHAR", "Type of the cell, by the precedence of `cells`"),
}


def make_bundle(
    folder: Folder,
    version: int | None,
    choice: Choice,
    out: Path,
    *,
    max_bytes: int | None = None,
    supervoxels: bool = False,
    memory: str | None = None,
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

    Raises:
        UsageError: the choice cannot be made from what is here, DuckDB could not open a file of this name, or
            something else has it.
        SnapshotNotFound: there is no such version.
        WarehouseError: the bundle would be larger than `max_bytes`, or the disk is full.
        FolderBusy: another program has the file open (Windows).
    """
    _require_name(out)
    views = load_views(datastack_of(folder.datastack))
    with disk_errors(out), _beside(out) as temporary:
        with connect(version, folder.path.parent, folder.datastack, memory=memory) as warehouse:
            rows = RowsOfBundle(
                warehouse.cursor(), warehouse.manifest, choice, max_bytes=max_bytes, supervoxels=supervoxels
            )
            manifest = rows.write(temporary, views)
        with database(temporary, folder.path, byte_count(memory)) as con:
            manifest = _create_names(con, manifest, views)
        require_size(temporary.stat().st_size, max_bytes)
        _take_place(temporary, out)
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
            connect(out).close()
        except WarehouseError:
            raise UsageError(f"{out} is there already and is no bundle; choose another name") from None


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A place for the file while it is made, on the same disk."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=".bundle-") as workshop:
        yield Path(workshop) / "bundle.duckdb"


def _take_place(temporary: Path, out: Path) -> None:
    try:
        temporary.replace(out)
    except PermissionError as error:
        raise FolderBusy(
            f"{out} is open in another program; close it there and run the same command again"
        ) from error


def _create_names(con: duckdb.DuckDBPyConnection, manifest: Manifest, views: Mapping[str, View]) -> Manifest:
    """Views, macros and comments over the rows, in the current database; returns the manifest as it then is."""
    version = manifest.version

    def store(manifest: Manifest) -> Manifest:
        return _store_models(con, manifest, views)

    finished = create_names(con, manifest.datastack, {version: manifest}, version, store)[version]
    cells = (
        f"SELECT c.nucleus_id, c.pt_root_id, c.cell_class, c.cell_type FROM {schema_of(version)}.cells AS c "
        f"JOIN {schema_of(version)}._complete_roots AS r ON r.pt_root_id = c.pt_root_id"
    )
    create_spanning(con, "bundle_cells", _CELLS_DOC, _CELLS, cells)
    con.execute(
        f"CREATE SCHEMA local; CREATE TABLE {rows_schema_of(version)}.{MANIFEST_TABLE} AS "
        f"SELECT {text_literal(finished.to_json())} AS manifest"
    )
    return finished


def _store_models(con: duckdb.DuckDBPyConnection, manifest: Manifest, views: Mapping[str, View]) -> Manifest:
    """Store the views that are to be stored, can be made here, and were not carried over."""
    for view in views.values():
        if not is_stored(view) or view.name in manifest.models or refusal(manifest, view) is not None:
            continue
        rows = con.sql(
            f"FROM {schema_of(manifest.version)}.{view.name} ORDER BY {', '.join(map(quoted, view.store))}"
        )
        columns = dict(zip(rows.columns, map(str, rows.types), strict=True))
        table = native_model(view.name)
        rows.create(f"{rows_schema_of(manifest.version)}.{table}")
        entry = TableEntry("view", "", "all", columns, len(rows), [], fetched=now(), table=table)
        manifest = replace(manifest, models=manifest.models | {view.name: entry})
        create_curated(con, manifest, view, views)
    return manifest
