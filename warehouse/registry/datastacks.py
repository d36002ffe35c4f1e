"""What differs between one CAVE datastack and another: geometry, layers, and what its tables are called.

SQL never holds such a number. A build turns a `Datastack` into hidden macros (`_voxel_x_nm()`) and relations
(`_layers`), which the files under sql/ read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from warehouse.registry.schema import Table
from warehouse.registry.tables import TABLES

DEFAULT_DATASTACK = "minnie65_public"


@dataclass(frozen=True)
class Layer:
    """A cortical layer, by its depth below the pia; `bottom_um` is None for what has no lower bound."""

    name: str
    top_um: float
    bottom_um: float | None


@dataclass(frozen=True)
class LayerSet:
    """Another set of layer bounds than the default one.

    Attributes:
        name: what `layer_of` is asked for.
        layers: from the pia downwards, without gaps.
        area: the visual area they were drawn in.
        source: who drew them.
    """

    name: str
    layers: tuple[Layer, ...]
    area: str
    source: str


@dataclass(frozen=True)
class Viewer:
    """Where a dataset can be looked at in Neuroglancer.

    Attributes:
        site: the viewer's address.
        image: source of the electron microscopy.
        live: source of the segmentation that follows edits and asks for an account; "" where there is none.
        flat: by version, the source of a copy of the segmentation, for which there is no need of an account.
    """

    site: str
    image: str
    live: str = ""
    flat: Mapping[int, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Release:
    """A version that was published.

    Attributes:
        version: the materialization version.
        time_stamp: the moment it describes: UTC, ISO 8601 without a zone; "" where this release does not know it.
        archived: whether the public archive had it in October 2026; whoever asks is told what holds now.
    """

    version: int
    time_stamp: str
    archived: bool


@dataclass(frozen=True)
class Datastack:
    """The constants of one datastack.

    Attributes:
        name: CAVE's name.
        voxel_nm: size of a voxel of the annotations, x, y, z; None where it is not known.
        rotation_deg: about z, turns y into the direction from the pia to the white matter; None where not known.
        pia_nm: the rotated y of the pia, where depth is zero; None where it is not known.
        layers: from the pia downwards, without gaps.
        layers_source: who drew the layers, and in which area.
        layers_area: the area they were drawn in.
        layers_name: what this set is called.
        other_layers: further sets of bounds, which only those get who ask for them by name.
        transform_source: where rotation and pia come from.
        synapse_detection: how right the automatic detection of synapses is: `precision`, `recall`, ... to a share.
        synapse_detection_source: who measured that.
        monitor_cm: width, height and distance from the eye of the monitor of the stimuli; None without one.
        monitor_source: who gives them.
        viewer: where to look at it; None where that is not known.
        called: what this datastack calls a table that sql/ refers to by another name.
        archive: where dumps of its versions lie, one folder each; "" where it has none.
        lake: where its versions lie as Delta tables; "" where it has none.
        releases: its published versions.
        tables_voxel_nm: the tables whose positions have another voxel than `voxel_nm`, by this datastack's names.
    """

    name: str
    voxel_nm: tuple[float, float, float] | None
    rotation_deg: float | None
    pia_nm: float | None
    layers: tuple[Layer, ...]
    layers_source: str
    layers_area: str
    transform_source: str
    layers_name: str = "default"
    other_layers: tuple[LayerSet, ...] = ()
    synapse_detection: Mapping[str, float] = field(default_factory=dict, hash=False)
    synapse_detection_source: str = ""
    monitor_cm: tuple[float, float, float] | None = None
    monitor_source: str = ""
    viewer: Viewer | None = None
    called: Mapping[str, str] = field(default_factory=dict, hash=False)
    archive: str = ""
    lake: str = ""
    releases: tuple[Release, ...] = ()
    tables_voxel_nm: Mapping[str, tuple[float, float, float]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for bounds in self.layer_sets:
            for above, below in zip(bounds.layers, bounds.layers[1:], strict=False):
                if above.bottom_um != below.top_um:
                    raise ValueError(f"{self.name}: {below.name} does not begin where {above.name} ends")

    @property
    def layer_sets(self) -> tuple[LayerSet, ...]:
        """All sets of layer bounds, the default one first."""
        default = LayerSet(self.layers_name, self.layers, self.layers_area, self.layers_source)
        return (default, *self.other_layers) if self.layers else self.other_layers

    @property
    def undeclared(self) -> str:
        """What is not known of the datastack, and who can change that; empty where its geometry is declared."""
        if self.rotation_deg is not None and self.pia_nm is not None and self.layers:
            return ""
        return (
            f"the geometry of {self.name} is not declared, so its depths and layers are NULL; declare it in "
            "warehouse/registry/datastacks.py, as CONTRIBUTING.md says under 'A datastack'"
        )

    def voxel_nm_of(self, table: str) -> tuple[float, float, float] | None:
        """Size of a voxel of a table's positions, x, y, z; None where it is not known."""
        return self.tables_voxel_nm.get(table, self.voxel_nm)


def _layers(*bounds: tuple[str, float | None]) -> tuple[Layer, ...]:
    tops = (0.0, *(bottom for _, bottom in bounds if bottom is not None))
    return tuple(Layer(name, top, bottom) for (name, bottom), top in zip(bounds, tops, strict=True))


