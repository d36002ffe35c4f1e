"""What `microns check` verifies: files against the manifest, rows against the registry and against sql/checks.

A file in sql/checks is a query that returns the rows that break a rule; its header says why that matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from warehouse.catalog.references import rewrite
from warehouse.catalog.refusal import refusal
from warehouse.catalog.schemas import raw_schema_of
from warehouse.catalog.verify import verify, verify_database
from warehouse.catalog.version_schema import resolver
from warehouse.catalog.views import load_checks, load_views
from warehouse.commands.options import TABLE, Datastack, Output, Root, versions_here
from warehouse.commands.render import print_rows, table_text
from warehouse.errors import ChecksFailed
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import DEFAULT_DATASTACK, datastack_of
from warehouse.registry.schema import Column, Table
from warehouse.registry.tables import TABLES
from warehouse.storage.checksum import checksum_sql
from warehouse.storage.manifest import TableEntry
from warehouse.storage.paths import Folder
from warehouse.storage.quoting import quoted, text_literal

_SHOWN = 10


@dataclass(frozen=True)
class Result:
    """The outcome of one check.

    Attributes:
        version: the version that was checked.
        name: of the check.
        why: why a failure matters.
        columns, rows: some of the rows that break the rule.
        is_note: whether rows are worth a look, but break nothing.
    """

    version: int
    name: str
    why: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    is_note: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return self.is_note or not self.rows

    @property
    def state(self) -> str:
        """`ok`, `note` or `FAILED`."""
        return "ok" if not self.rows else "note" if self.is_note else "FAILED"

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.state:<6}  v{self.version} {self.name}"
        shown = table_text(self.columns, self.rows[:_SHOWN])
        more = "\n... and more" if len(self.rows) > _SHOWN else ""
        return f"{self.state:<6}  v{self.version} {self.name}: {self.why}\n{shown}{more}"


def check_versions(
    version: Annotated[int | None, Parameter(help="A version that is here. If not given: all of them.")] = None,
    *,
    quick: Annotated[
        bool, Parameter(negative=(), help="Only see that all files are there in their size: milliseconds.")
    ] = False,
    output: Output = TABLE,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Verify that the files are whole and unchanged, and that the rows keep the rules. Print the rows that do not.

    Each check is ok, a note (worth a look; it breaks nothing) or FAILED. If one failed, the exit code is 1.
    """
    form = output.form
    folder = Folder.of(root, datastack)
    found = (
        result
        for number in (folder.version_folders() or versions_here(folder) if version is None else [version])
        for result in check(folder, number, quick=quick)
    )
    failed = 0

    def counted() -> Iterator[Result]:
        nonlocal failed
        for result in found:
            failed += not result.ok
            yield result

    if form == "table":
        for result in counted():
            print(result)
    else:
        print_rows(_HEADER, map(_row, counted()), form)
    if failed:
        raise ChecksFailed(f"{failed} checks failed in {folder.path}; what each means is in its line above")


_HEADER = ("version", "result", "check", "why", "rows")


def _row(result: Result) -> tuple[Any, ...]:
    """A result for programs: `rows` holds some of those that break the rule."""
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows[:_SHOWN]]
    return result.version, result.state, result.name, result.why, rows


def check(folder: Folder, version: int, *, quick: bool = False) -> Iterator[Result]:
    """Verify a version; results come as they are found.

    Args:
        folder: of the datastack.
        version: the version.
        quick: only that all files are there in their size, which takes milliseconds.

    Raises:
        SnapshotNotFound: the version is not here, or the database does not know it yet.
    """
    if version not in folder.version_folders():
        folder.require_version(version)
    files = _files(folder, version, quick)
    yield files
    if quick or not files.ok:
        return  # what rows say of a damaged file means nothing
    with connect(version, folder.path.parent, folder.datastack) as warehouse:
        for name, entry in sorted(warehouse.manifest.tables.items()):
            if name in TABLES:
                yield from _registry(warehouse, TABLES[name], entry)
        yield from _rules(warehouse)


