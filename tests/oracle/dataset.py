"""Where things are in the volume: numbers out of the publications, said once more."""

from __future__ import annotations

import math

import polars as pl

from tests.oracle.tables import Version

VOXEL = {"x": 4, "y": 4, "z": 40}
TURN = math.radians(5)
PIA = 396671.0322102845
FLAGSHIP = {"L1": 91.80615154, "L2/3": 261.21908419, "L4": 391.8631847, "L5": 537.04973966, "L6": 753.58049474}
ALLEN = {"L1": 57.6, "L2/3": 226.4, "L4": 361.3, "L5": 501.6, "L6a": 678.1, "L6b": 716.6}
SETS = {"flagship": FLAGSHIP, "cortical_layers": ALLEN}
"""The depth at which each layer ends [um]; below the last is white matter."""


def in_nm(rows: pl.DataFrame, point: str = "pt_position", to: str = "") -> pl.DataFrame:
    """Voxels as lengths."""
    return rows.with_columns(
        (pl.col(f"{point}_{axis}") * float(size)).alias(f"{to}{axis}_nm") for axis, size in VOXEL.items()
    )


def depth(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """How far below the pia, after the volume was turned by five degrees [um]."""
    return (x * math.sin(TURN) + y * math.cos(TURN) - PIA) / 1000


def across(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """Where along the pia [um]."""
    return (x * math.cos(TURN) - y * math.sin(TURN)) / 1000


def layer_at(depth_um: float | None, bounds: str = "flagship") -> str | None:
    """The first layer that ends below the depth."""
    if depth_um is None or depth_um < 0:
        return None
    return next((layer for layer, bottom in SETS[bounds].items() if depth_um < bottom), "WM")


def layer(depth_um: pl.Expr) -> pl.Expr:
    """The layer of each depth, by the set that all views use."""
    return depth_um.map_elements(layer_at, return_dtype=pl.String, skip_nulls=True)


def straight(dx: pl.Expr, dy: pl.Expr, dz: pl.Expr) -> pl.Expr:
    """The length of a displacement given in nm [um]."""
    return ((dx / 1000) ** 2 + (dy / 1000) ** 2 + (dz / 1000) ** 2).sqrt()


def lateral(dx: pl.Expr, dy: pl.Expr, dz: pl.Expr) -> pl.Expr:
    """The same without what goes into the depth [um]."""
    return (across(dx, dy) ** 2 + (dz / 1000) ** 2).sqrt()


def between_ends(pairs: pl.DataFrame) -> pl.DataFrame:
    """The distances of the somata of pairs with `pre_x_nm` and so on."""
    steps = [(pl.col(f"pre_{axis}_nm") - pl.col(f"post_{axis}_nm")).cast(pl.Float64) for axis in VOXEL]
    return pairs.with_columns(soma_distance_um=straight(*steps), soma_lateral_um=lateral(*steps))


def layer_bounds_by_source(_: Version) -> pl.DataFrame:
    rows = []
    for bounds, bottoms in SETS.items():
        tops = [0.0, *bottoms.values()]
        names, ends = [*bottoms, "WM"], [*bottoms.values(), None]
        rows += [(bounds, bounds == "flagship", *row, "V1") for row in zip(names, tops, ends, strict=True)]
    schema = ["bounds", "is_default", "layer", "top_um", "bottom_um", "visual_area"]
    return pl.DataFrame(rows, schema, orient="row")


def layer_bounds(version: Version) -> pl.DataFrame:
    return layer_bounds_by_source(version).filter("is_default").drop("bounds", "is_default")


VIEWS = {"layer_bounds": layer_bounds, "layer_bounds_by_source": layer_bounds_by_source}
UNCHECKED = {"layer_bounds": ["source"], "layer_bounds_by_source": ["source"]}
"""Words that only the registry has."""
VALUES = {
    "depth_um": lambda x, y: (x * math.sin(TURN) + y * math.cos(TURN) - PIA) / 1000,
    "distance_um": lambda dx, dy, dz: math.hypot(dx, dy, dz) / 1000,
    "lateral_um": lambda dx, dy, dz: math.hypot(dx * math.cos(TURN) - dy * math.sin(TURN), dz) / 1000,
    "layer_of": layer_at,
    "to_nm": lambda x, y, z, _=None: {"x_nm": 4 * x, "y_nm": 4 * y, "z_nm": 40 * z},
}
CALLS = {
    "depth_um": [(694336, 580480), (-5000, 0), (0, 1e6)],
    "distance_um": [(3000, -4000, 0), (1, 2, 3), (-1e6, 2e6, -5e5)],
    "lateral_um": [(100000, 0, 0), (0, 100000, 0), (0, 0, -100000), (3e5, -2e5, 1e5)],
    "layer_of": [
        *((each,) for each in (-0.001, 0, 91.8, 91.80615154, 261.22, 391.86, 391.87, 537, 753.5, 754, 5000)),
        *((each, "cortical_layers") for each in (-1, 0, 57.6, 226.3, 361.3, 501, 678.1, 716.5, 716.6)),
    ],
    "to_nm": [(1, 2, 3), (173584, 145120, 21127), (7, 8, 9, "nucleus_detection_v0")],
}
