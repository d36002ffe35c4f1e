"""Who is a cell, on which segment, and what the tables call it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from tests.oracle.dataset import VOXEL, depth, layer
from tests.oracle.steps import COREGISTRATIONS, coregistered, nuclei, proofreading
from tests.oracle.tables import Version, count, is_segment, latest, no_value

SOMA = "aibs_metamodel_celltypes_v661"
CORRECTED = f"{SOMA}_corrections"
MANUAL, GLIA = "allen_v1_column_types_slanted_ref", "aibs_column_nonneuronal_ref"
SPINES = "baylor_log_reg_cell_type_coarse_v1"
MTYPES = "aibs_metamodel_mtypes_v661_v2"
SVM, AREAS = "nucleus_ref_neuron_svm", "nucleus_functional_area_assignment"
COMBO, GNN = "cell_type_multifeature_combo", "baylor_gnn_cell_type_fine_model_v2"
Answers = Mapping[str, tuple[str, str]]
"""Columns of answers, the one that is believed first before the others, and the table and column they are from."""
CLASSES: Answers = {
    "class_corrected": (CORRECTED, "classification_system"),
    "class_nonneuronal": (GLIA, "classification_system"),
    "class_manual": (MANUAL, "classification_system"),
    "class_by_spines": (SPINES, "cell_type"),
    "class_by_soma": (SOMA, "classification_system"),
}
TYPES: Answers = {
    "cell_type_corrected": (CORRECTED, "cell_type"),
    "cell_type_nonneuronal": (GLIA, "cell_type"),
    "cell_type_manual": (MANUAL, "cell_type"),
    "cell_type_by_soma": (SOMA, "cell_type"),
}
FORMS: Answers = {
    "mtype_corrected": (f"{MTYPES}_corrections", "cell_type"),
    "mtype_manual": ("allen_column_mtypes_v2", "cell_type"),
    "mtype_by_soma": (MTYPES, "cell_type"),
}
BESIDE: Answers = {
    "class_multifeature": (COMBO, "classification_system"),
    "cell_type_multifeature": (COMBO, "cell_type"),
    "cell_type_gnn": (GNN, "cell_type"),
}
CLASS_WORDS = {
    "excitatory": "excitatory",
    "excitatory_neuron": "excitatory",
    "aibs_coarse_excitatory": "excitatory",
    "inhibitory": "inhibitory",
    "inhibitory_neuron": "inhibitory",
    "aibs_coarse_inhibitory": "inhibitory",
    "nonneuron": "nonneuron",
    "aibs_coarse_nonneuronal": "nonneuron",
}
TYPES_OF_CLASS = {
    "excitatory": ["23P", "4P", "5P-IT", "5P-ET", "5P-NP", "6P-IT", "6P-CT", "6P-U", "WM-P"],
    "inhibitory": ["BC", "BPC", "MC", "NGC"],
    "nonneuron": ["OPC", "astrocyte", "microglia", "oligo", "pericyte"],
}
CLASS_OF_TYPE = {name: of for of, names in TYPES_OF_CLASS.items() for name in names}
NO_TYPES = ("unsure", "unsure e", "unsure i", "error")
LABELS = ["cell_type", "cell_class", "mtype", "visual_area", "layer", *CLASSES, *TYPES, *FORMS, *BESIDE]
"""What a question can take for the kind of a cell."""


def class_word(answer: pl.Expr) -> pl.Expr:
    return answer.replace_strict(CLASS_WORDS, default=None, return_dtype=pl.String)


def type_word(answer: pl.Expr) -> pl.Expr:
    said = pl.when(~answer.str.to_lowercase().is_in(NO_TYPES)).then(answer)
    return said.replace("5P-PT", "5P-ET")


def answers(version: Version) -> pl.DataFrame:
    """Each nucleus with the words of each table."""
    rows = nuclei(version).select("nucleus_id")
    for name, (table, column) in {**CLASSES, **TYPES, **FORMS, **BESIDE}.items():
        if table in version.tables:
            said = latest(version.tables[table], "target_id").select(
                pl.col("target_id").alias("nucleus_id"), pl.col(column).cast(pl.String).alias(name)
            )
            rows = rows.join(said, on="nucleus_id", how="left")
        else:
            rows = rows.with_columns(no_value(pl.String).alias(name))
    return rows


def first_answer(rows: pl.DataFrame, name: str, of: Answers, word: object) -> pl.DataFrame:
    """The first of several tables whose word means something, and which table that is."""
    said = {column: word(pl.col(column)) for column in of}  # type: ignore[operator]
    source = pl.coalesce(
        pl.when(said[column].is_not_null()).then(pl.lit(table)) for column, (table, _) in of.items()
    )
    return rows.with_columns(pl.coalesce(said.values()).alias(name), source.alias(f"{name}_source"))


@cache
def labels(version: Version) -> pl.DataFrame:
    rows = first_answer(answers(version), "cell_class", CLASSES, class_word)
    rows = first_answer(rows, "cell_type", TYPES, type_word)
    rows = first_answer(rows, "mtype", FORMS, type_word)
    of_type = pl.col("cell_type").replace_strict(CLASS_OF_TYPE, default=None, return_dtype=pl.String)
    return rows.with_columns(is_type_of_class=of_type == pl.col("cell_class"))


def areas(version: Version) -> pl.DataFrame:
    if AREAS not in version.tables:
        return pl.DataFrame(
            schema={"nucleus_id": pl.Int64, "visual_area": pl.String, "other_area_distance_um": pl.Float64}
        )
    return latest(version.tables[AREAS], "target_id").select(
        nucleus_id="target_id", visual_area=pl.col("tag").cast(pl.String), other_area_distance_um="value"
    )


def neurons_by_classifier(version: Version) -> pl.DataFrame:
    if SVM not in version.tables:
        return pl.DataFrame(schema={"nucleus_id": pl.Int64, "is_neuron": pl.Boolean})
    return latest(version.tables[SVM], "target_id").select(
        nucleus_id="target_id", is_neuron=pl.col("cell_type") == "neuron"
    )


def on_roots(rows: pl.DataFrame) -> pl.DataFrame:
    """How many nuclei, and how many neurons, share each cell's segment; NULL without a segment."""
    asked = pl.col("is_neuron").is_not_null().any().over("pt_root_id")
    placed = pl.when(is_segment("pt_root_id"))
    rows = rows.with_columns(
        n_nuclei_on_root=placed.then(count().over("pt_root_id")),
        n_neurons_on_root=placed.then(pl.when(asked).then(count(pl.col("is_neuron")).over("pt_root_id"))),
    )
    known = pl.when(~is_segment("pt_root_id")).then(False).when(pl.col("n_neurons_on_root").is_not_null())
    only = pl.col("is_neuron").fill_null(False) & (pl.col("n_neurons_on_root") == 1)
    return rows.with_columns(
        is_single_soma=(pl.col("n_nuclei_on_root") == 1).fill_null(False), is_single_neuron=known.then(only)
    )


