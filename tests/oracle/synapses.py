"""Synapses: where they are, what they land on, and which inputs a cell has."""

from __future__ import annotations

from functools import cache

import polars as pl

from tests.oracle.cells import CLASSES, CORRECTED, cells
from tests.oracle.dataset import VOXEL, depth, in_nm, layer
from tests.oracle.ids import Ids, roots
from tests.oracle.steps import knows_proofreading, proofread_axons, proofreading
from tests.oracle.tables import SYNAPSES, Version, count, is_segment, latest, named, no_value

TAGS = {"tag_v2": "synapse_target_predictions_ssa_v2", "tag_v1": "synapse_target_predictions_ssa"}
"""The later release first."""
STRUCTURE = "synapse_target_structure"
WORDS = ["spine head", "spine neck", "shaft", "spine", "bouton", "axon", "soma"]
PRE, POST = pl.col("pre_pt_root_id"), pl.col("post_pt_root_id")
COMPLETE = {"pre_is_complete": pl.lit(True), "post_is_complete": pl.lit(True)}
"""Where all synapses are here."""


@cache
def placed(version: Version) -> pl.DataFrame:
    """Synapses as macros give them."""
    rows = in_nm(version.tables[SYNAPSES], "ctr_pt_position", "ctr_")
    return rows.with_columns(is_autapse=(PRE == POST) & is_segment("pre_pt_root_id"))


def synapses(version: Version) -> pl.DataFrame:
    return placed(version).with_columns(**COMPLETE)


def input_synapses(version: Version, ids: Ids) -> pl.DataFrame:
    return placed(version).filter(POST.is_in(roots(version, ids)))


def output_synapses(version: Version, ids: Ids) -> pl.DataFrame:
    return placed(version).filter(PRE.is_in(roots(version, ids)))


def synapses_between(version: Version, pre_ids: Ids, post_ids: Ids) -> pl.DataFrame:
    return output_synapses(version, pre_ids).filter(POST.is_in(roots(version, post_ids)))


def synapses_in_box(version: Version, *corners: float, unit: str = "nm") -> pl.DataFrame:
    """A point on a lower side is in the box, one on an upper side is not."""
    rows = placed(version)
    for axis, low, high in zip(VOXEL, corners[:3], corners[3:], strict=True):
        size = {"nm": VOXEL[axis], "um": VOXEL[axis] / 1000, "voxel": 1}[unit]
        place = pl.col(f"ctr_pt_position_{axis}") * size
        rows = rows.filter(place >= min(low, high), place < max(low, high))
    return rows


def synapse_targets(version: Version) -> pl.DataFrame:
    named_tags = [
        latest(version.tables[table], "target_id").select("target_id", pl.col("tag").cast(pl.String).alias(name))
        for name, table in TAGS.items()
        if table in version.tables
    ]
    if STRUCTURE in version.tables:
        codes = latest(version.tables[STRUCTURE], "target_id").select("target_id", structure_code="value")
        named_tags.append(codes.with_columns(pl.col("structure_code").cast(pl.Int64)))
    rows = pl.concat([each.select("target_id") for each in named_tags]).unique()
    for each in named_tags:
        rows = rows.join(each, on="target_id", how="left")
    for name in (*TAGS, "structure_code"):
        if name not in rows.columns:
            rows = rows.with_columns(no_value(pl.Int64 if name == "structure_code" else pl.String).alias(name))
    word = pl.col("structure_code").replace_strict(dict(enumerate(WORDS)), default=None, return_dtype=pl.String)
    return rows.rename({"target_id": "id"}).with_columns(
        target_structure=pl.coalesce(*TAGS),
        target_structure_source=pl.coalesce(
            pl.when(pl.col(name).is_not_null()).then(pl.lit(table)) for name, table in TAGS.items()
        ),
        fine_structure=word,
    )


@cache
def tagged(version: Version) -> pl.DataFrame:
    """Every synapse with what the predictions say of it."""
    said = ["target_structure", "target_structure_source"]
    if not version.has_any(*TAGS.values(), STRUCTURE):
        return placed(version).with_columns(no_value(pl.String).alias(name) for name in said)
    return placed(version).join(synapse_targets(version).select("id", *said), on="id", how="left")


@cache
def ends(version: Version) -> pl.DataFrame:
    """What is known of each segment with a nucleus: of merged cells only how many there are."""
    rows = cells(version).filter(is_segment("pt_root_id"))
    known = ["nucleus_id", "cell_class", "cell_type", "mtype", "visual_area", "depth_um", "layer"]
    known += ["x_nm", "y_nm", "z_nm"]
    alone = rows.filter("is_single_soma").select("pt_root_id", *known)
    numbers = rows.select("pt_root_id", "n_nuclei_on_root").unique()
    return numbers.join(alone, on="pt_root_id", how="left")


