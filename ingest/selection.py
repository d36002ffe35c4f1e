"""Which tables a snapshot takes, of those that the service lists."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ingest.conform import adapted, declared
from ingest.origin import Place, Scope
from ingest.source import Source
from warehouse.errors import SourceRefused, UsageError
from warehouse.manifest import Manifest
from warehouse.schema import Table
from warehouse.tables import NUCLEUS, SYNAPSE, TABLES

log = logging.getLogger(__name__)

Metadata: TypeAlias = Mapping[str, Mapping[str, object]]
"""CAVE's metadata of tables and views, by name."""

PROOFREADING = ("proofreading_status_and_strategy", "proofreading_status_public_release")
"""Where proofread axons are found; the first that a version has decides."""
ALTERNATIVE_POINTS = "nucleus_alternative_points"


def annotation_tables() -> list[str]:
    """The tables that a snapshot takes when none is named: all declared ones that CAVE stores."""
    return [table.name for table in TABLES.values() if table.kind == "table"]


def is_about_synapses(table: str) -> bool:
    """Whether the scope of synapses decides which of the table's rows are kept."""
    return table == SYNAPSE or (table in TABLES and TABLES[table].reference == SYNAPSE)


def is_finished(manifest: Manifest, names: Sequence[str], scope: Scope, source: Place | None = None) -> bool:
    """Whether all that is asked for is here, so that nobody needs to be asked.

    A table that one place does not have may be had at another: a place that is named and that nothing here came
    from is asked for it.
    """
    was_asked = source in (None, "delta") or any(entry.source == source for entry in manifest.tables.values())

    def is_here(name: str) -> bool:
        if (entry := manifest.tables.get(name)) is None:
            return name in manifest.absent and was_asked and not names
        return not is_about_synapses(name) or entry.scope in (scope, "all")

    return all(is_here(name) for name in names or annotation_tables())


def require_version(source: Source, version: int) -> None:
    """Refuse a version that cannot be asked for, with the list of those that can.

    Raises:
        SourceRefused: it is unknown or has expired.
    """
    versions = source.versions()
    if version in versions.live:
        return
    offered = ", ".join(map(str, versions.live)) or "none at all"
    newest = max(versions.live, default=version)
    what = "has expired at CAVE" if version in versions.expired else "does not exist"
    raise SourceRefused(
        f"version {version} of {source.datastack} {what}; the versions that CAVE offers now are {offered}: "
        f"microns snapshot {newest}"
    )


def select(
    source: Source, version: int, names: Sequence[str], scope: Scope, here: Iterable[str]
) -> tuple[tuple[Table, ...], Metadata, dict[str, str]]:
    """Resolve the names of tables against what the service lists.

    Returns the tables in the order in which they can be fetched, CAVE's metadata by name, and the declared tables
    that the version does not have, with the reason.

    Args:
        source: the service.
        version: the materialization version.
        names: CAVE names; none for all declared annotation tables.
        scope: which synapses are kept; it may need further tables.
        here: names of tables that are in the warehouse already.

    Raises:
        UsageError: a name is not on the list.
        SourceRefused: the scope cannot be had in this version.
    """
    listed = source.tables(version)
    metadata = source.tables_metadata(version)
    views: Metadata = {}
    if not names:
        absent = _absent(listed, version)
        wanted = [name for name in annotation_tables() if name not in absent]
    else:
        wanted = list(dict.fromkeys(names))
        if any(name not in listed for name in wanted):
            views = source.views(version)
        for name in wanted:
            _require_known(name, listed, views, version)
    wanted += needed(wanted, scope, listed, version, {*here, *wanted})
    known = {**metadata, **views}
    tables = [_declaration(source, version, name, known.get(name, {}), name in views) for name in wanted]
    return in_order(tables), known, _absent(listed, version)


def in_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Tables in the order in which they can be fetched: see `stage`."""
    return tuple(sorted(tables, key=lambda table: stage(table.name)))


def stage(name: str) -> int:
    """Tables about synapses come after the synapses, and those after what decides which are kept."""
    if name == SYNAPSE:
        return 1
    return 2 if is_about_synapses(name) else 0


def _absent(listed: Sequence[str], version: int) -> dict[str, str]:
    reason = f"not among the {len(listed)} tables that CAVE lists for version {version}"
    absent = {name: reason for name in annotation_tables() if name not in listed}
    if SYNAPSE in absent:
        for name in filter(is_about_synapses, annotation_tables()):
            absent.setdefault(name, f"about synapses, and version {version} has no {SYNAPSE}")
    return absent


def _require_known(name: str, listed: Sequence[str], views: Mapping[str, object], version: int) -> None:
    if name in listed or name in views:
        return
    if name in TABLES and TABLES[name].kind == "skeleton":
        raise UsageError(
            f"{name} comes from CAVE's skeleton service: microns snapshot {version} {TABLES[name].order}"
        )
    if name in TABLES and TABLES[name].kind == "archive":
        raise UsageError(f"{name} is a file of the public archive, not a table of CAVE; leave it out")
    near = difflib.get_close_matches(name, [*listed, *views], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"its tables are: {', '.join(listed)}"
    raise UsageError(f"CAVE has no table {name} in version {version}; {hint}")


def needed(wanted: Sequence[str], scope: Scope, listed: Sequence[str], version: int, have: set[str]) -> list[str]:
    """Further tables that the scope of the synapses needs."""
    if scope == "all" or not any(is_about_synapses(name) for name in wanted):
        return []
    if SYNAPSE not in listed:
        raise SourceRefused(
            f"version {version} has no {SYNAPSE}, so which rows of {', '.join(filter(is_about_synapses, wanted))} "
            "to keep is unknown; take all of them: add --synapses all"
        )
    more = [SYNAPSE]
    if scope == "neurons":
        more += [name for name in (NUCLEUS, ALTERNATIVE_POINTS) if name in listed]
    else:
        more += [proofreading_table(listed, version)]
    added = [name for name in more if name not in have]
    if added:
        log.info("the synapses of scope %s need %s as well", scope, ", ".join(added))
    return added


def proofreading_table(listed: Iterable[str], version: int) -> str:
    """The table that says which axons were proofread.

    Raises:
        SourceRefused: the version has none.
    """
    name = next((name for name in PROOFREADING if name in set(listed)), None)
    if name is None:
        raise SourceRefused(
            f"version {version} says nothing about proofreading, so its proofread synapses are unknown; "
            f"take others: microns snapshot {version} --synapses neurons"
        )
    return name


def _declaration(source: Source, version: int, name: str, metadata: Mapping[str, object], is_view: bool) -> Table:
    """The registry's declaration, or one made of what the service sends."""
    if name in TABLES and not is_view:
        return TABLES[name]
    sent = source.rows(version, name, limit=1, view=is_view).rows.schema
    if name in TABLES:
        return adapted(TABLES[name], sent)
    log.info("%s is not described in this release; its columns are typed as CAVE sends them", name)
    return declared(name, sent, metadata, is_view=is_view)
