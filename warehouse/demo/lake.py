"""Synapses of a synthetic volume as Delta tables, as CAVE's exporter writes them.

As observed of that: rows without a segment are left out, rows that are not valid are not; points are binary except
the one that tables are sorted by; the cleft size is a double; each spec is a table of its own, cut into partitions
of the column it is named after.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.demo.synthetic.exports import say_synthetic
from warehouse.demo.synthetic.volume import Volume
from warehouse.registry.schema import AXES
from warehouse.registry.tables import SYNAPSE
from warehouse.storage.wkb import binary_points

_PARTITIONS = 3
_SEGMENTS = ("pre_pt_supervoxel_id", "pre_pt_root_id", "post_pt_supervoxel_id", "post_pt_root_id")


def write_lake(volume: Volume, version: int, folder: Path, spec: str = "id") -> None:
    """Write a version's synapses below `folder`, as `v1507/synapses_pni_2/id`; needs the package deltalake.

    Args:
        volume: the volume.
        version: one of its versions.
        folder: where the lake is.
        spec: the column that decides in which file a row lies.
    """
    from deltalake import write_deltalake

    rows = volume.table(version, SYNAPSE)
    rows = rows.filter(pc.and_(pc.is_valid(rows["pre_pt_root_id"]), pc.is_valid(rows["post_pt_root_id"])))
    bounds = np.quantile(rows[spec].to_numpy(), np.arange(1, _PARTITIONS) / _PARTITIONS)
    columns = {
        "id": rows["id"],
        "valid": rows["valid"],
        "pre_pt_position": _points(rows, "pre_pt_position"),
        "post_pt_position": _points(rows, "post_pt_position"),
        "size": rows["size"].cast(pa.float64()),
        **{name: rows[name] for name in _SEGMENTS},
        **{name: rows[name] for name in (f"ctr_pt_position_{axis}" for axis in AXES)},
        f"{spec}_partition": pa.array(np.searchsorted(bounds, rows[spec].to_numpy()).astype(np.int32)),
    }
    say_synthetic(folder / f"v{version}")
    place = folder / f"v{version}" / SYNAPSE / spec
    place.mkdir(parents=True, exist_ok=True)
    write_deltalake(place, pa.table(columns), partition_by=[f"{spec}_partition"])


def _points(rows: pa.Table, name: str) -> pa.Array:
    return binary_points(np.stack([rows[f"{name}_{axis}"].to_numpy() for axis in AXES], axis=1).astype(float))
