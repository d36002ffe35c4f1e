"""What the service tells about datastacks, versions, tables and views, as JSON values."""

from __future__ import annotations

import datetime as dt
from typing import Any

from warehouse.serve.refused import Refused, crash
from warehouse.serve.served import ServedDatastack, ServedTable, ServedVersion, ServedView
from warehouse.storage.manifest import SYNTHETIC


def find_version(datastack: ServedDatastack, number: int) -> ServedVersion:
    """The version, or the refusal that the server gives for an unknown or expired one."""
    if number < 1:
        raise crash(f"404 Not Found: Analysis version {number} not found for datastack {datastack.name}")
    version = datastack.version(number)
    if version is None:
        raise crash(f"404 Not Found: version {number} not found in {datastack.name}")
    if version.expired:
        reason = "because there is no valid parent"
        raise crash(f"404 Not Found: version {number} not found in {datastack.name} {reason}")
    return version


def find_table(datastack: ServedDatastack, version: ServedVersion, name: str) -> ServedTable:
    """The table, or the refusal that a query for an unknown one gets."""
    table = version.table(name)
    if table is None:
        place = f"version {version.version} in datastack {datastack.name}"
        raise crash(f"404 Not Found: Analysis table '{name}' not found for {place}")
    return table


def described_table(datastack: ServedDatastack, version: ServedVersion, name: str) -> ServedTable:
    """The table, or the refusal that a question for an unknown one's metadata gets."""
    table = version.table(name)
    if table is None:
        place = f"version '{version.version}' in datastack '{datastack.name}'"
        raise Refused(404, f"No table named '{name}' found for {place}")
    return table


def find_view(datastack: ServedDatastack, version: ServedVersion, name: str) -> ServedView:
    """The view, or a refusal like that for an unknown table."""
    view = version.view(name)
    if view is None:
        place = f"version '{version.version}' in datastack '{datastack.name}'"
        raise Refused(404, f"No view named '{name}' found for {place}")
    return view


def _iso(time: dt.datetime, faithful: bool) -> str:
    """A time as text; the real server drops microseconds that are zero, which its client cannot read."""
    return time.isoformat() if faithful else time.isoformat(timespec="microseconds")


def _voxels(resolution: tuple[float, float, float], prefix: str) -> dict[str, float]:
    return {f"{prefix}_{axis}": value for axis, value in zip("xyz", resolution, strict=True)}


def datastack_info(datastack: ServedDatastack, server: str) -> dict[str, Any]:
    """The info service's entry, which sends the client on to this server."""
    segmentation = datastack.segmentation_name or datastack.pcg_table
    return {
        "aligned_volume": {
            "description": datastack.aligned_volume_description,
            "display_name": datastack.display_name,
            "id": 1,
            "image_source": datastack.image_source,
            "name": datastack.aligned_volume,
        },
        "analysis_database": None,
        "cell_identification_table": None,
        "description": datastack.description,
        "local_server": server,
        "proofreading_review_table": None,
        "proofreading_status_table": None,
        "segmentation_source": f"graphene://{server}/segmentation/table/{segmentation}",
        "skeleton_source": None,
        "soma_table": datastack.soma_table,
        "synapse_table": datastack.synapse_table,
        **_voxels(datastack.viewer_resolution, "viewer_resolution"),
        "viewer_site": datastack.viewer_site,
    }


def version_info(datastack: ServedDatastack, version: ServedVersion, faithful: bool) -> dict[str, Any]:
    """The metadata of one version."""
    return {
        "valid": not version.expired,
        "is_merged": version.is_merged,
        "version": version.version,
        "time_stamp": _iso(version.time_stamp, faithful),
        "status": "EXPIRED" if version.expired else "AVAILABLE",
        "datastack": datastack.name,
        "id": version.id,
        "expires_on": None if version.expires_on is None else _iso(version.expires_on, faithful),
        **({SYNTHETIC: True} if version.synthetic else {}),  # CAVE has no such key
    }


def table_info(datastack: ServedDatastack, table: ServedTable, faithful: bool) -> dict[str, Any]:
    """The metadata of one table; segmentation fields only where points are bound to it."""
    info: dict[str, Any] = {
        "valid": True,
        "schema": table.schema_type,
        "created": _iso(table.created, faithful),
        "aligned_volume": datastack.aligned_volume,
        "id": table.id,
        "table_name": table.name,
        "schema_type": table.schema_type,
        "user_id": table.user_id,
        "description": table.description,
        "notice_text": table.notice_text,
        "reference_table": table.reference_table,
        "flat_segmentation_source": table.flat_segmentation_source,
        **_voxels(table.resolution, "voxel_resolution"),
        "write_permission": "PRIVATE",
        "read_permission": "PUBLIC",
        "last_modified": _iso(table.last_modified, faithful),
    }
    if table.bound_points:
        info["segmentation_source"] = ""
        info["pcg_table_name"] = datastack.pcg_table
        info["last_updated"] = _iso(table.last_updated, faithful)
    return info


def view_info(datastack: ServedDatastack, view: ServedView) -> dict[str, Any]:
    """The metadata of one view."""
    return {
        "id": view.id,
        "description": view.description,
        "datastack_name": datastack.name,
        "notice_text": view.notice_text,
        "live_compatible": view.live_compatible,
        **_voxels(view.resolution, "voxel_resolution"),
    }