def _files(folder: Folder, version: int, quick: bool) -> Result:
    """Every file is there, unchanged, and nothing lies beside it that a reader would read too."""
    problems = [*verify_database(folder), *verify(folder, version, quick=quick)]
    rows = tuple((each.path, each.what) for each in problems)
    return Result(
        version,
        "files are those of the manifest",
        f"heal them with: microns repair {version}",
        ("file", "problem"),
        rows,
    )


def _registry(warehouse: Warehouse, table: Table, entry: TableEntry) -> Iterator[Result]:
    """What the declaration of a table promises about its rows."""
    raw = f"{raw_schema_of(warehouse.version)}.{quoted(table.name)}"
    present = [column for column in table.stored_columns if set(column.fields) <= set(entry.columns)]
    key = ", ".join(map(quoted, table.key))
    yield _run(
        warehouse,
        f"{table.name}: key is unique",
        "a repeated row counts twice in every answer",
        f"SELECT {key}, count(*) AS n_rows FROM {raw} GROUP BY {key} HAVING count(*) > 1",
    )
    yield _run(warehouse, f"{table.name}: nothing is missing", "joins drop such rows", _nulls(raw, present))
    if entry.base is not None:
        yield _run(
            warehouse,
            f"{table.name}: what is stored gives the rows that were fetched",
            f"it is stored as what differs from version {entry.base.version}; fetch it again without --base",
            f"SELECT {text_literal(entry.base.checksum)} AS fetched, {checksum_sql()} AS stored FROM {raw} "
            "HAVING fetched <> stored",
        )
    if entry.note:
        counts = ((entry.source_rows, entry.rows),)
        yield Result(
            warehouse.version,
            f"{table.name}: number of rows",
            entry.note,
            ("stored", "here"),
            counts,
            is_note=True,
        )
    reference = warehouse.manifest.tables.get(table.reference)
    if reference is not None and reference.scope == "all":
        other = f"{raw_schema_of(warehouse.version)}.{quoted(table.reference)}"
        yield _run(
            warehouse,
            f"{table.name}: every target exists",
            f"its target_id refers to {table.reference}; CAVE keeps annotations of rows that became invalid, and "
            "joins drop them",
            f"SELECT t.id, t.target_id FROM {raw} AS t ANTI JOIN {other} AS o ON o.id = t.target_id",
            is_note=True,
        )
    for column in present:
        if column.values:
            known = ", ".join(map(text_literal, column.values))
            yield _run(
                warehouse,
                f"{table.name}: {column.name} has known values",
                "a new word may be a type, no answer or misspelt, and views take it as it is: declare it",
                f"SELECT {quoted(column.name)}, count(*) AS n_rows FROM {raw} "
                f"WHERE {quoted(column.name)} NOT IN ({known}) GROUP BY ALL ORDER BY ALL",
            )


def _nulls(raw: str, present: list[Column]) -> str:
    required = [field for column in present if not column.nullable for field in column.fields]
    counts = ", ".join(
        f"{{'column': {text_literal(name)}, 'n_empty': count(*) - count({quoted(name)})}}" for name in required
    )
    return f"SELECT * FROM (SELECT unnest([{counts}], recursive := true) FROM {raw}) WHERE n_empty > 0"


def _rules(warehouse: Warehouse) -> Iterator[Result]:
    datastack = datastack_of(warehouse.manifest.datastack)
    views = load_views(datastack)
    resolve = resolver(warehouse.version, views, datastack)
    for rule in load_checks(views):
        if refusal(warehouse.manifest, rule) is None:
            yield _run(warehouse, rule.name, rule.doc, rewrite(rule.text, rule.found, resolve))


def _run(warehouse: Warehouse, name: str, why: str, query: str, *, is_note: bool = False) -> Result:
    relation = warehouse.sql(f"SELECT * FROM ({query}) LIMIT {_SHOWN + 1}")
    rows = tuple(map(tuple, relation.fetchall()))
    return Result(warehouse.version, name, why, tuple(relation.columns), rows, is_note)
