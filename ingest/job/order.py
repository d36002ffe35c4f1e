"""What is to be here of a version, as it was ordered and as what is here already decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from ingest.parts.source import DEFAULT_SCOPE, Scope, SourceName
from warehouse.errors import UsageError
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.manifest import Layout, Manifest
from warehouse.storage.paths import Folder
from warehouse.versions.store_difference import BaseVersion


@dataclass(frozen=True)
class Order:
    """What is to be here.

    Attributes:
        version: the materialization version.
        tables: CAVE names; none for all declared annotation tables.
        synapses: which synapses; None for what is already here, else those of proofread axons.
        base: the version that synapses are stored against; None for a full copy.
        layout: in how many orders the synapses are stored; None for what is already here, else "default".
        memory: bytes that sorting synapses may take; None for half of the machine's.
        source: where to fetch from, if it was named.
    """

    version: int
    tables: tuple[str, ...] = ()
    synapses: Scope | None = None
    base: int | None = None
    layout: Layout | None = None
    memory: int | None = None
    source: SourceName | None = None


def base_version_of(manifest: Manifest | None, folder: Folder, order: Order) -> BaseVersion | None:
    """The version to store synapses against, where any are still to be stored.

    Raises:
        UsageError: it is the version itself.
    """
    if order.base == order.version:
        raise UsageError(
            f"version {order.base} cannot be its own base; name another one that is here: microns list"
        )
    here = manifest.tables.get(SYNAPSE) if manifest else None
    if order.base is None or (here is not None and order.synapses in (None, here.scope)):
        return None
    return BaseVersion.of(folder, order.base)


def scope_of(manifest: Manifest | None, order: Order, base: BaseVersion | None) -> Scope:
    """The synapses to keep: as ordered, else as here, or in the base. All of them are enough for any order."""
    here = manifest.tables.get(SYNAPSE) if manifest else None
    if here is not None and here.scope == "all":
        return "all"
    if order.synapses is None and here is not None and here.scope == "neurons":
        return "neurons"
    return order.synapses or (cast("Scope", base.entry.scope) if base else DEFAULT_SCOPE)
