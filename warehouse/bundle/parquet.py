"""A bundle as a folder of Parquet files, for R and other programs that do not read DuckDB's own format."""

from __future__ import annotations

from pathlib import Path

from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle, require_size, workshop_beside
from warehouse.catalog.refusal import refusal, scope_text
from warehouse.catalog.schemas import raw_schema_of
from warehouse.catalog.views import load_views
from warehouse.errors import UsageError
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import datastack_of
from warehouse.storage.disk import disk_errors
from warehouse.storage.durable import make_durable
from warehouse.storage.manifest import Manifest, sha256_of
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted, text_literal

_SPANNING = ("versions", "provenance", "table_catalog", "data_dictionary", "dataset_constants", "bundle_cells")
_SAME_ROWS = ("connections", "connections_typed", "synapses_typed")
"""Views that repeat every synapse or pair with more columns: a join of the files that are there gives them."""
_README = """{made}

{title} ({time_stamp} UTC).
{scope}

cave/   tables of CAVE under its names; units stand in data_dictionary.csv
views/  what is derived from them, one file per view; data_dictionary.csv says what a row and a column mean

Ids have 18 digits: read them as 64-bit integers (in R: arrow with bit64), never as floats.
Whom to cite stands in views/table_catalog.parquet, where every table comes from in provenance.csv.
`sha256sum -c SHA256SUMS` verifies the files.
"""


def make_parquet(
    folder: Folder,
    version: int | None,
    choice: Choice,
    out: Path,
    *,
    max_bytes: int | None = None,
    supervoxels: bool = False,
    memory: str | None = None,
    trust: bool = False,
) -> Manifest:
    """Write what a bundle would hold as Parquet files; the arguments are those of `make_bundle`.

    Raises:
        UsageError: `out` is there already and is not an empty folder.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out} is there already; name a new folder, or remove it")
    with disk_errors(out), workshop_beside(out) as workshop:
        database, made = workshop / "bundle.duckdb", workshop / "made"
        manifest = make_bundle(
            folder,
            version,
            choice,
            database,
            max_bytes=max_bytes,
            supervoxels=supervoxels,
            memory=memory,
            trust=trust,
        )
        with connect(database, memory=memory, trust=True) as warehouse:
            _write(warehouse, made)
        require_size(sum(file.stat().st_size for file in made.rglob("*.*")), max_bytes)
        if out.exists():
            out.rmdir()
        make_durable([made, *made.rglob("*")])
        made.rename(out)
        make_durable([out.parent])
    return manifest


def _write(warehouse: Warehouse, folder: Path) -> None:
    manifest = warehouse.manifest
    for kind in ("cave", "views"):
        (folder / kind).mkdir(parents=True)
    for name in manifest.tables:
        _copy(warehouse, f"{raw_schema_of(manifest.version)}.{quoted(name)}", folder / "cave" / f"{name}.parquet")
    views = load_views(datastack_of(manifest.datastack)).values()
    for view in views:
        skipped = view.hidden or view.is_macro or view.spans_versions or view.name in _SAME_ROWS
        if not skipped and refusal(manifest, view) is None:
            _copy(warehouse, view.name, folder / "views" / f"{view.name}.parquet")
    for name in _SPANNING:
        _copy(warehouse, _source(name), folder / "views" / f"{name}.parquet")
    for name in ("data_dictionary", "provenance"):
        _copy(warehouse, _source(name), folder / f"{name}.csv")
    facts = {"title": manifest.title, "time_stamp": manifest.time_stamp, "scope": scope_text(manifest)}
    (folder / "README.txt").write_text(_README.format(made=manifest.tools["bundle"], **facts), "utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = (f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(sums), "utf-8", newline="\n")


def _source(name: str) -> str:
    # What the dictionary says of macros has no file here.
    return f"main.{name}{' WHERE kind = $$view$$' if name == 'data_dictionary' else ''}"


def _copy(warehouse: Warehouse, source: str, path: Path) -> None:
    how = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
    warehouse.cursor().execute(f"COPY (FROM {source}) TO {text_literal(str(path))} ({how})")
