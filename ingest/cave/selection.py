"""Which tables a snapshot takes, of those that the service lists."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ingest.cave.service import CaveService
from ingest.parts.conform import adapted, declared
from ingest.parts.source import Scope
from ingest.parts.wanted import annotation_tables, in_order, is_about_synapses, needed
from warehouse.errors import SourceRefused, UsageError
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES

log = logging.getLogger(__name__)

Metadata: TypeAlias = Mapping[str, Mapping[str, object]]
"""CAVE's metadata of tables and views, by name."""


def require_version(service: CaveService, version: int) -> None:
    """Refuse a version that cannot be asked for, with the list of those that can.

    Raises:
        SourceRefused: it is unknown or has expired.
    """
    versions = service.versions()
    if version in versions.live:
        return
    offered = ", ".join(map(str, versions.live)) or "none at all"
    newest = max(versions.live, default=version)
    what = "has expired at CAVE" if version in versions.expired else "does not exist"
    raise SourceRefused(
        f"version {version} of {service.datastack} {what}; the versions that CAVE offers now are {offered}: "
        f"microns snapshot {newest}"
    )


def select(
    service: CaveService, version: int, names: Sequence[str], scope: Scope, here: Iterable[str]
) -> tuple[tuple[Table, ...], Metadata, dict[str, str]]:
    """Resolve the names of tables against what the service lists.

    Returns the tables in the order in which they can be fetched, CAVE's metadata by name, and the declared tables
    that the version does not have, with the reason.

    Args:
        service: the service.
        version: the materialization version.
        names: CAVE names; none for all declared annotation tables.
        scope: which synapses are kept; it may need further tables.
        here: names of tables that are in the warehouse already.

    Raises:
        UsageError: a name is not on the list.
        SourceRefused: the scope cannot be had in this version.
    """
    listed = service.tables(version)
    metadata = service.tables_metadata(version)
    views: Metadata = {}
    if not names:
        absent = _absent(listed, version)
        wanted = [name for name in annotation_tables() if name not in absent]
    else:
        wanted = list(dict.fromkeys(names))
        if any(name not in listed for name in wanted):
            views = service.views(version)
        for name in wanted:
            _require_known(name, listed, views, version)
    wanted += needed(wanted, scope, listed, version, {*here, *wanted})
    known = {**metadata, **views}
    tables = [_declaration(service, version, name, known.get(name, {}), name in views) for name in wanted]
    return in_order(tables), known, _absent(listed, version)


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


def _declaration(
    service: CaveService, version: int, name: str, metadata: Mapping[str, object], is_view: bool
) -> Table:
    """The registry's declaration, or one made of what the service sends."""
    if name in TABLES and not is_view:
        return TABLES[name]
    # The rows of a table are typed by the database, those of a view by the values that happen to be in an answer.
    sent = service.view_schema(version, name) if is_view else service.rows(version, name, limit=1).rows.schema
    if name in TABLES:
        return adapted(TABLES[name], sent)
    log.info("%s is not described in this release; its columns are typed as CAVE sends them", name)
    return declared(name, sent, metadata, is_view=is_view)
