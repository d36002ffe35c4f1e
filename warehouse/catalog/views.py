"""The curated views: SQL files, each with a header that says what it means (`header.py`).

A file holds one bare SELECT and is named like the view. The comment behind an item of the SELECT says what the
column means, its unit last, in square brackets; a column that passes through under its own name keeps the text of
its source. Files name tables and views by bare names.

What only the registry or the manifests know is a file without a SELECT (`made:` in its header), and is made by a
function in `base_relations.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter

from warehouse.catalog.base_relations import of_dataset
from warehouse.catalog.header import MADE, MadeColumn, made_columns, read_header, signature, words
from warehouse.catalog.references import Reference, Texts, is_scalar, item_texts, parse, references
from warehouse.catalog.sql_files import sql_files, sql_root
from warehouse.errors import ViewError
from warehouse.registry.datastacks import Datastack, table_called
from warehouse.registry.schema import Column, Table
from warehouse.registry.tables import TABLES

VIEWS_VERSION = 4
"""The meaning of the SQL: raised whenever a view starts to answer differently."""

_ANY = "any"
_NAME = re.compile(r"_?[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class View:
    """One file: a view, or a macro.

    Attributes:
        name: of the file, without `.sql`.
        folder: the science it belongs to.
        text: the query as written, without the header; of a relation that is made of the dataset, as it was made;
            empty where versions are needed to make it.
        summary: its first sentence.
        doc: the whole explanation.
        grain: columns that identify a row.
        requires: groups of tables; of each group one must be there.
        scope: synapse scopes in which the answer is right; empty for all.
        warnings, cites, questions, examples: as in the header.
        store: order of the rows in Parquet, if they are stored; it must identify a row.
        row_group: rows in a row group of the stored file; 0 for the usual number.
        buckets: `made`: the query can be asked for the segments of one bucket; `kept`: rows are stored by bucket.
        layout: the only layout of a version in which they are stored; empty for every one.
        signature: of a macro, with defaults, in parentheses; None for a view.
        is_scalar: whether it is a macro that returns one value, not rows.
        columns: of the result, to what they mean.
        found: the names that the text refers to.
        is_cross_version: whether it is of one version and built on what spans versions.
        only: `bundles` where it is not in a warehouse.
        made: from what the build makes it; empty for what has a SELECT.
        declared: the columns of what is made.
    """

    name: str
    folder: str
    text: str
    summary: str
    doc: str
    grain: tuple[str, ...]
    requires: tuple[tuple[str, ...], ...]
    scope: tuple[str, ...]
    warnings: tuple[str, ...]
    cites: tuple[str, ...]
    questions: tuple[str, ...]
    examples: tuple[str, ...]
    store: tuple[str, ...]
    row_group: int
    buckets: str
    layout: str
    signature: str | None
    is_scalar: bool
    found: tuple[Reference, ...]
    columns: Texts = field(default_factory=dict)
    is_cross_version: bool = False
    only: str = ""
    made: str = ""
    declared: tuple[MadeColumn, ...] = ()

    @property
    def hidden(self) -> bool:
        """Whether it is an intermediate step, not for users."""
        return self.name.startswith("_")

    @property
    def comment(self) -> str:
        """All that the header says, for people who read it in the database."""
        parts = [self.doc]
        parts += [f"One row per {', '.join(self.grain)}."] if self.grain else []
        parts += [f"Mind: {warning}." for warning in self.warnings]
        parts += [f"Cite: {', '.join(self.cites)}."] if self.cites else []
        return "\n\n".join(parts)

    @property
    def is_macro(self) -> bool:
        """Whether it takes arguments."""
        return self.signature is not None

    @property
    def spans_versions(self) -> bool:
        """Whether it is about all versions at once, and therefore in `main` only."""
        return self.folder == "versions"

    def dependencies(self, names: Mapping[str, object]) -> set[str]:
        """Which of `names` it is built on."""
        return {each.name for each in self.found if not each.raw and each.name in names and each.name != self.name}


@cache
def load_views(datastack: Datastack) -> Mapping[str, View]:
    """All views and macros of a datastack, each after those it is built on."""
    return assemble(dict(sql_files(sql_root())), datastack)


def load_checks(views: Mapping[str, View]) -> list[View]:
    """The queries of sql/checks, which return the rows that break a rule."""
    folder = sql_root() / "checks"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [_inherit(parse_view(f"checks/{file.name}", file.read_text("utf-8")), views) for file in files]


def assemble(sources: Mapping[str, str], datastack: Datastack) -> dict[str, View]:
    """Views out of SQL files by path, ordered and documented.

    Raises:
        ViewError: a file breaks a rule; the sentence names file and line.
    """
    views: dict[str, View] = {}
    for path, content in sources.items():
        view = parse_view(path, content)
        if view.made == "of the dataset":
            view = replace(view, text=of_dataset(view, datastack))
        if view.name in views:
            raise ViewError(
                f"sql/{path}: there is another view named {view.name}, in sql/{views[view.name].folder}"
            )
        views[view.name] = view
    ordered: dict[str, View] = {}
    try:
        order = list(
            TopologicalSorter({name: view.dependencies(views) for name, view in views.items()}).static_order()
        )
    except CycleError as error:
        raise ViewError(
            f"sql/: views are built on each other in a circle: {' -> '.join(error.args[1])}"
        ) from error
    for name in order:
        ordered[name] = _inherit(_documented(views[name], ordered, datastack), ordered)
    parse.cache_clear()
    return ordered


def parse_view(path: str, content: str) -> View:
    """One SQL file as a view, its passed-through columns not yet documented."""
    folder, _, file = path.rpartition("/")
    name = file.removesuffix(".sql")
    if not _NAME.fullmatch(name):
        raise ViewError(f"sql/{path}: names under sql/ are lower_snake, and this one is not")
    lines = content.splitlines()
    height = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    summary, doc, keys = read_header(path, lines[:height])
    text = "\n".join(lines[height:]).strip()
    made = " ".join(keys["made"])
    try:
        row_group = " ".join(keys["row_group"]) or "0"
        if not row_group.isdecimal():
            raise ViewError(f"the header's row_group is {row_group!r}; write a number of rows")
        macro = signature(name, keys["macro"])
        declared = made_columns(keys["column"])
        if made:
            found, scalar = _read_by_made(name, made, text, declared, words(keys["reads"])), macro is not None
        elif declared or keys["reads"]:
            raise ViewError("only what the build makes has column and reads; say how with made, or remove them")
        else:
            tree = parse(text)
            found, scalar = references(tree), macro is not None and is_scalar(tree)
        return View(
            name=name,
            folder=folder,
            text=text,
            summary=summary,
            doc=doc,
            grain=words(keys["grain"]),
            requires=tuple(tuple(re.split(r"\s+or\s+", each)) for each in words(keys["requires"])),
            scope=words(keys["scope"]),
            warnings=tuple(keys["warning"]),
            cites=words(keys["cite"]),
            questions=words(keys["questions"]),
            examples=tuple(keys["example"]),
            store=words(keys["store"]),
            row_group=int(row_group),
            buckets=" ".join(keys["buckets"]),
            layout=" ".join(keys["layout"]),
            signature=macro,
            is_scalar=scalar,
            found=found,
            only=" ".join(keys["only"]),
            made=made,
            declared=declared,
        )
    except ViewError as error:
        raise ViewError(f"sql/{path}, after the header of {height} lines: {error}") from error


def _read_by_made(
    name: str, made: str, text: str, declared: tuple[MadeColumn, ...], reads: tuple[str, ...]
) -> tuple[Reference, ...]:
    """What a made relation is built on, which no SELECT says."""
    if made not in MADE:
        raise ViewError(f"the header's made is {made!r}; write one of: {', '.join(MADE)}")
    if text:
        raise ViewError("the build makes this, so the SELECT would never run; remove it, or the line made")
    if not name.startswith("_"):
        raise ViewError("what the build makes is hidden: begin its name with _, and let a SELECT read it")
    named = dict.fromkeys((*reads, *(column.source for column in declared if column.source)))
    return tuple(Reference(each, False, False, 0, 0) for each in named)


def _documented(view: View, before: Mapping[str, View], datastack: Datastack) -> View:
    if view.made:
        return replace(view, columns=_declared_texts(view, before, datastack))
    texts = item_texts(parse(view.text), lambda reference: _texts_of(reference, before, datastack))
    blank = [name for name, text in texts.items() if not text]
    if blank and not view.hidden:
        raise ViewError(
            f"sql/{view.folder}/{view.name}.sql: nothing says what {', '.join(blank)} means; "
            "write a comment behind the item"
        )
    return replace(view, columns=texts)


def _declared_texts(view: View, before: Mapping[str, View], datastack: Datastack) -> dict[str, str]:
    texts: dict[str, str] = {}
    for column in view.declared:
        if column.source:
            texts |= _texts_of(Reference(column.source, False, False, 0, 0), before, datastack) or {}
        else:
            texts[column.name] = column.text
    return texts


def _inherit(view: View, before: Mapping[str, View]) -> View:
    """What a view is built on must be there for it too, or it would answer from nothing.

    What is made of all versions leaves out those that cannot answer, so it needs nothing.
    """
    if view.made == "of all versions":
        return view
    below = [before[name] for name in sorted(view.dependencies(before))]
    requires = dict.fromkeys((*view.requires, *(group for each in below for group in each.requires)))
    scopes = [set(each.scope) for each in (view, *below) if each.scope]
    scope = sorted(set.intersection(*scopes)) if scopes and _ANY not in view.scope else ()
    reads = not view.spans_versions and any(each.spans_versions or each.is_cross_version for each in below)
    return replace(view, requires=tuple(requires), scope=tuple(scope), is_cross_version=reads)


def _texts_of(reference: Reference, views: Mapping[str, View], datastack: Datastack) -> Texts | None:
    if not reference.raw and reference.name in views:
        return views[reference.name].columns
    called = table_called(datastack, reference.name) or reference.name
    table = TABLES.get(called) or TABLES.get(reference.name)
    return table_texts(table, called, datastack) if table else None


def table_texts(table: Table, called: str, datastack: Datastack) -> dict[str, str]:
    """What each stored column of a table means in a datastack, which calls it so; unit last."""
    voxel = datastack.voxel_nm_of(called)
    return {name: _field_text(table.column_of(name), name, voxel) for name in table.arrow_schema.names}


def _field_text(column: Column, name: str, voxel: tuple[float, float, float] | None) -> str:
    if column.kind == "point":
        of_size = f" of {' x '.join(f'{size:g}' for size in voxel)} nm" if voxel else ""
        return f"{column.description}, {name[-1]} [{column.unit}{of_size}]"
    return f"{column.description}{f' [{column.unit}]' if column.unit else ''}"
