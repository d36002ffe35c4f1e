"""What to cite for the tables and views that were used, as text or BibTeX."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from warehouse.catalog.build import current_default
from warehouse.catalog.committed import require_local
from warehouse.catalog.views import View, load_views
from warehouse.commands.options import TABLE, Datastack, Output, Root, Version, versions_here
from warehouse.commands.render import merged, print_rows
from warehouse.errors import UsageError
from warehouse.registry.citations import CITATIONS, Citation
from warehouse.registry.datastacks import DATASTACKS, DEFAULT_DATASTACK, citations_of, datastack_of
from warehouse.registry.tables import TABLES
from warehouse.storage.manifest import NOT_BIOLOGY, Manifest
from warehouse.storage.paths import Folder


def cite(
    *names: Annotated[str, Parameter(help="Views and tables that you used. If not given: all tables here.")],
    output: Output = TABLE,
    bibtex: Annotated[bool, Parameter(help="Print the papers as BibTeX.")] = False,
    version: Version = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Print what to cite for the views and tables that you used, and which files these came from.

    With --csv or --json the papers and the files are one table. Its column `section` is paper or data, and columns
    that a section does not have are empty.
    """
    form = output.form
    if bibtex and form != "table":
        raise UsageError(f"--{form} and --bibtex exclude each other; give one of them")
    folder = Folder.of(root, datastack)
    versions_here(folder)
    chosen = current_default(folder) if version is None else version
    folder.require_version(chosen)
    manifest = require_local(folder, chosen)
    if form == "table":
        print((citation_bibtex if bibtex else citation_text)(manifest, names))
    else:
        print_rows(*merged({"paper": _paper_rows(manifest, names), "data": _data_rows(manifest, names)}), form)


def citation_text(manifest: Manifest, names: Sequence[str]) -> str:
    """The papers and the data, a paragraph each.

    Args:
        manifest: of the version that was used.
        names: tables and views that were used; none for all tables that are here.

    Raises:
        UsageError: a name is neither.
    """
    used = _tables(manifest, names)
    papers = [f"{paper}\n    for {', '.join(tables)}" for paper, tables in _papers(manifest, names).items()]
    mind = [f"{NOT_BIOLOGY.capitalize()}: do not cite these data."] if manifest.synthetic else []
    return "\n".join((*mind, *papers, _data(manifest, used)))


def citation_bibtex(manifest: Manifest, names: Sequence[str]) -> str:
    """The papers as BibTeX entries; arguments as of `citation_text`."""
    mind = [f"% {NOT_BIOLOGY.capitalize()}: do not cite these data."] if manifest.synthetic else []
    return "\n".join((*mind, *(_entry(paper) for paper in _papers(manifest, names))))


def _papers(manifest: Manifest, names: Sequence[str]) -> dict[Citation, list[str]]:
    """Each paper with what it is cited for, the dataset's own first."""
    found = {CITATIONS["microns2025"]: ["the data"]} if manifest.datastack in DATASTACKS else {}
    found[CITATIONS["cave2025"]] = ["the service"]
    general = set(found)
    datastack = datastack_of(manifest.datastack)
    views = load_views(datastack)
    cited = {name: _keys(manifest, name) for name in _tables(manifest, names)}
    if datastack.name in DATASTACKS:  # a view's papers are about the declared dataset
        cited |= {name: list(views[name].cites) for name in names if name in views}
    for name, keys in cited.items():
        for paper in (CITATIONS[key] for key in keys):
            if paper not in general:
                found.setdefault(paper, []).append(name)
    return found


def _paper_rows(manifest: Manifest, names: Sequence[str]) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
    rows = [
        (paper.key, paper.authors, paper.title, paper.journal, paper.year, paper.doi, ", ".join(tables))
        for paper, tables in _papers(manifest, names).items()
    ]
    return ("key", "authors", "title", "journal", "year", "doi", "cited_for"), rows


def _data_rows(manifest: Manifest, names: Sequence[str]) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
    entries, mind = ((name, manifest.tables[name]) for name in _tables(manifest, names)), manifest.synthetic
    rows = [
        (manifest.version, name, each.rows, each.source, each.url, each.source_sha256, each.fetched, mind)
        for name, each in entries
    ]
    return ("version", "table", "rows", "source", "url", "sha256", "fetched", "is_synthetic"), rows


def _keys(manifest: Manifest, table: str) -> list[str]:
    """As the manifest says; older ones leave it to the registry."""
    recorded = manifest.tables[table].citations
    declared = TABLES.get(table)
    keys = recorded or (citations_of(datastack_of(manifest.datastack), declared) if declared else [])
    return [key for key in keys if key in CITATIONS]


def _tables(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """The tables behind the names that are here, those under views included."""
    if not names:
        return sorted(manifest.tables)
    views, found = load_views(datastack_of(manifest.datastack)), dict[str, None]()
    for name in names:
        if name not in views and name not in TABLES and name not in manifest.tables:
            near = difflib.get_close_matches(name, [*views, *TABLES], n=1)
            hint = f"did you mean {near[0]}?" if near else "without names it is about all tables: microns cite"
            raise UsageError(f"{name} is neither a view nor a table; {hint}")
        found |= dict.fromkeys(_below(name, views))
    return sorted(name for name in found if name in manifest.tables)


def _below(name: str, views: Mapping[str, View]) -> set[str]:
    """The tables that a view reads, through whatever views."""
    if name not in views:
        return {name}
    tables, waiting, seen = set[str](), [name], {name}
    while waiting:
        for reference in views[waiting.pop()].found:
            if reference.raw or reference.name not in views:
                tables.add(reference.name)
            elif reference.name not in seen:
                seen.add(reference.name)
                waiting.append(reference.name)
    return tables


def _data(manifest: Manifest, tables: Sequence[str]) -> str:
    sources = sorted({manifest.tables[name].source for name in tables})
    moment = f" ({manifest.time_stamp} UTC)" if manifest.time_stamp else ""
    lines = [
        f"Data: {manifest.datastack}, materialization version {manifest.version}{moment}"
        f"{f', {NOT_BIOLOGY}' if manifest.synthetic else ''}, "
        f"source {' and '.join(sources) or 'unknown'}"
    ]
    for name in tables:
        entry = manifest.tables[name]
        told = f", SHA-256 {entry.source_sha256}" if entry.source_sha256 else ""
        where = f", {entry.url}" if entry.url else ""
        lines.append(f"    {name}: {entry.rows:,} rows{where}{told}, fetched {entry.fetched}")
    return "\n".join(lines)


def _entry(paper: Citation) -> str:
    parts = re.fullmatch(r"(?P<journal>.+?) (?P<volume>\d+), (?P<pages>.+)", paper.journal)
    several = "et al." in paper.authors
    if parts:
        journal = {**parts.groupdict(), "pages": parts["pages"].replace("-", "--")}
    else:
        journal = {"journal": paper.journal}
    fields = {
        "author": paper.authors.replace("et al.", "and others") if several else f"{{{paper.authors}}}",
        "title": f"{{{paper.title}}}",
        **journal,
        "year": str(paper.year),
        "doi": paper.doi,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@article{{{paper.key},\n{lines}}}"
