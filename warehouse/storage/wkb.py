"""Points as PostGIS writes them: well-known binary, plain or extended, or the same in hexadecimal."""

from __future__ import annotations

import binascii
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.errors import SchemaDrift
from warehouse.registry.schema import AXES

_LITTLE_ENDIAN = 1
_EXTENDED, _STANDARD, _WITH_REFERENCE = 0x80000001, 1001, 0x20000000
"""A point with z, as PostGIS and as the standard write it; and what is added where a reference system is named."""
_HEAD = 5
"""Bytes before the coordinates: byte order and type; four more where a spatial reference is named."""


def point_columns(name: str, values: pa.ChunkedArray) -> dict[str, pa.Array]:
    """The three coordinates of a column of points, as doubles.

    Args:
        name: of the column; the results are called NAME_x, NAME_y, NAME_z.
        values: the points, as bytes or as text.

    Raises:
        SchemaDrift: they are not points in space.
    """
    there = values.drop_null().cast(pa.large_binary()).combine_chunks()
    coordinates = np.zeros((len(values), len(AXES)))
    valid = values.is_valid().combine_chunks().to_numpy(zero_copy_only=False)
    if len(there):
        rows = _rows(there, binascii.unhexlify if _is_text(values.type) else bytes)
        if rows is None:
            raise SchemaDrift(f"the column {name} does not hold points in space; update microns-warehouse")
        coordinates[valid] = rows
    return {f"{name}_{axis}": pa.array(coordinates[:, place], mask=~valid) for place, axis in enumerate(AXES)}


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _rows(points: pa.LargeBinaryArray, unpack: Callable[[memoryview], bytes]) -> npt.NDArray[np.float64] | None:
    """The coordinates, one row for each point; None if these are no points, or not all of one kind."""
    _, offsets, content = points.buffers()
    ends = np.frombuffer(offsets, np.int64)[points.offset : points.offset + len(points) + 1]
    if (np.diff(ends) != ends[1] - ends[0]).any():
        return None
    try:
        content = unpack(memoryview(content)[ends[0] : ends[-1]])
    except binascii.Error:
        return None
    rows = np.frombuffer(content, np.uint8).reshape(len(points), -1)
    if rows.shape[1] < _HEAD or (rows[:, 0] != _LITTLE_ENDIAN).any():
        return None
    kinds = rows[:, 1:_HEAD].copy().view("<u4")
    kind = int(kinds[0, 0])
    head = _HEAD + (4 if kind & _WITH_REFERENCE else 0)
    is_point = kind & ~_WITH_REFERENCE in (_EXTENDED, _STANDARD) and (kinds == kind).all()
    if not is_point or rows.shape[1] != head + 8 * len(AXES):
        return None
    return rows[:, head:].copy().view("<f8")


def binary_points(coordinates: npt.NDArray[np.float64]) -> pa.Array:
    """Points as PostGIS keeps them, 29 bytes each.

    Args:
        coordinates: one row of x, y, z for each.
    """
    head = np.frombuffer(bytes([_LITTLE_ENDIAN]) + _EXTENDED.to_bytes(4, "little"), np.uint8)
    body = np.ascontiguousarray(coordinates, "<f8").view(np.uint8).reshape(len(coordinates), -1)
    rows = np.hstack([np.broadcast_to(head, (len(coordinates), _HEAD)), body])
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(rows.shape[1]), len(rows), [None, pa.py_buffer(rows.tobytes())]
    )
    return fixed.cast(pa.binary())
