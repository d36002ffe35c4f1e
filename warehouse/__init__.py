"""A local warehouse of the MICrONS connectome: ask any version anything, offline, in SQL or polars.

import warehouse

wh = warehouse.connect()
wh.sql("FROM connections WHERE post_pt_root_id = $id", id=864691135572530981).pl()
"""

from warehouse.demo.local import demo
from warehouse.errors import (
    ChecksFailed,
    FolderBusy,
    SchemaDrift,
    SnapshotDamaged,
    SnapshotIncomplete,
    SnapshotNotFound,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    UsageError,
    ViewError,
    WarehouseError,
)
from warehouse.query.session import Warehouse, connect
from warehouse.registry.tables import TABLES

__all__ = [
    "TABLES",
    "ChecksFailed",
    "FolderBusy",
    "SchemaDrift",
    "SnapshotDamaged",
    "SnapshotIncomplete",
    "SnapshotNotFound",
    "SourceError",
    "SourceRefused",
    "SourceUnavailable",
    "UsageError",
    "ViewError",
    "Warehouse",
    "WarehouseError",
    "connect",
    "demo",
]
