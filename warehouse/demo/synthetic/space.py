"""Where things are: the volume's extent, depth below the pia, visual areas, the V1 column, and coarse bins.

Positions are voxels of 4 x 4 x 40 nm, as everywhere in CAVE.
"""

from __future__ import annotations

import numpy as np

from warehouse.demo.synthetic.ids import Bools, Floats, Ints

VOXEL_UM = np.array([0.004, 0.004, 0.040])
LOW = np.array([56_000, 75_000, 14_860])
HIGH = np.array([438_000, 283_000, 27_860])
"""The corners of the volume (range of the positions of real synapses and nuclei, rounded)."""

# The documented transform (standard_transform, minnie65 1.4): rotate by 5 degrees about z, measure from the pia.
_COS, _SIN = np.cos(np.radians(5)), np.sin(np.radians(5))
_PIA_UM = 396.671_032_210_284_5

# A choice: V1 is one side of a slanted border; where it lies follows from the published share of nuclei.
_V1_BORDER_X = 297_000
_V1_BORDER_SLOPE = 4.0
_RL_BORDER_Z = 22_650
_MIDDLE_Z = 21_360
_LM_WIDTH_X, _LM_LOW_Z = 36_000, 27_200

_COLUMN_X, _COLUMN_Y, _COLUMN_Z = 176_000, 145_000, 21_200

BIN_UM = 40.0
BIN_VOXELS = BIN_UM / VOXEL_UM
BINS = np.ceil((HIGH - LOW) / BIN_VOXELS).astype(np.int64)
N_BINS = int(BINS.prod())


def depth_um(positions: Ints) -> Floats:
    """Depth below the pia along its normal, by the documented straight transform."""
    x, y = positions[:, 0] * VOXEL_UM[0], positions[:, 1] * VOXEL_UM[1]
    depth: Floats = _SIN * x + _COS * y - _PIA_UM
    return depth


def y_at_depth(x: Ints, depth: Floats) -> Ints:
    """The y voxel at which a point of given x has the given depth."""
    y: Ints = ((depth + _PIA_UM - _SIN * x * VOXEL_UM[0]) / _COS / VOXEL_UM[1]).astype(np.int64)
    return y


def reflect(values: Floats, axis: int) -> Floats:
    """Values beyond the volume's faces, mirrored back into it."""
    low, high = LOW[axis], HIGH[axis] - 1
    folded: Floats = high - np.abs((values - low) % (2 * (high - low)) - (high - low))
    return folded


def column_distance_um(positions: Ints) -> Floats:
    """Distance to the axis of the V1 column, parallel to the pia."""
    um = positions * VOXEL_UM
    axis_x = _COS * _COLUMN_X * VOXEL_UM[0] - _SIN * _COLUMN_Y * VOXEL_UM[1]
    lateral = _COS * um[:, 0] - _SIN * um[:, 1] - axis_x
    distance: Floats = np.hypot(lateral, um[:, 2] - _COLUMN_Z * VOXEL_UM[2])
    return distance


def areas(positions: Ints) -> tuple[Ints, Floats]:
    """The visual area of each position (index into `published.AREAS`) and the distance to its border in um."""
    x, z = positions[:, 0], positions[:, 2]
    past_v1 = x - (_V1_BORDER_X + _V1_BORDER_SLOPE * (z - _MIDDLE_Z))
    to_v1 = np.abs(past_v1) * VOXEL_UM[0]
    to_rl = np.abs(z - _RL_BORDER_Z) * VOXEL_UM[2]
    lm_x, lm_z = _LM_WIDTH_X - past_v1, z - _LM_LOW_Z
    to_lm = np.minimum(np.abs(lm_x) * VOXEL_UM[0], np.abs(lm_z) * VOXEL_UM[2])
    in_v1: Bools = past_v1 < 0
    in_lm: Bools = ~in_v1 & (lm_x > 0) & (lm_z > 0)
    area = np.select([in_v1, in_lm, z < _RL_BORDER_Z], [0, 3, 1], 2).astype(np.int64)
    border = np.select([in_v1, in_lm], [to_v1, np.minimum(to_v1, to_lm)], np.minimum(to_v1, to_rl))
    return area, border


def bins_of(positions: Ints) -> Ints:
    """The coarse bin that each position lies in."""
    index = ((positions - LOW) // BIN_VOXELS).astype(np.int64).clip(0, BINS - 1)
    flat: Ints = (index[:, 0] * BINS[1] + index[:, 1]) * BINS[2] + index[:, 2]
    return flat
