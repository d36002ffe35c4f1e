"""What the service serves: datastacks, versions, tables and views, wherever their rows come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

from warehouse.registry.schema import AXES
from warehouse.storage.skeleton import Skeleton


class Kind(Enum):
    """The type of a served column, named as the server's own models name it."""

    BIG_INTEGER = ("BigInteger", "BIGINT", "integer")
    INTEGER = ("Integer", "INTEGER", "integer")
    FLOAT = ("Float", "DOUBLE_PRECISION", "float")
    BOOLEAN = ("Boolean", "BOOLEAN", "boolean")
    STRING = ("String", "VARCHAR", "string")
    DATE_TIME = ("DateTime", "TIMESTAMP", "string")
    POINT = ("Geometry", "Geometry", "SpatialPoint")

    def __init__(self, model_name: str, database_name: str, schema_name: str) -> None:
        """Name the kind as a table's model, as a view's reflected type, and as a JSON schema."""
        self.model_name = model_name
        self.database_name = database_name
        self.schema_name = schema_name


@dataclass(frozen=True)
class ServedColumn:
    """One column as a query names it; a point is one column here and three on the wire."""

    name: str
    kind: Kind

    @property
    def fields(self) -> tuple[str, ...]:
        """The stored columns behind this one."""
        if self.kind is Kind.POINT:
            return tuple(f"{self.name}_{axis}" for axis in AXES)
        return (self.name,)


def _kind(type_: pa.DataType) -> Kind:
    if pa.types.is_boolean(type_):
        return Kind.BOOLEAN
    if pa.types.is_integer(type_):
        return Kind.BIG_INTEGER if type_.bit_width > 32 else Kind.INTEGER
    if pa.types.is_floating(type_):
        return Kind.FLOAT
    if pa.types.is_timestamp(type_):
        return Kind.DATE_TIME
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_dictionary(type_):
        return Kind.STRING
    raise TypeError(f"a table of type {type_} cannot be served")


def columns_of(schema: pa.Schema) -> tuple[ServedColumn, ...]:
    """The served columns of an Arrow schema, with integer `_x`, `_y`, `_z` triples folded into points."""
    columns = []
    in_points: set[str] = set()
    for entry in schema:
        if entry.name in in_points:
            continue
        point = ServedColumn(entry.name[:-2], Kind.POINT)
        if (
            pa.types.is_integer(entry.type)
            and point.fields[0] == entry.name
            and {*point.fields} <= {*schema.names}
        ):
            in_points.update(point.fields)
            columns.append(point)
        else:
            columns.append(ServedColumn(entry.name, _kind(entry.type)))
    return tuple(columns)


@dataclass(frozen=True)
class Served:
    """What tables and views have in common: named columns, a resolution, and rows.

    `rows` is an Arrow table, a function that makes one when it is first needed, or a DuckDB relation such
    as `read_parquet('part-*.parquet')`, which is queried where it lies and never loaded as a whole.
    """

    name: str
    columns: tuple[ServedColumn, ...]
    rows: pa.Table | Callable[[], pa.Table] | str
    description: str = ""
    notice_text: str | None = None
    resolution: tuple[float, float, float] = (4.0, 4.0, 40.0)

    def column(self, name: str) -> ServedColumn | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def type_name(self, column: ServedColumn) -> str:
        """What the server calls the type of a column in its messages."""
        return column.kind.model_name

    @property
    def hidden(self) -> tuple[str, ...]:
        """Columns that exist on the server and are announced, but never sent."""
        return ()

    @property
    def has_valid(self) -> bool:
        """Whether rows can be invalid, and are then left out of every answer."""
        return False


