"""Which root of one version became which root of another."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import polars as pl

from tests.oracle.tables import SYNAPSES, Version, count, is_segment

SCHEMA = dict.fromkeys(("version_a", "version_b", "pt_root_id_a", "pt_root_id_b", "n_sides"), pl.Int64)


@cache
def root_lineage(version: Version) -> pl.DataFrame:
    """The sides of synapses of both versions whose root is another one in the later."""
    return pl.concat(
        [pl.DataFrame(schema=SCHEMA)]
        + [_lineage(version.world[a], version.world[b]) for a, b in combinations(sorted(version.world), 2)]
    )


def _lineage(a: Version, b: Version) -> pl.DataFrame:
    if not (SYNAPSES in a.tables and SYNAPSES in b.tables):
        return pl.DataFrame(schema=SCHEMA)
    sides = [
        a.tables[SYNAPSES]
        .select("id", pt_root_id_a=side)
        .join(b.tables[SYNAPSES].select("id", pt_root_id_b=side), on="id")
        for side in ("pre_pt_root_id", "post_pt_root_id")
    ]
    changed = pl.concat(sides).filter(
        pl.col("pt_root_id_a") != pl.col("pt_root_id_b"), is_segment("pt_root_id_a"), is_segment("pt_root_id_b")
    )
    rows = changed.group_by("pt_root_id_a", "pt_root_id_b").agg(n_sides=count())
    return rows.select(
        pl.lit(a.number, pl.Int64).alias("version_a"), pl.lit(b.number, pl.Int64).alias("version_b"), pl.all()
    )
