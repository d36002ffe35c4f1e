"""The size of the voxels that a table's positions are counted in, as its source gave it."""

from __future__ import annotations

from dataclasses import replace

from warehouse.registry.datastacks import Datastack, datastack_of
from warehouse.registry.schema import AXES
from warehouse.storage.manifest import Manifest, TableEntry


def has_positions(entry: TableEntry) -> bool:
    """Whether a table has points: three columns NAME_position_x, _y and _z."""
    return any(name.endswith(f"_position_{AXES[0]}") for name in entry.columns)


def as_in_version(manifest: Manifest) -> Datastack:
    """A datastack with the voxel sizes that a version's tables were recorded with.

    A table whose source gave no size has that of the datastack.
    """
    datastack = datastack_of(manifest.datastack)
    sizes = {}
    for name, entry in manifest.tables.items():
        if not (entry.voxel_resolution and has_positions(entry)):
            continue
        x, y, z = entry.voxel_resolution
        if (x, y, z) != datastack.voxel_nm:
            sizes[name] = (x, y, z)
    return replace(datastack, tables_voxel_nm=sizes) if sizes else datastack
