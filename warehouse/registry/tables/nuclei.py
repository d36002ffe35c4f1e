"""Nuclei, their areas and look-up points, and what was proofread."""

from __future__ import annotations

from warehouse.registry.schema import Column, Table
from warehouse.registry.tables.shared_columns import (
    BOOKKEEPING,
    NUCLEUS,
    NUCLEUS_VOLUME,
    POINT,
    TO_NUCLEUS,
    VALID,
    bound_point,
    measure,
    position,
)

_AREAS = ("V1", "AL", "RL", "LM")

_PROOFREADING_POINT = (*BOOKKEEPING, VALID, POINT[0])
_VALID_ID = Column(
    "valid_id",
    "root_id",
    "The root when proofreading was assessed; differs from pt_root_id if the cell was edited since",
)

TABLES = (
    Table(
        NUCLEUS,
        "nucleus_detection",
        "Automatically detected nuclei: the stable handle of every cell. One row per detection, not per neuron.",
        (
            *BOOKKEEPING,
            VALID,
            NUCLEUS_VOLUME,
            position("pt_position", "The centroid of the nucleus"),
            position("bb_start_position", "Corner of the bounding box; mostly empty", nullable=True),
            position("bb_end_position", "Opposite corner of the bounding box; mostly empty", nullable=True),
            *bound_point("pt", "the centroid"),
        ),
        role="nucleus",
        since=117,
        warnings=(
            "Several nuclei may share a root: merged cells.",
            "For 8,388 nuclei the centroid hits the wrong segment: nucleus_alternative_points has a better point.",
        ),
    ),
    Table(
        "nucleus_alternative_points",
        "reference_point",
        "A better look-up point for nuclei whose centroid lies on the wrong segment.",
        (*BOOKKEEPING, VALID, TO_NUCLEUS, *POINT),
        role="lookup",
        reference=NUCLEUS,
        since=661,
    ),
    Table(
        "nucleus_functional_area_assignment",
        "reference_tag_float",
        "The visual area each nucleus lies in.",
        (
            *BOOKKEEPING,
            Column("tag", "category", "Visual area", values=_AREAS),
            VALID,
            TO_NUCLEUS,
            measure("value", "Distance to the border of the area", "um"),
        ),
        role="area",
        reference=NUCLEUS,
        since=1078,
    ),
    Table(
        "proofreading_status_and_strategy",
        "compartment_proofread_status_strategy",
        "Which axons and dendrites were proofread, and how far. One row per assessed cell.",
        (
            *_PROOFREADING_POINT,
            _VALID_ID,
            Column("status_dendrite", "bool", "Whether the dendrite was proofread"),
            Column("status_axon", "bool", "Whether the axon was proofread: its outputs may be analysed"),
            Column(
                "strategy_dendrite",
                "category",
                "How far the dendrite was proofread",
                values=("none", "dendrite_clean", "dendrite_extended"),
            ),
            Column(
                "strategy_axon",
                "category",
                "How far the axon was proofread; only fully extended is near complete",
                values=(
                    "none",
                    "axon_partially_extended",
                    "axon_interareal",
                    "axon_fully_extended",
                    "axon_column_truncated",
                ),
            ),
            *POINT[1:],
        ),
        role="proofreading",
        since=1078,
        warnings=(
            "`id` is not a nucleus id.",
            "A stale valid_id means that the cell was edited after the assessment.",
        ),
    ),
    Table(
        "proofreading_status_public_release",
        "compartment_proofread_status",
        "Which axons and dendrites were proofread, in the words used before version 1181.",
        (
            *_PROOFREADING_POINT,
            _VALID_ID,
            Column("status_dendrite", "category", "non, clean or extended", values=("non", "clean", "extended")),
            Column("status_axon", "category", "non, clean or extended", values=("non", "clean", "extended")),
            *POINT[1:],
        ),
        role="proofreading",
        since=343,
        until=1181,
        warnings=("Replaced by proofreading_status_and_strategy.",),
    ),
    *(
        Table(
            f"vortex_{kind}_proofreading_status",
            "proofread_status",
            f"Which putative {kind} axons were proofread: axons from outside, without a soma in the volume.",
            (
                *_PROOFREADING_POINT,
                _VALID_ID,
                Column("status", "category", "non, clean or extended", values=("non", "clean", "extended")),
                *POINT[1:],
            ),
            role="proofreading",
            since=1078,
            warnings=("The point is on the axon, not at a soma.",),
        )
        for kind in ("thalamic", "peptidergic")
    ),
)