def edge_distance() -> pl.Expr:
    """To the nearest of the sides at which the outermost nuclei lie, in x and in z [um]."""
    sides = [
        side
        for axis in ("x_nm", "z_nm")
        for side in (pl.col(axis) - pl.col(axis).min(), pl.col(axis).max() - pl.col(axis))
    ]
    return pl.min_horizontal(sides) / 1000


@cache
def cells(version: Version) -> pl.DataFrame:
    rows = nuclei(version).drop("^pt_position_lookup_.$")
    for more in (neurons_by_classifier(version), labels(version), areas(version)):
        rows = rows.join(more, on="nucleus_id", how="left")
    status = ["status_dendrite", "strategy_dendrite", "status_axon", "strategy_axon", "is_current"]
    rows = rows.join(proofreading(version).select("pt_root_id", *status), on="pt_root_id", how="left")
    asked = all(each in version.tables or each in version.unknown_to_cave for each in COREGISTRATIONS.values())
    everyone = asked and version.has_any(*COREGISTRATIONS.values())
    matched = pl.col("nucleus_id").is_in(coregistered(version)["nucleus_id"].implode())
    depth_um = depth(pl.col("x_nm"), pl.col("y_nm"))
    return on_roots(rows).with_columns(
        depth_um=depth_um,
        layer=layer(depth_um),
        edge_distance_um=edge_distance(),
        is_coregistered=pl.when(matched).then(True).otherwise(pl.lit(False if everyone else None, pl.Boolean)),
    )


def single_cells(version: Version) -> pl.DataFrame:
    """Cells that are alone on their segment."""
    return cells(version).filter("is_single_soma")


