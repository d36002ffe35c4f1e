"""Two views in `main` about the data: what each table is and whom to cite, and the dataset's constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from warehouse.catalog.comparing import create_spanning
from warehouse.catalog.spanning import constant_rows
from warehouse.registry.citations import CITATIONS
from warehouse.registry.datastacks import Datastack, table_called
from warehouse.registry.schema import Table
from warehouse.registry.tables import TABLES
from warehouse.storage.manifest import Manifest, TableEntry

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "versions": ("Q63",),
    "provenance": ("Q63", "Q64", "Q65"),
    "id_map": ("Q10", "Q11", "Q12", "Q47"),
    "root_lineage": ("Q10", "Q11"),
    "table_catalog": ("Q52", "Q65", "Q66"),
    "dataset_constants": ("Q53",),
    "data_dictionary": (),
}
"""Which questions of the bank the views answer that are made here and in `warehouse.catalog.spanning`."""

EXAMPLES: Mapping[str, str] = {
    "versions": "SELECT version, is_default, synapse_scope FROM versions ORDER BY version",
    "provenance": "SELECT version, table_name, n_rows FROM provenance ORDER BY n_rows DESC, version LIMIT 4",
    "id_map": "FROM id_map ORDER BY nucleus_id, version LIMIT 4",
    "root_lineage": "FROM root_lineage ORDER BY n_sides DESC, old_root LIMIT 4",
    "table_catalog": "SELECT table_name, role, citations FROM table_catalog ORDER BY table_name LIMIT 3",
    "dataset_constants": "SELECT name, value, unit FROM dataset_constants WHERE name LIKE 'voxel%' ORDER BY name",
    "data_dictionary": 'SELECT "column", unit, description FROM data_dictionary '
    "WHERE schema = 'main' AND name = 'cells' AND unit <> '' LIMIT 4",
}
"""A query that shows each of them at work."""

_CATALOG_DOC = (
    "What each table of CAVE holds, how it is to be read and whom to cite, one row per table.\n\n"
    "`notice` is CAVE's own text about the table, as it was when the latest local version was fetched; `warnings` "
    "are ours. Whoever publishes cites the papers of every table that an answer was made from."
)
_CATALOG = {
    "table_name": ("VARCHAR", "Table, under CAVE's name"),
    "role": (
        "VARCHAR",
        "What it is about: nucleus, cell type, proofreading, synapse, ...; NULL if not described here",
    ),
    "kind": ("VARCHAR", "table, view (CAVE computes it) or archive (only the public archive has it)"),
    "description": ("VARCHAR", "What a row is"),
    "schema_type": ("VARCHAR", "CAVE's annotation schema"),
    "key_columns": ("VARCHAR", "Columns that identify a row"),
    "reference_table": ("VARCHAR", "The table whose id target_id refers to; NULL where there is none"),
    "since_version": ("BIGINT", "First version known to have it; NULL where not known"),
    "until_version": ("BIGINT", "First version known to have it no more; NULL where not known"),
    "local_versions": ("BIGINT[]", "The versions in which it is here"),
    "notice": ("VARCHAR", "CAVE's notice about the table; NULL where there is none"),
    "warnings": ("VARCHAR", "What makes people get it wrong, a line each; NULL where there is nothing"),
    "citations": ("VARCHAR", "Keys of the papers to cite"),
    "cite": ("VARCHAR", "The papers to cite, a line each"),
}
_CONSTANTS_DOC = (
    "The numbers that are of this dataset and not of the method, one row each: what to change for another one.\n\n"
    "Depth is (sin(rotation) * x + cos(rotation) * y - pia_y) / 1000, see `depth_um`. Layers are also in "
    "`layer_bounds`. Synapse detection: of 100 rows of the synapse table some 96 are synapses (precision), of 100 "
    "true ones some 89 are in it (recall), and some 98 have both sides right (partner assignment). That is of the "
    "volume as a whole: small synapses and single places do worse. Not in CAVE, but published (microns2025)."
)
_CONSTANTS = {
    "name": ("VARCHAR", "What the number is"),
    "value": ("DOUBLE", "The number, in `unit`"),
    "unit": ("VARCHAR", "Its physical unit"),
    "area": ("VARCHAR", "Visual area in which it was determined; NULL for the whole volume"),
    "source": ("VARCHAR", "Who gives it"),
}


def create_catalog(
    con: duckdb.DuckDBPyConnection, manifests: Mapping[int, Manifest], datastack: Datastack
) -> None:
    """Create both views in `main` of the current database."""
    create_spanning(
        con, "table_catalog", _CATALOG_DOC, _CATALOG, constant_rows(_CATALOG, _catalog_rows(manifests, datastack))
    )
    create_spanning(
        con, "dataset_constants", _CONSTANTS_DOC, _CONSTANTS, constant_rows(_CONSTANTS, _constants(datastack))
    )


def _catalog_rows(manifests: Mapping[int, Manifest], datastack: Datastack) -> Iterable[Sequence[Any]]:
    declared = {table_called(datastack, name) or name: table for name, table in TABLES.items()}
    local = {name for manifest in manifests.values() for name in manifest.tables}
    for name in sorted({*declared, *local}):
        here = {version: m.tables[name] for version, m in sorted(manifests.items()) if name in m.tables}
        yield (name, *_declared(declared.get(name), here, datastack))


def _declared(table: Table | None, here: Mapping[int, TableEntry], datastack: Datastack) -> Sequence[Any]:
    entries = list(here.values())[::-1]  # the latest first
    notice = next((entry.notice_text for entry in entries if entry.notice_text), "")
    versions = list(here)
    if table is None:
        of, to, what = (next((getattr(e, name) for e in entries), "") for name in _METADATA)
        return (None, "table", what, of, None, to, None, None, versions, notice, None, None, None)
    return (
        table.role, table.kind, table.description, table.schema_type, ", ".join(table.key),
        table_called(datastack, table.reference), table.since, table.until, versions, notice,
        "\n".join(table.warnings), ", ".join(table.citation),
        "\n".join(str(CITATIONS[key]) for key in table.citation),
    )  # fmt: skip


_METADATA = ("schema_type", "reference_table", "description")


def _constants(datastack: Datastack) -> Iterable[Sequence[Any]]:
    for axis, size in zip("xyz", datastack.voxel_nm, strict=True):
        yield f"voxel_{axis}", size, "nm", None, "resolution of the annotations in CAVE"
    yield "rotation", datastack.rotation_deg, "deg", None, datastack.transform_source
    yield "pia_y", datastack.pia_nm, "nm", None, datastack.transform_source
    for name, share in datastack.synapse_detection.items():
        yield f"synapse detection {name}", share, "share", None, datastack.synapse_detection_source
    for layer in datastack.layers:
        about = ("um", datastack.layers_area, datastack.layers_source)
        yield f"{layer.name} top", layer.top_um, *about
        if layer.bottom_um is not None:
            yield f"{layer.name} bottom", layer.bottom_um, *about
