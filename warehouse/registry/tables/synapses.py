"""Synapses, what they land on, and the archived files of synapses."""

from __future__ import annotations

from dataclasses import replace

from warehouse.registry.schema import Column, Table
from warehouse.registry.tables.shared_columns import (
    BOOKKEEPING,
    ID,
    SYNAPSE,
    TO_SYNAPSE,
    VALID,
    bound_point,
    position,
)

_SYNAPSE_COLUMNS = (
    ID,
    replace(BOOKKEEPING[1], stored=False),
    replace(BOOKKEEPING[2], stored=False),
    replace(VALID, stored=False),
    position("pre_pt_position", "A point on the presynaptic side of the cleft"),
    position("post_pt_position", "A point on the postsynaptic side of the cleft"),
    position("ctr_pt_position", "The centre of the cleft"),
    Column("size", "integer", "Size of the cleft: number of voxels; relative, not an area", unit="voxel"),
    *bound_point("pre_pt", "the presynaptic point"),
    *bound_point("post_pt", "the postsynaptic point"),
)

_STRUCTURE = Column(
    "value",
    "integer",
    "What the synapse is on: 0 spine head, 1 spine neck, 2 shaft of a dendrite, 3 spine without a clear head, "
    "4 bouton of an axon, 5 another part of an axon, 6 soma",
)

TABLES = (
    Table(
        SYNAPSE,
        "synapse",
        "Automatically detected synapses, one row per cleft, over the whole volume.",
        _SYNAPSE_COLUMNS,
        role="synapse",
        since=117,
        sort_by=("post_pt_root_id", "id"),
        warnings=(
            "Outputs of axons that were not proofread are not to be interpreted.",
            "Most presynaptic segments are orphan pieces of axon: a segment is not a cell.",
        ),
        citation=("microns2025", "turner2022"),
    ),
    Table(
        "synapse_target_structure",
        "reference_integer",
        "What each synapse lands on, as a code, where it was classified; `synapse_targets` has the words.",
        (*BOOKKEEPING, VALID, TO_SYNAPSE, _STRUCTURE),
        role="compartment",
        reference=SYNAPSE,
        since=1078,
    ),
    *(
        Table(
            name,
            "reference_tag",
            "What each synapse lands on: spine, shaft or soma, predicted from the mesh.",
            (
                *BOOKKEEPING,
                Column("tag", "category", "Structure on the postsynaptic side", values=("spine", "shaft", "soma")),
                VALID,
                TO_SYNAPSE,
            ),
            role="compartment",
            reference=SYNAPSE,
            since=since,
            until=until,
        )
        for name, since, until in (
            ("synapse_target_predictions_ssa", 1300, 1822),
            ("synapse_target_predictions_ssa_v2", 1718, None),
        )
    ),
    *(
        Table(
            name,
            "synapse",
            f"{what} Columns as reported of the archived file; its header decides.",
            _SYNAPSE_COLUMNS,
            role="synapse",
            since=since,
            sort_by=("post_pt_root_id", "id"),
            kind="archive",
            citation=("microns2025", "turner2022"),
        )
        for name, what, since in (
            (
                "synapses_with_axon_proofreading",
                "The synapses of the table that leave a proofread axon.",
                1507,
            ),
            ("synapses_pni_2_v1_filtered_view", "The whole synapse table as the archive holds it.", 1078),
        )
    ),
)
