"""With which arguments the macros are asked: cells of every kind, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from tests.oracle.cells import cells, single_cells
from tests.oracle.connectivity import population, senders
from tests.oracle.ids import index, known, pieces
from tests.oracle.morphology import POINTS
from tests.oracle.tables import NUCLEI, SYNAPSES, Version

Arguments = dict[Any, Any]
"""Those that are given by their place under numbers, the others under their names."""


def strongest(version: Version, side: str, among: pl.Series) -> list[int]:
    """Segments by their number of synapses, and by their root where that is the same."""
    roots = version.tables[SYNAPSES].filter(pl.col(f"{side}_pt_root_id").is_in(among.implode()))
    counted = roots.group_by(f"{side}_pt_root_id").len().sort("len", f"{side}_pt_root_id", descending=True)
    return counted[f"{side}_pt_root_id"].to_list()


def alone(version: Version) -> pl.Series:
    return single_cells(version)["pt_root_id"]


def nucleus(version: Version, root: int) -> int:
    return int(single_cells(version).filter(pl.col("pt_root_id") == root)["nucleus_id"][0])


def merged(version: Version) -> int:
    return int(cells(version).filter(pl.col("n_nuclei_on_root") > 1)["pt_root_id"].min())  # type: ignore[arg-type]


def several(version: Version, side: str) -> list[Any]:
    """One root, one nucleus as text, several of both kinds with one given twice, merged cells, and pieces."""
    a, b, c, *_ = strongest(version, side, alone(version))
    some = sorted(pieces(version))
    return [
        a,
        str(nucleus(version, b)),
        [b, nucleus(version, c), c],
        [merged(version), a],
        [*some[:2], b],
        some[3],
    ]


def of_side(side: str) -> Callable[[Version], Iterator[Arguments]]:
    def asked(version: Version) -> Iterator[Arguments]:
        yield from ({0: each} for each in several(version, side))

    return asked


def partners(side: str) -> Callable[[Version], Iterator[Arguments]]:
    def asked(version: Version) -> Iterator[Arguments]:
        for each in several(version, side):
            yield {0: each}
        yield {0: several(version, side)[2], "min_syn": 2}
        yield {0: several(version, side)[2], "min_syn": 3}

    return asked


def common(side: str) -> Callable[[Version], Iterator[Arguments]]:
    def asked(version: Version) -> Iterator[Arguments]:
        roots = strongest(version, side, alone(version))[:3]
        yield {0: roots[0], 1: nucleus(version, roots[1])}
        yield {0: roots[2], 1: roots[0], "segments": True}

    return asked


def between(version: Version) -> Iterator[Arguments]:
    pre, post = (strongest(version, side, alone(version)) for side in ("pre", "post"))
    yield {0: pre[0], 1: post[0]}
    yield {0: pre[:5], 1: [*post[:5], pre[0], merged(version)]}
    yield {0: [*pre[:2], *sorted(pieces(version))[:3]], 1: post[:8]}


def matrices(version: Version) -> Iterator[Arguments]:
    pre, post = (strongest(version, side, alone(version)) for side in ("pre", "post"))
    square = {0: pre[:6], 1: [*post[:6], pre[1], merged(version)]}
    yield square
    yield {0: [merged(version), *pre[:4]], 1: sorted({*alone(version)}), "by": "cell_class"}
    yield square | {"min_syn": 2}
    yield square | {"min_size": 900}
    yield square | {"min_syn": 2, "min_size": 400, "by": "layer"}


LABELS = [
    "cell_type",
    "cell_class",
    "mtype",
    "visual_area",
    "layer",
    "cell_type_corrected",
    "cell_type_nonneuronal",
]
LABELS += ["cell_type_manual", "cell_type_by_soma", "cell_type_multifeature", "cell_type_gnn", "class_corrected"]
LABELS += ["class_nonneuronal", "class_manual", "class_by_spines", "class_by_soma", "class_multifeature"]
LABELS += ["mtype_corrected", "mtype_manual", "mtype_by_soma"]


def types_of_partners(version: Version) -> Iterator[Arguments]:
    for side, words in (("pre", ("output", "out")), ("post", ("input", "in"))):
        one, _, few, *_ = several(version, side)
        yield {0: one, "side": words[0]}
        yield {0: few, "side": words[1]}
        yield {0: few, "side": words[0], "by": "cell_class" if side == "pre" else "visual_area"}


def populations(version: Version) -> Iterator[Arguments]:
    yield {}
    yield {"min_syn": 2}
    yield {"min_size": 1000}
    yield {"min_syn": 2, "min_size": 500, "strategy": "pooled"}
    yield {"strategy": sorted({*senders(version)["strategy_axon"]})[0]}
    yield {"soma_rule": "single_neuron"}
    yield {"require_current": False}
    yield {"strategy": "pooled", "by": "cell_class", "among": "proofread"}
    yield {"among": "proofread", "require_current": False, "soma_rule": "single_neuron"}
    yield {"by": "layer", "soma_rule": "single_neuron", "min_syn": 2}


def paths(version: Version) -> Iterator[Arguments]:
    able = senders(version).filter(pl.col("n_nuclei_on_root") == 1)["pt_root_id"]
    starts, goals = strongest(version, "pre", able), strongest(version, "post", population(version)["pt_root_id"])
    for hops in (1, 2, 3):
        yield {0: starts[0], 1: goals[0], "max_hops": hops}
    yield {0: starts[:2], 1: [*goals[1:3], starts[0]]}
    yield {0: nucleus(version, starts[1]), 1: goals[-1], "max_hops": 4, "min_syn": 2}
    yield {0: starts[:3], 1: goals[:2], "min_syn": 2}


def boxes(version: Version) -> Iterator[Arguments]:
    """One in each unit; of one, two corners are positions of synapses."""
    corners = {0: 8000, 1: 400_000, 2: 8000, 3: 30_000, 4: 520_000, 5: 20_000}
    yield corners
    yield {place: corners[(place + 3) % 6] / 1000 for place in corners} | {"unit": "um"}
    places = version.tables[SYNAPSES].select("^ctr_pt_position_.$").head(2).rows()
    yield dict(enumerate((*places[0], *places[1]))) | {"unit": "voxel"}
    yield {place: size / (4, 4, 40)[place % 3] for place, size in corners.items()} | {"unit": "voxel"}


def skeletons(version: Version) -> Iterator[Arguments]:
    roots = sorted({*version.tables[POINTS]["pt_root_id"]})
    yield {0: roots[0]}
    yield {0: roots, "within_um": 3}
    yield {0: roots[1:], "side": "input", "within_um": 40}
    yield {0: roots, "side": "out", "within_um": 0.5}


def all_ids(version: Version) -> Iterator[Arguments]:
    """All that any version knows, under its roots and nuclei, and what nobody knows."""
    every = {0, 1, 4321}
    for each in version.world.values():
        every |= {*index(each), *pieces(each), *each.tables[NUCLEI]["pt_root_id"]}
        for name, rows in each.tables.items():
            every |= {*rows["valid_id"]} if "valid_id" in rows.columns and "proofreading" in name else set()
    yield {0: sorted(every)}


def single_ids(version: Version) -> Iterator[Arguments]:
    one, text, *_, piece = several(version, "pre")
    yield from ({0: each} for each in (one, text, piece))
    of_merged = cells(version).filter(pl.col("n_nuclei_on_root") > 1)["nucleus_id"]
    yield from ({0: int(each)} for each in of_merged)


def viewed(version: Version) -> Iterator[Arguments]:
    one, text, few, *_ = several(version, "pre")
    yield from ({0: each} for each in (one, text, few))
    yield {0: few, "source": "live"}
    followed = [
        each for each in index(version) if all(known(other, each).root for other in version.world.values())
    ]
    yield {0: sorted(followed)[:3]}


CALLS: dict[str, Callable[[Version], Iterator[Arguments]]] = {
    "cell_type_counts": lambda _: iter(
        [{}, *({"rule": rule} for rule in ("nucleus", "type_table", "type_table_first"))]
    ),
    "type_connectivity": populations,
    "input_partners": partners("post"),
    "output_partners": partners("pre"),
    "common_inputs": common("post"),
    "common_outputs": common("pre"),
    "connection_matrix": matrices,
    "partner_types": types_of_partners,
    "paths_between": paths,
    "input_synapses": of_side("post"),
    "output_synapses": of_side("pre"),
    "synapses_between": between,
    "synapses_in_box": boxes,
    "synapses_on_skeleton": skeletons,
    "check_ids": all_ids,
    "root_of": single_ids,
    "nucleus_of": single_ids,
    "neuroglancer_link": viewed,
}
