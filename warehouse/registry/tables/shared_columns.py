"""Columns that many CAVE tables share."""

from __future__ import annotations

from warehouse.registry.schema import Column

NUCLEUS = "nucleus_detection_v0"
SYNAPSE = "synapses_pni_2"
SKELETON = "skeleton_vertices"

ID = Column("id", "id", "The annotation's own id within this table; never changes")
BOOKKEEPING = (
    ID,
    Column("created", "timestamp", "When the annotation was made (not the version's time), UTC", nullable=True),
    Column("superceded_id", "id", "The annotation that replaced this one; spelled as in CAVE", nullable=True),
)
VALID = Column("valid", "bool", "CAVE serves only valid annotations, so this is true", nullable=True)
TO_NUCLEUS = Column("target_id", "id", "Nucleus id: the `id` in nucleus_detection_v0 that this row is about")
TO_SYNAPSE = Column("target_id", "id", "Synapse id: the `id` in synapses_pni_2 that this row is about")


def position(name: str, what: str, *, nullable: bool = False) -> Column:
    """A point in the voxels that CAVE stores, as three columns."""
    return Column(name, "point", what, unit="voxel", nullable=nullable)


def bound_point(prefix: str, what: str) -> tuple[Column, Column]:
    """The supervoxel and the segment under a point."""
    return (
        Column(f"{prefix}_supervoxel_id", "supervoxel_id", f"Supervoxel under {what}; never changes"),
        Column(
            f"{prefix}_root_id",
            "root_id",
            f"Segment under {what} in this version; 0 = outside the segmentation, 1 = never looked up",
        ),
    )


POINT = (position("pt_position", "The annotated point"), *bound_point("pt", "the annotated point"))


def measure(name: str, what: str, unit: str = "") -> Column:
    """A number that may be missing."""
    return Column(name, "float", what, unit=unit, nullable=True)


NUCLEUS_VOLUME = Column("volume", "float", "Volume of the detected nucleus (not of the soma)", unit="um3")
