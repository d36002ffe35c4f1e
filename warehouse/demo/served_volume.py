"""A synthetic volume as a datastack to serve."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from warehouse.demo.synthetic import VersionInfo, Volume
from warehouse.registry.tables import TABLES
from warehouse.serve.served import ServedDatastack, ServedTable, ServedVersion, ServedView, Shelf
from warehouse.serve.sources import served_columns

_NOT_READY = 25
"""One skeleton in so many is not ready before somebody has asked for it, a choice."""


def from_volume(volume: Volume, versions: Collection[int] | None = None) -> ServedDatastack:
    """A synthetic volume as CAVE would serve it, with the rows that CAVE's database holds.

    Args:
        volume: what to serve; a table is made when it is first asked for.
        versions: which of its versions; all if not given.
    """
    return ServedDatastack(
        name=volume.datastack,
        versions=tuple(
            _volume_version(volume, info)
            for info in volume.versions
            if versions is None or info.version in versions
        ),
        description="a synthetic volume",
        skeletons=Shelf(volume.skeleton, lambda root: root % _NOT_READY != 0),
    )


def _volume_version(volume: Volume, info: VersionInfo) -> ServedVersion:
    version = info.version
    return ServedVersion(
        version=version,
        time_stamp=info.time_stamp,
        tables=tuple(_volume_table(volume, version, name) for name in volume.table_names(version)),
        views=tuple(_volume_view(volume, version, name) for name in volume.view_names(version)),
        id=version,
        expires_on=info.expires_on,
        is_merged=info.is_merged,
        synthetic=True,
    )


def _volume_table(volume: Volume, version: int, name: str) -> ServedTable:
    told = volume.metadata(name)
    return ServedTable(
        name=name,
        columns=served_columns(TABLES[name]),
        rows=partial(volume.table, version, name),
        description=told.description,
        notice_text=told.notice_text or None,
        resolution=told.voxel_resolution,
        schema_type=told.schema_type,
        reference_table=told.reference_table or None,
        created=told.created,
    )


def _volume_view(volume: Volume, version: int, name: str) -> ServedView:
    told = volume.metadata(name)
    return ServedView(
        name=name,
        columns=served_columns(TABLES[name]),
        rows=partial(volume.view, version, name),
        description=told.description,
        notice_text=told.notice_text or None,
        resolution=told.voxel_resolution,
    )
