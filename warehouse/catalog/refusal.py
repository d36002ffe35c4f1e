"""Why a view cannot answer in a version: a table is not here, or too few synapses are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.registry.datastacks import datastack_of, table_called
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.manifest import Manifest

if TYPE_CHECKING:
    from warehouse.catalog.views import View

_ROWS_HERE = {
    "proofread": "only the outputs of proofread axons",
    "neurons": "only synapses between segments that have a nucleus",
    "cells": "only the synapses of chosen cells",
    "proofread+cells": "only the outputs of proofread axons and the synapses of chosen cells",
}
_SNAPSHOT_SCOPES = ("all", "proofread", "neurons")
_BUNDLES = {
    "proofread": "all proofread axons (microns bundle --proofread)",
    "cells": "the cells that you ask about (microns bundle --cells)",
}


def refusal(manifest: Manifest, view: View) -> str | None:
    """Why a view cannot answer in a version, as a sentence with the way out; None when it can."""
    datastack = datastack_of(manifest.datastack)
    for group in view.requires:
        names = [table_called(datastack, name) or name for name in group]
        if not any(name in manifest.tables for name in names):
            needs = f"{view.name} needs the table {' or '.join(names)}, which"
            if all(name in manifest.absent for name in names):
                return f"{needs} version {manifest.version} does not have: {manifest.absent[names[0]]}"
            return (
                f"{needs} is not here for version {manifest.version}; "
                f"fetch it with: microns snapshot {manifest.version} {_order(group[0], names[0])}"
            )
    scope = synapse_scope(manifest)
    # What is stored was made where it could be: a bundle carries rows that could not be made from its synapses.
    if scope is None or view.name in manifest.stored_views or answers_in(view, scope):
        return None
    here = _ROWS_HERE.get(scope, f"only the scope {scope!r}")
    return f"{view.name} would be wrong: version {manifest.version} here holds {here}; {_way_out(manifest, view)}"


def _way_out(manifest: Manifest, view: View) -> str:
    """What the reader can do: who has a bundle asks for another one, who has a warehouse fetches."""
    if "bundle" in manifest.tools:
        bundled = (text for word, text in _BUNDLES.items() if word in view.scope)
        other = next(bundled, "all synapses (microns bundle --everything)")
        return f"ask whoever made this bundle for one with {other}"
    fetch = f"microns snapshot {manifest.version} --synapses"
    enough = next(each for each in (*view.scope, "all") if each in _SNAPSHOT_SCOPES)
    if enough == "all" and "cells" in view.scope:
        return f"fetch the cells that you ask about with: {fetch} cells --cells IDS, or all with: {fetch} all"
    return f"fetch what it needs with: {fetch} {enough}"


def answers_in(view: View, scope: str) -> bool:
    """Whether a view is right where the synapses are those of a scope; in `a+b` it is if it is in one of them."""
    return not view.scope or not set(view.scope).isdisjoint(scope.split("+"))


def _order(declared: str, name: str) -> str:
    """What `microns snapshot VERSION` must be given to fetch a table."""
    return TABLES[declared].order if declared in TABLES and TABLES[declared].kind == "skeleton" else name


def scope_text(manifest: Manifest) -> str:
    """Which synapses a version holds, as a sentence."""
    scope = synapse_scope(manifest)
    if scope is None:
        return "Synapses: none are here."
    if scope == "all":
        return "Synapses: all (scope all)."
    return f"Synapses: {_ROWS_HERE.get(scope, 'a part')} (scope {scope})."


def synapse_scope(manifest: Manifest) -> str | None:
    """Which synapses a version holds; None when it holds no synapse table."""
    entry = manifest.tables.get(table_called(datastack_of(manifest.datastack), SYNAPSE) or "")
    return entry.scope if entry else None
