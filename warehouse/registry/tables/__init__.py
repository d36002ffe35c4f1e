"""The registry: every CAVE table this warehouse knows, declared once.

From these declarations derive the columns asked from CAVE, the Parquet schema, the raw views and their comments,
the checks, the data dictionary and the synthetic volumes. Names are CAVE's own, verbatim, misspellings included.

Where a table's columns come from an archived file only, its description says so: the file's header decides.
"""

from __future__ import annotations

from warehouse.registry.schema import Table
from warehouse.registry.tables import cave_views, cell_types, function, morphology, nuclei, synapses
from warehouse.registry.tables.shared_columns import NUCLEUS, SKELETON, SYNAPSE

__all__ = ["NUCLEUS", "SKELETON", "SYNAPSE", "TABLES"]

TABLES: dict[str, Table] = {
    table.name: table
    for module in (nuclei, cell_types, synapses, function, morphology, cave_views)
    for table in module.TABLES
}
"""Every declared table by its CAVE name."""
