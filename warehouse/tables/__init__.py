"""The registry: every CAVE table this warehouse knows, declared once.

From these declarations derive the columns asked from CAVE, the Parquet schema, the raw views and their comments,
the checks, the data dictionary and the synthetic volumes. Names are CAVE's own, verbatim, misspellings included.

Where a table's columns come from an archived file only, its description says so: the file's header decides.
"""

from __future__ import annotations

from warehouse.schema import Table
from warehouse.tables import cell_types, cells, function, skeletons, synapses, views
from warehouse.tables.columns import NUCLEUS, SKELETON, SYNAPSE

__all__ = ["NUCLEUS", "SKELETON", "SYNAPSE", "TABLES"]

TABLES: dict[str, Table] = {
    table.name: table
    for room in (cells, cell_types, synapses, function, skeletons, views)
    for table in room.TABLES
}
"""Every declared table by its CAVE name."""
