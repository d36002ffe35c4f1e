"""Skeletons: what CAVE's skeleton service gives for one cell at a time."""

from __future__ import annotations

from warehouse.registry.schema import Column, Table
from warehouse.registry.tables.shared_columns import SKELETON

TABLES = (
    Table(
        SKELETON,
        "skeleton",
        "The skeletons of chosen cells: the cell's shape as a tree of points, one row per point. "
        "Each point but the first knows the next one towards the soma, so a row is also an edge.",
        (
            Column("pt_root_id", "root_id", "The segment whose skeleton it is"),
            Column("vertex", "integer", "Number of the vertex in CAVE's skeleton of this segment, from 0"),
            Column(
                "parent_vertex",
                "integer",
                "The next vertex towards the soma; NULL at the soma, and once in each piece that hangs on nothing",
                nullable=True,
            ),
            *(Column(f"{axis}_nm", "integer", f"Position of the vertex, {axis}", unit="nm") for axis in "xyz"),
            Column(
                "radius_nm",
                "float",
                "Radius of the process there: that of a cylinder of the same volume; 1 where CAVE knows none",
                unit="nm",
                nullable=True,
            ),
            Column(
                "compartment_code",
                "integer",
                "CAVE's code: 1 soma (one vertex), 2 axon, 3 dendrite, 4 apical dendrite, 0 unknown",
            ),
            Column("length_nm", "float", "Length of the edge to the parent; 0 without one", unit="nm"),
            Column(
                "path_nm",
                "float",
                "Length of the way to the soma along the skeleton; NULL in a piece that hangs on nothing",
                unit="nm",
                nullable=True,
            ),
        ),
        role="morphology",
        key=("pt_root_id", "vertex"),
        sort_by=("pt_root_id", "vertex"),
        kind="skeleton",
        warnings=(
            "Within 7.5 um of the soma's centre the skeleton is one point.",
            "Axon and dendrite are told apart by where synapses come in and go out: a guess, not a label.",
            "The axon of a cell that was not proofread is a piece of axon, and may hold pieces of other cells.",
        ),
    ),
)