_BUCKET = "https://storage.googleapis.com/mat_dbs/public"
_RELEASES = (
    Release(117, "2021-06-11T08:10:00.215114", archived=True),
    Release(343, "2022-02-24T08:10:00.184668", archived=True),
    Release(661, "2023-04-06T20:17:09.199182", archived=True),
    Release(795, "2023-08-23T08:10:01.404268", archived=True),
    Release(943, "2024-01-22T08:10:01.497934", archived=True),
    Release(1078, "2024-06-05T10:10:01.203215", archived=True),
    Release(1181, "2024-09-16T10:10:01.121167", archived=True),
    Release(1300, "2025-01-13T10:10:01.286229", archived=True),
    Release(1412, "2025-04-29T10:10:01.200893", archived=True),
    Release(1484, "", archived=True),
    Release(1507, "2025-07-31T08:10:01.117494", archived=True),
    Release(1621, "2025-11-25T08:10:01.094430", archived=False),
    Release(1718, "2026-03-07T08:10:01.190228", archived=True),
    Release(1822, "2026-06-27T14:05:22.813147", archived=False),
    Release(1926, "", archived=False),
)

MINNIE65 = Datastack(
    name=DEFAULT_DATASTACK,
    voxel_nm=(4, 4, 40),
    rotation_deg=5.0,
    pia_nm=396671.0322102845,
    layers=_layers(
        ("L1", 91.80615154),
        ("L2/3", 261.21908419),
        ("L4", 391.8631847),
        ("L5", 537.04973966),
        ("L6", 753.58049474),
        ("WM", None),
    ),
    layers_source="layer_bounds_v3 of the MICrONS flagship paper (microns2025)",
    layers_area="V1",
    layers_name="flagship",
    other_layers=(
        LayerSet(
            "cortical_layers",
            _layers(
                ("L1", 57.6),
                ("L2/3", 226.4),
                ("L4", 361.3),
                ("L5", 501.6),
                ("L6a", 678.1),
                ("L6b", 716.6),
                ("WM", None),
            ),
            "V1",
            "cortical-layers classifier of the Allen Institute (minnie65_phase3-sub6) at the V1 column, on the "
            "same axis of depth; as public software repeats it, not compared with the classifier itself",
        ),
    ),
    transform_source="straight pia normal of minnie65: 5 degrees about z, pia at voxel (183013, 83535, 21480)",
    synapse_detection={"precision": 0.96, "recall": 0.89, "partner assignment": 0.98},
    synapse_detection_source=(
        "compared with 8,611 synapses found by hand in 70 pieces of the volume, partners with 191 more "
        "(microns2025, Automated reconstruction)"
    ),
    monitor_cm=(55.2, 31.0, 15.0),
    monitor_source="monitor of the laboratory (wang2025, Methods), taken to be centred before the eye",
    viewer=Viewer(
        site="https://spelunker.cave-explorer.org/",
        image="precomputed://https://bossdb-open-data.s3.amazonaws.com/iarpa_microns/minnie/minnie65/em",
        live="graphene://middleauth+https://minnie.microns-daf.com/segmentation/table/minnie65_public",
        flat={
            117: "precomputed://gs://iarpa_microns/minnie/minnie65/seg",
            343: "precomputed://gs://iarpa_microns/minnie/minnie65/seg_m343",
            943: "precomputed://gs://iarpa_microns/minnie/minnie65/seg_m943",
            1300: "precomputed://gs://iarpa_microns/minnie/minnie65/seg_m1300",
        },
    ),
    archive=f"{_BUCKET}/minnie65_phase3_v1",
    lake=f"{_BUCKET}/deltalake_exports/minnie65_phase3_v1",
    releases=_RELEASES,
)

DATASTACKS: Mapping[str, Datastack] = {MINNIE65.name: MINNIE65}
"""The datastacks that are declared, by CAVE's name."""


def datastack_of(name: str) -> Datastack:
    """The constants of a datastack. One that is not declared has minnie65's names of tables and no geometry."""
    return DATASTACKS.get(name) or _undeclared(name)


@cache
def _undeclared(name: str) -> Datastack:
    return Datastack(
        name,
        voxel_nm=None,
        rotation_deg=None,
        pia_nm=None,
        layers=(),
        layers_source="",
        layers_area="",
        transform_source="",
    )


def release_of(name: str, version: int) -> Release | None:
    """What is known of a version of a datastack; None when nothing is."""
    known = DATASTACKS[name].releases if name in DATASTACKS else ()
    return next((release for release in known if release.version == version), None)


def table_called(datastack: Datastack, name: str) -> str | None:
    """The table that plays the part of `name` in this datastack; None when `name` is no table of the registry."""
    return datastack.called.get(name, name) if name in TABLES else None


def declared_tables(datastack: Datastack) -> dict[str, Table]:
    """The declared tables that a datastack has, by its names of them."""
    return {name: table for each, table in TABLES.items() if (name := table_called(datastack, each))}


def declared_names(datastack: Datastack) -> dict[str, str]:
    """What sql/ calls the tables of a datastack, by its own names of them."""
    return {called: name for name, called in datastack.called.items() if name in TABLES}


def citations_of(datastack: Datastack, table: Table) -> tuple[str, ...]:
    """The papers of a table, as keys; of a datastack that is not declared only that of CAVE is known."""
    return table.citation if datastack.name in DATASTACKS else ("cave2025",)
