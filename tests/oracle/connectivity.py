"""Who connects to whom, and how often, out of how many that could."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl

from tests.oracle.cells import cells, single_cells
from tests.oracle.dataset import between_ends
from tests.oracle.ids import Ids, roots
from tests.oracle.steps import knows_proofreading, proofread_axons
from tests.oracle.synapses import COMPLETE, POST, PRE, ends, placed, synapses_between, with_ends
from tests.oracle.tables import SYNAPSES, Version, count, is_segment, named

PAIR = ["pre_pt_root_id", "post_pt_root_id"]
CELLS = ["pre_nucleus_id", "post_nucleus_id"]
N_SYN, SUM_SIZE = count().alias("n_syn"), pl.col("size").cast(pl.Int64).sum().alias("sum_size")
MEAN_SIZE = (pl.col("sum_size") / pl.col("n_syn")).alias("mean_size")
END = ["n_nuclei_on_root", "nucleus_id", "cell_class", "cell_type", "mtype", "visual_area", "depth_um", "layer"]
BIN = 25


def of_ends(*sides: str, without: str = "") -> list[str]:
    return [f"{side}_{name}" for side in sides for name in END if name != without]


@cache
def pairs(version: Version) -> pl.DataFrame:
    """Connected pairs of different segments."""
    return (
        placed(version)
        .filter(PRE != POST, is_segment("pre_pt_root_id"), is_segment("post_pt_root_id"))
        .group_by(PAIR)
        .agg(N_SYN, SUM_SIZE)
        .with_columns(MEAN_SIZE)
    )


def connections(version: Version) -> pl.DataFrame:
    return pairs(version).with_columns(**COMPLETE)


def axon_columns(version: Version) -> pl.DataFrame:
    return named(proofread_axons(version), "pre")


def connections_typed(version: Version) -> pl.DataFrame:
    rows = with_ends(connections(version), version)
    is_axon = PRE.is_in(proofread_axons(version)["pt_root_id"].implode())
    rows = between_ends(rows).with_columns(
        pre_axon_proofread=pl.when(pl.lit(knows_proofreading(version))).then(is_axon)
    )
    return rows.drop("^(pre|post)_[xyz]_nm$")


def connections_proofread(version: Version) -> pl.DataFrame:
    rows = with_ends(pairs(version).join(axon_columns(version), on="pre_pt_root_id"), version)
    return between_ends(rows).drop("^(pre|post)_[xyz]_nm$")


def cell_connections(version: Version) -> pl.DataFrame:
    rows = with_ends(connections(version), version).drop_nulls(CELLS)
    both = [f"{end}_{name}" for end in ("pre", "post") for name in ("cell_class", "cell_type")]
    return rows.join(axon_columns(version), on="pre_pt_root_id", how="left").select(
        *CELLS, *PAIR, "n_syn", "sum_size", "mean_size", *both, "pre_strategy_axon", "pre_is_current", *COMPLETE
    )


def connections_with_nuclei(version: Version) -> pl.DataFrame:
    rows = with_ends(pairs(version), version)
    return rows.select(
        *PAIR, "n_syn", pl.col("sum_size").cast(pl.Float64), pre_nuc_id=CELLS[0], post_nuc_id=CELLS[1]
    )


def in_out_degree(version: Version) -> pl.DataFrame:
    """Partners of every segment with a nucleus; a partner that is no segment is none on the other side only."""
    rows = placed(version)
    sides = {"input": ("post", "pre"), "output": ("pre", "post")}
    found = ends(version).select("pt_root_id", "nucleus_id", "n_nuclei_on_root", "cell_class", "cell_type")
    for name, (here, there) in sides.items():
        other = f"{there}_pt_root_id"
        partners = with_ends(rows.filter(PRE != POST, is_segment(other)), version, there)
        cell = pl.col(other).filter(pl.col(f"{there}_n_nuclei_on_root") == 1)
        counted = partners.group_by(pt_root_id=f"{here}_pt_root_id").agg(
            count().alias(f"n_{name}_syn"),
            pl.col(other).n_unique().cast(pl.Int64).alias(f"n_{there}_segments"),
            cell.n_unique().cast(pl.Int64).alias(f"n_{there}_cells"),
            SUM_SIZE.alias(f"{name}_sum_size"),
            pl.col("size").mean().alias(f"{name}_mean_size"),
        )
        found = found.join(counted, on="pt_root_id", how="left")
    own = rows.filter(PRE == POST).group_by(pt_root_id="pre_pt_root_id").agg(n_autapses=count())
    found = found.join(own, on="pt_root_id", how="left").with_columns(pl.col("^(n_.*|.*_sum_size)$").fill_null(0))
    strategy = proofread_axons(version).select("pt_root_id", "strategy_axon")
    return found.join(strategy, on="pt_root_id", how="left")


def synapses_pni_2_in_out_degree(version: Version) -> pl.DataFrame:
    rows = version.tables[SYNAPSES]
    size = pl.col("size").mean()
    into = rows.group_by(root_id="post_pt_root_id").agg(n_input=count(), avg_input_size=size)
    out = rows.group_by(root_id="pre_pt_root_id").agg(n_output=count(), avg_output_size=size)
    return into.join(out, on="root_id", how="full", coalesce=True)


# Populations: cells that are alone on their segment, and of them those with a proofread axon.


@cache
def population(version: Version, rule: str = "single_soma") -> pl.DataFrame:
    """Cells that can be an end of a pair, with the strategy of an axon whose outputs may be analysed."""
    rows = cells(version).filter(pl.col(f"is_{rule}"))
    may = pl.col("status_axon") & (pl.col("strategy_axon") != "none")
    strategy = pl.when(may).then("strategy_axon")
    whole = (strategy.is_not_null() & pl.col("status_dendrite") & pl.col("is_current")).fill_null(False)
    return rows.with_columns(strategy_axon=strategy, is_proofread=whole)


def senders(version: Version, rule: str = "single_soma") -> pl.DataFrame:
    return population(version, rule).filter(pl.col("strategy_axon").is_not_null())


@cache
def connected(version: Version, rule: str = "single_soma", min_size: float = 0) -> pl.DataFrame:
    """Ordered pairs of a sender and another cell that have a synapse."""
    cell = ["nucleus_id", "pt_root_id"]
    return (
        placed(version)
        .filter(PRE != POST, pl.col("size") >= min_size)
        .join(named(senders(version, rule).select(cell), "pre"), on="pre_pt_root_id")
        .join(named(population(version, rule).select(cell), "post"), on="post_pt_root_id")
        .group_by(CELLS)
        .agg(N_SYN, SUM_SIZE)
    )


@cache
def possible(version: Version) -> pl.DataFrame:
    """All ordered pairs of a sender and another cell, with what connects them and how far apart they are."""
    kind = ["nucleus_id", "pt_root_id", "strategy_axon", "is_current", "cell_class", "cell_type", "visual_area"]
    kind += ["edge_distance_um", "x_nm", "y_nm", "z_nm"]
    rows = named(senders(version).select(kind), "pre").join(
        named(population(version).select(kind), "post"), how="cross"
    )
    rows = rows.filter(pl.col(CELLS[0]) != pl.col(CELLS[1])).join(connected(version), on=CELLS, how="left")
    return between_ends(rows.with_columns(pl.col("n_syn", "sum_size").fill_null(0)))


def wilson(side: int) -> pl.Expr:
    """An end of the 95 % score interval of n_connected out of n_possible."""
    n, share, z = pl.col("n_possible"), pl.col("n_connected") / pl.col("n_possible"), 1.96
    half = z / (2 * n) * (4 * n * share * (1 - share) + z**2).sqrt()
    bound = (share + z**2 / (2 * n) + side * half) / (1 + z**2 / n)
    return pl.when(n > 0).then(bound)


def probability() -> list[pl.Expr]:
    n = pl.col("n_possible")
    return [
        pl.when(n > 0).then(pl.col("n_connected") / n).alias("connection_probability"),
        wilson(-1).alias("probability_low"),
        wilson(1).alias("probability_high"),
    ]


def cell_type_connectivity(version: Version) -> pl.DataFrame:
    return type_connectivity(version).rename({"pre_label": "pre_cell_type", "post_label": "post_cell_type"})


def type_connectivity(
    version: Version,
    min_syn: int = 1,
    min_size: float = 0,
    strategy: str | None = None,
    soma_rule: str = "single_soma",
    require_current: bool = True,
    by: str = "cell_type",
    among: str = "all",
) -> pl.DataFrame:
    """Every pair is formed and looked at: possible unless it is a cell with itself, connected if it has enough."""
    post = population(version, soma_rule).filter(pl.col("is_proofread") | (among == "all"))
    pre = post.filter(pl.col("strategy_axon").is_not_null(), pl.col("is_current") | (not require_current))
    if strategy == "pooled":
        pre = pre.with_columns(strategy_axon=pl.lit("pooled"))
    elif strategy:
        pre = pre.filter(pl.col("strategy_axon") == strategy)
    enough = connected(version, soma_rule, min_size).filter(pl.col("n_syn") >= min_syn)
    rows = (
        pre.select(pl.col("strategy_axon").alias("pre_strategy_axon"), pre_nucleus_id="nucleus_id", pre_label=by)
        .join(post.select(post_nucleus_id="nucleus_id", post_label=by), how="cross")
        .join(enough, on=CELLS, how="left")
    )
    found = rows.group_by("pre_strategy_axon", "pre_label", "post_label").agg(
        n_pre_cells=pl.col(CELLS[0]).n_unique().cast(pl.Int64),
        n_post_cells=pl.col(CELLS[1]).n_unique().cast(pl.Int64),
        n_possible=count(pl.col(CELLS[0]) != pl.col(CELLS[1])),
        n_connected=count(pl.col("n_syn").is_not_null()),
        n_syn=pl.col("n_syn").sum(),
        sum_size=pl.col("sum_size").sum(),
    )
    return found.with_columns(
        *probability(),
        mean_n_syn=pl.when(pl.col("n_connected") > 0).then(pl.col("n_syn") / pl.col("n_connected")),
        mean_size=pl.when(pl.col("n_syn") > 0).then(MEAN_SIZE),
    )


def connectivity_by_cell(version: Version) -> pl.DataFrame:
    kind = ["pt_root_id", "cell_class", "cell_type", "visual_area", "strategy_axon", "is_current"]
    rows = (
        named(senders(version).select("nucleus_id", *kind), "pre")
        .join(population(version).select(post_nucleus_id="nucleus_id", post_cell_type="cell_type"), how="cross")
        .join(connected(version), on=CELLS, how="left")
    )
    other = pl.col(CELLS[0]) != pl.col(CELLS[1])
    found = rows.group_by(CELLS[0], *(f"pre_{name}" for name in kind), "post_cell_type").agg(
        n_possible=count(other),
        n_connected=count(pl.col("n_syn").is_not_null()),
        n_syn=pl.col("n_syn").sum(),
        sum_size=pl.col("sum_size").sum(),
    )
    return found.with_columns(probability()[0], mean_size=pl.when(pl.col("n_syn") > 0).then(MEAN_SIZE))


def in_bins(rows: pl.DataFrame, distance: str) -> pl.DataFrame:
    low = (pl.col(distance) // BIN * BIN).cast(pl.Float64)
    inside = pl.col("pre_edge_distance_um") >= low + BIN
    return rows.with_columns(distance_from_um=low, distance_to_um=low + BIN, is_inside=inside)


def possible_pairs(version: Version) -> pl.DataFrame:
    rows = in_bins(possible(version), "soma_distance_um")
    kinds = [f"{end}_{name}" for end in ("pre", "post") for name in ("cell_class", "cell_type", "visual_area")]
    return rows.group_by("pre_strategy_axon", "pre_is_current", *kinds, "distance_from_um", "distance_to_um").agg(
        n_possible=count()
    )


def distance_dependence(version: Version) -> pl.DataFrame:
    rows = possible(version).filter("pre_is_current")
    measured = [
        in_bins(rows, column).with_columns(measure=pl.lit(measure))
        for measure, column in {"space": "soma_distance_um", "lateral": "soma_lateral_um"}.items()
    ]
    kinds = ["measure", "pre_strategy_axon", "pre_cell_type", "post_cell_type"]
    has_synapse = pl.col("n_syn") > 0
    found = (
        pl.concat(measured)
        .group_by(*kinds, "distance_from_um", "distance_to_um")
        .agg(
            n_possible=count(),
            n_connected=count(has_synapse),
            n_syn=pl.col("n_syn").sum(),
            n_possible_inside=count(pl.col("is_inside")),
            n_connected_inside=count(pl.col("is_inside") & has_synapse),
        )
    )
    inside = pl.col("n_possible_inside")
    return found.with_columns(
        *probability(),
        probability_inside=pl.when(inside > 0).then(pl.col("n_connected_inside") / inside),
    )


def reciprocal_pairs(version: Version) -> pl.DataFrame:
    """Unordered pairs of two senders with a synapse in either direction."""
    ours = senders(version)
    rows = connected(version).filter(pl.col(CELLS[1]).is_in(ours["nucleus_id"].implode()))
    a, b = map(pl.col, CELLS)
    key = ["nucleus_id_a", "nucleus_id_b"]
    there = rows.filter(a < b).select(a.alias(key[0]), b.alias(key[1]), n_syn_ab="n_syn", sum_size_ab="sum_size")
    back = rows.filter(b < a).select(b.alias(key[0]), a.alias(key[1]), n_syn_ba="n_syn", sum_size_ba="sum_size")
    found = there.join(back, on=key, how="full", coalesce=True).with_columns(
        pl.col("^(n_syn|sum_size)_..$").fill_null(0)
    )
    known_of = ["pt_root_id", "cell_class", "cell_type", "strategy_axon", "is_current", "is_proofread"]
    for end in "ab":
        of_end = ours.select("nucleus_id", *known_of).select(pl.all().name.suffix(f"_{end}"))
        found = found.join(of_end, on=f"nucleus_id_{end}", how="left")
    return found.with_columns(
        is_reciprocal=(pl.col("n_syn_ab") > 0) & (pl.col("n_syn_ba") > 0),
        both_proofread=pl.col("is_proofread_a") & pl.col("is_proofread_b"),
    ).drop("is_proofread_a", "is_proofread_b")


# Partners of single cells.


def partners(version: Version, ids: Ids, here: str, there: str, min_syn: int) -> pl.DataFrame:
    """Pairs of a segment asked for with its partners, strongest first."""
    rows = placed(version).filter(
        pl.col(f"{here}_pt_root_id").is_in(roots(version, ids)), PRE != POST, is_segment(f"{there}_pt_root_id")
    )
    counted = rows.group_by(PAIR).agg(
        N_SYN, SUM_SIZE, pl.col("size").mean().alias("mean_size"), pl.col("size").median().alias("median_size")
    )
    order = ["n_syn", f"{there}_pt_root_id", f"{here}_pt_root_id"]
    counted = counted.filter(pl.col("n_syn") >= min_syn).sort(order, descending=[True, False, False])
    columns = [*PAIR, "n_syn", "sum_size", "mean_size", "median_size", *of_ends(there, without="depth_um")]
    return with_ends(counted, version, there).select(columns).sort(order, descending=[True, False, False])


def input_partners(version: Version, ids: Ids, min_syn: int = 1) -> pl.DataFrame:
    is_axon = PRE.is_in(proofread_axons(version)["pt_root_id"].implode())
    asked = pl.when(pl.lit(knows_proofreading(version)))
    return partners(version, ids, "post", "pre", min_syn).with_columns(pre_axon_proofread=asked.then(is_axon))


def output_partners(version: Version, ids: Ids, min_syn: int = 1) -> pl.DataFrame:
    strategy = axon_columns(version).drop("pre_is_current")
    rows = partners(version, ids, "pre", "post", min_syn)
    return rows.join(strategy, on="pre_pt_root_id", how="left", maintain_order="left")


def common(version: Version, a: Ids, b: Ids, side: str, segments: bool) -> pl.DataFrame:
    """Partners of both, the strongest first; cells only, unless all segments are asked for."""
    here, there = ("post", "pre") if side == "input" else ("pre", "post")
    root, nucleus = f"{there}_pt_root_id", f"{there}_nucleus_id"
    of_a, of_b = (partners(version, each, here, there, 1) for each in (a, b))
    found = of_a.select(
        root, nucleus, *(f"{there}_cell_{x}" for x in ("class", "type")), n_syn_a="n_syn", sum_size_a="sum_size"
    ).join(of_b.select(root, n_syn_b="n_syn", sum_size_b="sum_size"), on=root)
    found = found.filter(
        ~pl.col(root).is_in([*roots(version, a), *roots(version, b)]), pl.col(nucleus).is_not_null() | segments
    )
    strength = (pl.col("n_syn_a") + pl.col("n_syn_b")).alias("strength")
    return found.with_columns(strength).sort("strength", root, descending=[True, False]).drop("strength")


def common_inputs(version: Version, a: Ids, b: Ids, segments: bool = False) -> pl.DataFrame:
    return common(version, a, b, "input", segments)


def common_outputs(version: Version, a: Ids, b: Ids, segments: bool = False) -> pl.DataFrame:
    return common(version, a, b, "output", segments)


def label_of_roots(version: Version, by: str) -> dict[int, str | None]:
    return dict(single_cells(version).select("pt_root_id", by).iter_rows())


def connection_matrix(
    version: Version, pre_ids: Ids, post_ids: Ids, min_syn: int = 1, min_size: float = 0, by: str = "cell_type"
) -> pl.DataFrame:
    names = label_of_roots(version, by)
    counted = synapses_between(version, pre_ids, post_ids).filter(pl.col("size") >= min_size)
    numbers = {
        (pre, post): (n, size) for pre, post, n, size in counted.group_by(PAIR).agg(N_SYN, SUM_SIZE).iter_rows()
    }
    rows = []
    for pre in roots(version, pre_ids):
        for post in roots(version, post_ids):
            n, size = numbers.get((pre, post), (0, 0))
            if n < min_syn:
                n, size = 0, 0
            both = (n, size) if pre != post else (None, None)
            rows.append((pre, post, *both, names.get(pre), names.get(post)))
    rows.sort(key=lambda row: (row[4] is None, row[4] or "", row[0], row[5] is None, row[5] or "", row[1]))
    schema = dict.fromkeys([*PAIR, "n_syn", "sum_size"], pl.Int64) | dict.fromkeys(
        ["pre_label", "post_label"], pl.String
    )
    return pl.DataFrame(rows, schema, orient="row")


def partner_types(version: Version, ids: Ids, side: str = "output", by: str = "cell_type") -> pl.DataFrame:
    here, there = ("pre", "post") if side in ("out", "output") else ("post", "pre")
    names = labels_of_nuclei(version, by)
    rows = partners(version, ids, here, there, 1).with_columns(
        partner_label=pl.col(f"{there}_nucleus_id")
        .replace_strict(names, default=None, return_dtype=pl.String)
        .fill_null("unknown")
    )
    found = rows.group_by("partner_label").agg(
        n_partners=pl.col(f"{there}_pt_root_id").n_unique().cast(pl.Int64),
        n_cells=pl.col(f"{there}_nucleus_id").drop_nulls().n_unique().cast(pl.Int64),
        n_syn=pl.col("n_syn").sum(),
        sum_size=pl.col("sum_size").sum(),
    )
    return found.sort("n_syn", "partner_label", descending=[True, False])


def labels_of_nuclei(version: Version, by: str) -> dict[int, str | None]:
    return dict(cells(version).select("nucleus_id", by).iter_rows())


def paths_between(version: Version, a: Ids, b: Ids, max_hops: int = 2, min_syn: int = 1) -> pl.DataFrame:
    """All walks over proofread axons that end when they arrive, and never meet a cell twice."""
    links = cell_connections(version).filter(pl.col("pre_strategy_axon").is_not_null(), pl.col("n_syn") >= min_syn)
    onward: dict[int, list[tuple[int, int]]] = {}
    for pre, post, n in links.select(*PAIR, "n_syn").iter_rows():
        onward.setdefault(pre, []).append((post, n))
    goals = set(roots(version, b))

    def walk(path: list[int], numbers: list[int]) -> Iterator[tuple[list[int], list[int]]]:
        if len(path) > 1 and path[-1] in goals:
            yield path, numbers
        elif len(numbers) < max_hops:
            for post, n in onward.get(path[-1], []):
                if post not in path:
                    yield from walk([*path, post], [*numbers, n])

    cell = {root: (nucleus, kind) for root, nucleus, kind in _cells_of_roots(version)}
    rows = [
        {
            "n_hops": len(numbers),
            "pt_root_ids": path,
            "nucleus_ids": [cell[root][0] for root in path],
            "cell_types": [cell[root][1] for root in path],
            "n_syn_by_hop": numbers,
            "min_n_syn": min(numbers),
        }
        for start in roots(version, a)
        for path, numbers in walk([start], [])
    ]
    rows.sort(key=lambda row: (row["n_hops"], -row["min_n_syn"], row["pt_root_ids"]))  # type: ignore[operator]
    lists = {name: pl.List(pl.Int64) for name in ("pt_root_ids", "nucleus_ids", "n_syn_by_hop")}
    schema: dict[str, Any] = {"n_hops": pl.Int64, "min_n_syn": pl.Int64, "cell_types": pl.List(pl.String), **lists}
    return pl.DataFrame(rows, schema)


def _cells_of_roots(version: Version) -> Iterator[tuple[int, int, str | None]]:
    yield from single_cells(version).select("pt_root_id", "nucleus_id", "cell_type").iter_rows()


VIEWS = {
    "connections": connections,
    "connections_typed": connections_typed,
    "connections_proofread": connections_proofread,
    "connections_with_nuclei": connections_with_nuclei,
    "cell_connections": cell_connections,
    "in_out_degree": in_out_degree,
    "synapses_pni_2_in_out_degree": synapses_pni_2_in_out_degree,
    "cell_type_connectivity": cell_type_connectivity,
    "connectivity_by_cell": connectivity_by_cell,
    "possible_pairs": possible_pairs,
    "distance_dependence": distance_dependence,
    "reciprocal_pairs": reciprocal_pairs,
}
MACROS = {
    "type_connectivity": type_connectivity,
    "input_partners": input_partners,
    "output_partners": output_partners,
    "common_inputs": common_inputs,
    "common_outputs": common_outputs,
    "connection_matrix": connection_matrix,
    "partner_types": partner_types,
    "paths_between": paths_between,
}
ORDERED = {"input_partners", "output_partners", "common_inputs", "common_outputs", "connection_matrix"}
ORDERED |= {"partner_types", "paths_between"}
"""Macros that promise an order of their rows."""
