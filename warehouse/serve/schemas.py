"""The annotation schemas as JSON schemas, made from the columns of the tables that use them."""

from __future__ import annotations

from typing import Any

from warehouse.serve.served import Kind, Served, ServedTable

_POINT = {"type": "object", "properties": {"position": {"type": "array"}}}
_ID = {"type": "integer"}
_POINTS = {
    "SpatialPoint": {**_POINT, "required": ["position"], "additionalProperties": False},
    "BoundSpatialPoint": {
        "type": "object",
        "properties": {"position": {"type": "array"}, "root_id": _ID, "supervoxel_id": _ID},
        "required": ["position"],
        "additionalProperties": False,
    },
}
_VALID = {
    "title": "valid",
    "type": ["boolean", "null"],
    "default": False,
    "description": "is this annotation valid",
}
_BOOKKEEPING = ("id", "created", "superceded_id")


def json_schema(table: ServedTable) -> dict[str, Any]:
    """The JSON schema of a table's annotation type."""
    properties: dict[str, Any] = {}
    bound = table.bound_points
    lookups = {f"{point}_{part}" for point in bound for part in ("root_id", "supervoxel_id")}
    for column in table.columns:
        if column.name in _BOOKKEEPING or column.name in lookups:
            continue
        if column.kind is Kind.POINT:
            point = column.name.removesuffix("_position")
            kind = "BoundSpatialPoint" if point in bound else "SpatialPoint"
            properties[point] = {"type": "object", "$ref": f"#/definitions/{kind}"}
        else:
            properties[column.name] = _VALID if column.name == "valid" else _property(column.name, column.kind)
    name = table.schema_type.title().replace("_", "")
    definition = {
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "required": sorted(properties.keys() - {"valid"}),
        "additionalProperties": True,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {**_POINTS, name: definition},
        "$ref": f"#/definitions/{name}",
    }


def _property(name: str, kind: Kind) -> dict[str, Any]:
    if kind is Kind.FLOAT:
        return {"title": name, "type": "number", "format": "float"}
    if kind is Kind.DATE_TIME:
        return {"title": name, "type": "string", "format": "date-time"}
    return {"title": name, "type": kind.schema_name}


def view_columns(view: Served) -> dict[str, dict[str, str]]:
    """The columns of a view with their JSON types."""
    schema = {}
    for column in view.columns:
        schema[column.name] = {"type": column.kind.schema_name}
        if column.kind is Kind.DATE_TIME:
            schema[column.name]["format"] = "date-time"
    return schema