@dataclass(frozen=True)
class ServedTable(Served):
    """One annotation table of one version, with what the server tells about it."""

    schema_type: str = ""
    reference_table: str | None = None
    id: int = 1
    user_id: str = "1"
    created: dt.datetime = dt.datetime(2020, 1, 1, 0, 0, 0, 1)
    last_modified: dt.datetime = dt.datetime(2020, 1, 1, 0, 0, 0, 1)
    last_updated: dt.datetime = dt.datetime(2020, 1, 1, 0, 0, 0, 1)
    flat_segmentation_source: str | None = None
    stored_count: int | None = None

    @property
    def hidden(self) -> tuple[str, ...]:
        """A table with its own `created` also has `deleted`, which the server drops from results."""
        return ("deleted",) if self.column("created") else ()

    @property
    def has_valid(self) -> bool:
        """Whether the table carries the `valid` flag that every query filters on."""
        return self.column("valid") is not None

    @property
    def bound_points(self) -> tuple[str, ...]:
        """Prefixes of the points that are linked to the segmentation, such as `pre_pt`."""
        names = {column.name for column in self.columns}
        return tuple(
            column.name.removesuffix("_root_id")
            for column in self.columns
            if column.name.endswith("_root_id")
            and column.name.removesuffix("_root_id") + "_supervoxel_id" in names
        )


@dataclass(frozen=True)
class ServedView(Served):
    """One database view of one version; its floats stay 64 bit on the wire."""

    id: int = 1
    live_compatible: bool = False

    def type_name(self, column: ServedColumn) -> str:
        """What the server calls the type of a column: the database's name, since views have no model."""
        return column.kind.database_name


@dataclass(frozen=True)
class ServedVersion:
    """One materialization version of a datastack; a `synthetic` one says so in its metadata."""

    version: int
    time_stamp: dt.datetime
    tables: tuple[ServedTable, ...] = ()
    views: tuple[ServedView, ...] = ()
    id: int = 1
    expires_on: dt.datetime | None = dt.datetime(2121, 11, 10, 7, 10, 0, 123456)
    is_merged: bool = False
    expired: bool = False
    synthetic: bool = False

    def table(self, name: str) -> ServedTable | None:
        """The table of that name, or None."""
        return next((table for table in self.tables if table.name == name), None)

    def view(self, name: str) -> ServedView | None:
        """The view of that name, or None."""
        return next((view for view in self.views if view.name == name), None)


@dataclass
class Shelf:
    """The skeletons that a skeleton service keeps ready, and those that it can make.

    Attributes:
        skeleton: gives the skeleton of a segment, or None if it has none.
        is_ready: whether the skeleton of a segment was ready from the start.
        made: segments whose skeletons were made since.
    """

    skeleton: Callable[[int], Skeleton | None] = lambda _: None
    is_ready: Callable[[int], bool] = lambda _: True
    made: set[int] = field(default_factory=set)

    def ready(self, root_id: int) -> Skeleton | None:
        """The skeleton of a segment if it is ready."""
        return self.skeleton(root_id) if root_id in self.made or self.is_ready(root_id) else None

    def make(self, root_ids: Iterable[int]) -> None:
        """Make skeletons; they are ready for whoever asks next."""
        self.made.update(root_ids)


@dataclass(frozen=True)
class ServedDatastack:
    """One datastack: its info entry and its versions, in the order in which the server lists them.

    `pcg_table` names the segmentation that tables are bound to; the info entry may name another.
    """

    name: str
    versions: tuple[ServedVersion, ...]
    aligned_volume: str = "minnie65_phase3"
    aligned_volume_description: str = ""
    display_name: str = "Minnie65"
    image_source: str = ""
    description: str = ""
    pcg_table: str = "minnie3_v1"
    segmentation_name: str | None = None
    synapse_table: str | None = "synapses_pni_2"
    soma_table: str | None = "nucleus_detection_v0"
    viewer_resolution: tuple[float, float, float] = (4.0, 4.0, 40.0)
    viewer_site: str = "https://spelunker.cave-explorer.org/"
    skeletons: Shelf = field(default_factory=Shelf, compare=False)

    def version(self, number: int) -> ServedVersion | None:
        """The version of that number, expired or not, or None."""
        return next((version for version in self.versions if version.version == number), None)

    def live_versions(self) -> Iterator[ServedVersion]:
        """The versions that can be queried."""
        return (version for version in self.versions if not version.expired)