def with_ends(rows: pl.DataFrame, version: Version, *sides: str) -> pl.DataFrame:
    """Rows with what is known of their two segments; no nucleus is a number too."""
    for side in sides or ("pre", "post"):
        rows = rows.join(named(ends(version), side), on=f"{side}_pt_root_id", how="left")
        rows = rows.with_columns(pl.col(f"{side}_n_nuclei_on_root").fill_null(0))
    return rows


def synapses_typed(version: Version) -> pl.DataFrame:
    status = named(proofreading(version), "pre").select(
        "pre_pt_root_id", "pre_strategy_axon", "pre_is_current", "pre_status_axon"
    )
    dendrites = named(proofreading(version), "post").select(
        "post_pt_root_id", "post_is_current", "post_status_dendrite"
    )
    rows = with_ends(tagged(version), version).join(status, on="pre_pt_root_id", how="left")
    rows = rows.join(dendrites, on="post_pt_root_id", how="left")
    asked = pl.when(pl.lit(knows_proofreading(version)))
    depth_um = depth(pl.col("ctr_x_nm"), pl.col("ctr_y_nm"))
    is_axon = (pl.col("pre_status_axon") & (pl.col("pre_strategy_axon") != "none")).fill_null(False)
    return rows.select(
        *("id", "pre_pt_root_id", "post_pt_root_id", "size", "is_autapse"),
        *("target_structure", "target_structure_source", "ctr_x_nm", "ctr_y_nm", "ctr_z_nm"),
        *(
            f"{end}_{name}"
            for end in ("pre", "post")
            for name in ("n_nuclei_on_root", "nucleus_id", "cell_class", "cell_type")
        ),
        *("pre_strategy_axon", "pre_is_current", "post_is_current"),
        pre_axon_proofread=asked.then(is_axon),
        post_dendrite_proofread=asked.then(pl.col("post_status_dendrite").fill_null(False)),
        depth_um=depth_um,
        layer=layer(depth_um),
        **COMPLETE,
    )


def ei_balance(version: Version) -> pl.DataFrame:
    """Inputs of cells that are alone, by the class of the sender and by what they land on."""
    classified = version.has_any(*(table for table, _ in CLASSES.values() if table != CORRECTED))
    placed_on = version.has_any(*TAGS.values(), STRUCTURE)
    rows = with_ends(tagged(version).filter(PRE != POST, is_segment("pre_pt_root_id")), version)
    axons = proofread_axons(version).select(pre_pt_root_id="pt_root_id", is_axon=pl.lit(True))
    rows = rows.filter(pl.col("post_nucleus_id").is_not_null()).join(axons, on="pre_pt_root_id", how="left")
    sender, place = pl.col("pre_cell_class"), pl.col("target_structure").fill_null("untagged")
    of_class = {name: (sender == name).fill_null(False) for name in ("excitatory", "inhibitory")}
    counts = {f"n_{name}": condition for name, condition in of_class.items()}
    counts |= {"n_nonneuron": sender == "nonneuron", "n_unknown": sender.is_null()}
    counts = {name: count(condition) if classified else no_value() for name, condition in counts.items()}
    for word in ("spine", "shaft", "soma", "untagged"):
        here = place == word
        counts[f"n_{word}_syn"] = count(here) if placed_on else no_value()
        for name, condition in of_class.items():
            asked = placed_on and classified
            counts[f"n_{word}_{name}"] = count(here & condition) if asked else no_value()
    found = rows.group_by(nucleus_id="post_nucleus_id", pt_root_id="post_pt_root_id").agg(
        pl.col("post_cell_class").first().alias("cell_class"),
        pl.col("post_cell_type").first().alias("cell_type"),
        n_input_syn=count(),
        n_axons=count(pl.col("is_axon")),
        typed=count(sender.is_not_null()),
        **counts,
    )
    excitatory, inhibitory = pl.col("n_excitatory"), pl.col("n_inhibitory")
    total, both = pl.col("n_input_syn"), excitatory + inhibitory
    return found.with_columns(
        typed_fraction=pl.when(pl.lit(classified)).then(pl.col("typed") / total),
        proofread_fraction=pl.when(pl.lit(knows_proofreading(version))).then(pl.col("n_axons") / total),
        inhibitory_fraction=pl.when(both > 0).then(inhibitory / both),
    ).drop("typed", "n_axons")


VIEWS = {
    "synapses": synapses,
    "synapse_targets": synapse_targets,
    "synapses_typed": synapses_typed,
    "ei_balance": ei_balance,
}
MACROS = {
    "input_synapses": input_synapses,
    "output_synapses": output_synapses,
    "synapses_between": synapses_between,
    "synapses_in_box": synapses_in_box,
}