def neurons(version: Version) -> pl.DataFrame:
    return cells(version).filter("is_neuron", "is_single_soma")


def multi_soma_roots(version: Version) -> pl.DataFrame:
    merged = cells(version).filter(pl.col("n_nuclei_on_root") > 1).sort("nucleus_id")
    return merged.group_by("pt_root_id", "n_nuclei_on_root", "n_neurons_on_root", maintain_order=True).agg(
        nucleus_ids="nucleus_id"
    )


def aibs_cell_info(version: Version) -> pl.DataFrame:
    """CAVE's names; a type is in the words of its own table."""
    rows = cells(version)
    names = {
        "nucleus_id": "id",
        "cell_class": "broad_type",
        "cell_class_source": "broad_type_source",
        "status_dendrite": "dendrite_cleaned",
        "status_axon": "axon_cleaned",
        "strategy_dendrite": "dendrite_strategy",
        "strategy_axon": "axon_strategy",
        "nucleus_volume_um3": "nuc_volume",
    }
    same = ["pt_root_id", "cell_type_source", "mtype", "mtype_source", "visual_area"]
    verbatim = pl.coalesce(
        pl.when(pl.col("cell_type_source") == table).then(column) for column, (table, _) in TYPES.items()
    )
    return rows.select(
        *same,
        *(f"pt_position_{axis}" for axis in VOXEL),
        *(pl.col(ours).alias(caves) for ours, caves in names.items()),
        cell_type=verbatim,
    )


def nucleus_detection_lookup_v1(version: Version) -> pl.DataFrame:
    places = [f"pt_position_{what}{axis}" for what in ("", "lookup_") for axis in VOXEL]
    names = ["pt_root_id", "orig_root_id", "pt_supervoxel_id"]
    return nuclei(version).select(*names, *places, id="nucleus_id", volume="nucleus_volume_um3")


def single_neurons(version: Version) -> pl.DataFrame:
    return cells(version).filter("is_single_neuron").select("pt_root_id", id="nucleus_id")


def soma_counts(version: Version) -> pl.DataFrame:
    return (
        cells(version)
        .group_by("cell_type")
        .agg(neuron_count=count(pl.col("is_neuron") & is_segment("pt_root_id")), total_count=count())
    )


def type_agreement(version: Version) -> pl.DataFrame:
    said = {
        "cell_type_expert": pl.coalesce(
            type_word(pl.col(f"cell_type_{who}")) for who in ("nonneuronal", "manual")
        ),
        "cell_type_by_soma": type_word(pl.col("cell_type_by_soma")),
        "cell_type_corrected": type_word(pl.col("cell_type_corrected")),
    }
    rows = cells(version).select("is_single_soma", **said).filter(pl.any_horizontal(pl.col(said).is_not_null()))
    expert, soma, corrected = map(pl.col, said)
    return (
        rows.group_by(*said)
        .agg(n_nuclei=count(), n_single_soma=count(pl.col("is_single_soma")))
        .with_columns(is_same_type=expert == soma, is_changed=corrected != soma)
    )


def cell_type_counts(version: Version, rule: str = "nucleus") -> pl.DataFrame:
    if rule == "nucleus":
        rows = cells(version).select("cell_class", "cell_type", is_counted="is_single_soma")
    else:
        places = nuclei(version).select("nucleus_id", "orig_root_id")
        rows = version.tables[SOMA].join(places, left_on="target_id", right_on="nucleus_id").sort("id")
        first, last = (pl.struct("orig_root_id").is_first_distinct(), pl.struct("orig_root_id").is_last_distinct())
        rows = rows.select(
            pl.col("cell_type").cast(pl.String),
            cell_class=class_word(pl.col("classification_system").cast(pl.String)),
            is_counted=is_segment("orig_root_id") & (first if rule == "type_table_first" else first & last),
        )
    return rows.group_by("cell_class", "cell_type").agg(n_cells=count(pl.col("is_counted")), n_nuclei=count())


VIEWS = {
    "cells": cells,
    "neurons": neurons,
    "multi_soma_roots": multi_soma_roots,
    "aibs_cell_info": aibs_cell_info,
    "nucleus_detection_lookup_v1": nucleus_detection_lookup_v1,
    "single_neurons": single_neurons,
    "soma_counts": soma_counts,
    "type_agreement": type_agreement,
}
MACROS = {"cell_type_counts": cell_type_counts}
