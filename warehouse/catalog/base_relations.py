"""What the build makes: the rows of relations, and the values of macros, that no SELECT can say.

Each function here has the name of a file under sql/, which says what the columns mean (`made:` in its header).
Rows come from the registry and the manifests. Where synapses lie differs from version to version, so that is SQL
text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

from warehouse.catalog.macros import column_rows, macro_rows
from warehouse.catalog.refusal import refusal, synapse_scope
from warehouse.catalog.schemas import all_columns, raw_schema_of, schema_of
from warehouse.errors import ViewError
from warehouse.registry.citations import CITATIONS
from warehouse.registry.datastacks import (
    Datastack,
    Layer,
    Viewer,
    citations_of,
    datastack_of,
    declared_names,
    declared_tables,
    table_called,
)
from warehouse.registry.schema import Table
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.encoding import (
    DELTA_BUCKETS,
    buckets_sql,
    decode_sql,
    delta_bucket,
    folders,
    in_buckets,
    is_live_sql,
    logical_select,
    parquet_source,
    path_sql,
)
from warehouse.storage.lineage import current_lineages
from warehouse.storage.manifest import Manifest, TableEntry
from warehouse.storage.quoting import empty_select, quoted, text_literal, value_literal
from warehouse.storage.voxels import as_in_version, has_positions

if TYPE_CHECKING:
    from warehouse.catalog.views import View

_COMPLETE_IN = {"cells": "_complete_roots", "proofread": "_proofread_axons"}
"""By a word of a scope: the segments all of whose outputs are here."""
_COMPARED_ROWS = 5_000_000
"""Larger tables are not compared row by row when somebody looks at a view."""


@dataclass(frozen=True)
class AllVersions:
    """What is known of all versions of a database.

    Attributes:
        views: all views and macros.
        manifests: by version.
        default: the version that plain names answer from.
        views_version: the meaning of the views.
    """

    views: Mapping[str, View]
    manifests: Mapping[int, Manifest]
    default: int
    views_version: int


Row: TypeAlias = Sequence[Any]
Made: TypeAlias = str | Iterable[Row]
"""Rows; or SQL text: the value of a macro, a SELECT for a relation, nothing for one without rows."""
Pair: TypeAlias = tuple[Manifest, Manifest]

OF_DATASET: dict[str, Callable[[Datastack], Made]] = {}
OF_VERSION: dict[str, Callable[[Manifest], Made]] = {}
OF_ALL: dict[str, Callable[[AllVersions], Made]] = {}
"""The functions of this module, by name, under what they are made of."""


def of_dataset(view: View, datastack: Datastack) -> str:
    """The SELECT of a relation or macro that is made of the dataset."""
    return _select(view, _function(OF_DATASET, view)(datastack))


def of_version(view: View, manifest: Manifest) -> str:
    """The SELECT of a relation or macro that is made of each version, ready to be run."""
    return _select(view, _function(OF_VERSION, view)(manifest))


def of_all(view: View, versions: AllVersions) -> str:
    """The SELECT of a relation that is made of all versions, ready to be run."""
    return _select(view, _function(OF_ALL, view)(versions))


def _function(functions: Mapping[str, Callable[[Any], Made]], view: View) -> Callable[[Any], Made]:
    if view.name not in functions:
        raise ViewError(
            f"sql/{view.folder}/{view.name}.sql is made {view.made}, and no function in base_relations.py does so"
        )
    return functions[view.name]


def _select(view: View, made: Made) -> str:
    """What was made, as a SELECT with the declared columns."""
    if isinstance(made, str) and view.is_macro:
        return f"SELECT {made} AS {view.name}"
    if isinstance(made, str) and any(column.source for column in view.declared):
        return made
    types = {column.name: column.type for column in view.declared}
    rows = made if isinstance(made, str) else ", ".join(f"({', '.join(map(value_literal, row))})" for row in made)
    if not rows:
        return empty_select(types)
    source = (
        f"({rows}) AS made"
        if isinstance(made, str)
        else f"(VALUES {rows}) AS made ({', '.join(map(quoted, types))})"
    )
    # Without the `made`, DuckDB takes a column for the parameter of that name of a macro (`neuroglancer_link`).
    items = ", ".join(f"made.{quoted(name)}::{kind} AS {quoted(name)}" for name, kind in types.items())
    return f"SELECT {items} FROM {source}"


def _made_of_dataset(function: Callable[[Datastack], Made]) -> Callable[[Datastack], Made]:
    OF_DATASET[function.__name__] = function
    return function


def _made_of_each_version(function: Callable[[Manifest], Made]) -> Callable[[Manifest], Made]:
    OF_VERSION[function.__name__] = function
    return function


def _made_of_all_versions(function: Callable[[AllVersions], Made]) -> Callable[[AllVersions], Made]:
    OF_ALL[function.__name__] = function
    return function


# Of the dataset. Constants are macros, because the planner folds those into literals: a view of one row would add
# a join to every expression.


@_made_of_dataset
def _rotation_deg(datastack: Datastack) -> Made:
    return _double(datastack.rotation_deg)


@_made_of_dataset
def _pia_nm(datastack: Datastack) -> Made:
    return _double(datastack.pia_nm)


def _double(value: float | None) -> str:
    """A constant that makes whatever is multiplied with it a DOUBLE."""
    return "NULL::DOUBLE" if value is None else f"{_number(value)}::DOUBLE"


@_made_of_dataset
def _monitor_half_width(datastack: Datastack) -> Made:
    return _over_distance(datastack, 0)


@_made_of_dataset
def _monitor_half_height(datastack: Datastack) -> Made:
    return _over_distance(datastack, 1)


def _over_distance(datastack: Datastack, side: int) -> str:
    if datastack.monitor_cm is None:
        return "NULL::DOUBLE"
    return f"({_number(datastack.monitor_cm[side])} / 2 / {_number(datastack.monitor_cm[2])})::DOUBLE"


def _number(value: float) -> str:
    return repr(int(value) if value == int(value) else value)


@_made_of_dataset
def _layer_at(datastack: Datastack) -> Made:
    return _layer_case(datastack.layers)


def _layer_case(layers: Sequence[Layer]) -> str:
    above = "".join(
        f" WHEN depth < {_number(layer.bottom_um)} THEN {text_literal(layer.name)}"
        for layer in layers
        if layer.bottom_um is not None
    )
    lowest = "".join(f" ELSE {text_literal(layer.name)}" for layer in layers if layer.bottom_um is None)
    return f"CASE{above}{lowest} END" if layers else "NULL::VARCHAR"


@_made_of_dataset
def _layer_by(datastack: Datastack) -> Made:
    if not datastack.layer_sets:
        return f"error({text_literal(datastack.undeclared)})::VARCHAR"
    names = ", ".join(bounds.name for bounds in datastack.layer_sets)
    sets = "".join(
        f" WHEN {text_literal(bounds.name)} THEN CASE WHEN depth >= 0 THEN {_layer_case(bounds.layers)} END"
        for bounds in datastack.layer_sets
    )
    return (
        f"CASE source{sets} ELSE error('there are no layer bounds named ' || source::VARCHAR || "
        f"{text_literal('; all are ' + names + ', see layer_bounds_by_source')}) END"
    )


@_made_of_dataset
def _layers(datastack: Datastack) -> Iterator[Row]:
    for bounds in datastack.layer_sets:
        for layer in bounds.layers:
            yield bounds.name, layer.name, layer.top_um, layer.bottom_um, bounds.area, bounds.source


@_made_of_dataset
def _layers_name(datastack: Datastack) -> Made:
    return text_literal(datastack.layers_name)


@_made_of_dataset
def _viewer(datastack: Datastack) -> Made:
    viewer = datastack.viewer or Viewer("", "")
    return [(datastack.name, viewer.site, viewer.image, viewer.live)]


@_made_of_dataset
def _flat_segmentations(datastack: Datastack) -> Made:
    return datastack.viewer.flat.items() if datastack.viewer else ()


@_made_of_dataset
def _constants(datastack: Datastack) -> Iterator[Row]:
    sizes = datastack.voxel_nm or (None, None, None)
    voxel_source = "resolution of the annotations in CAVE" if datastack.voxel_nm else datastack.undeclared
    for axis, size in zip("xyz", sizes, strict=True):
        yield f"voxel_{axis}", size, "nm", voxel_source
    transform_source = datastack.transform_source or datastack.undeclared
    yield "rotation", datastack.rotation_deg, "deg", transform_source
    yield "pia_y", datastack.pia_nm, "nm", transform_source
    if datastack.monitor_cm is not None:
        for name, length in zip(("width", "height", "distance"), datastack.monitor_cm, strict=True):
            yield f"monitor {name}", length, "cm", datastack.monitor_source
    for name, share in datastack.synapse_detection.items():
        yield f"synapse detection {name}", share, "share", datastack.synapse_detection_source


@_made_of_dataset
def _citations(datastack: Datastack) -> Made:
    return [(key, str(paper)) for key, paper in CITATIONS.items()]


@_made_of_dataset
def _tables_known(datastack: Datastack) -> Iterator[Row]:
    for name, table in TABLES.items():
        yield (
            table_called(datastack, name) or name, table.role, table.kind, table.description, table.schema_type,
            ", ".join(table.key), table_called(datastack, table.reference), table.since, table.until,
            "\n".join(table.warnings), ", ".join(citations_of(datastack, table)),
        )  # fmt: skip


# Of each version: what it is, the size of its voxels, and where look-ups find its synapses.


@_made_of_each_version
def _version(manifest: Manifest) -> Made:
    return f"{manifest.version}::BIGINT"


@_made_of_each_version
def _version_time(manifest: Manifest) -> Made:
    return f"{value_literal(manifest.time_stamp)}::TIMESTAMP"  # unknown of some archived versions


@_made_of_each_version
def _voxel_x_nm(manifest: Manifest) -> Made:
    return _voxel_nm(manifest, 0)


@_made_of_each_version
def _voxel_y_nm(manifest: Manifest) -> Made:
    return _voxel_nm(manifest, 1)


@_made_of_each_version
def _voxel_z_nm(manifest: Manifest) -> Made:
    return _voxel_nm(manifest, 2)


def _voxel_nm(manifest: Manifest, axis: int) -> str:
    """A constant, but for versions with tables whose voxel is not the datastack's."""
    datastack = as_in_version(manifest)
    usual = _double(datastack.voxel_nm[axis] if datastack.voxel_nm else None)
    declared = declared_names(datastack)
    others = "".join(
        f" WHEN {text_literal(called)} THEN {_number(size[axis])}"
        for name, size in datastack.tables_voxel_nm.items()
        for called in dict.fromkeys((name, declared.get(name, name)))
    )
    return f"(CASE table_name{others} ELSE {usual} END)::DOUBLE" if others else usual


@_made_of_each_version
def _table_here(manifest: Manifest) -> Made:
    declared = declared_names(datastack_of(manifest.datastack))
    here = sorted({called for name in manifest.tables for called in (name, declared.get(name, name))})
    names = ", ".join(map(text_literal, here))
    return (
        f"CASE WHEN table_name IS NULL OR list_contains([{names}]::VARCHAR[], table_name::VARCHAR) "
        "THEN table_name::VARCHAR "
        "ELSE error('there is no table named ' || table_name::VARCHAR || ' in this version; see table_catalog') "
        "END"
    )


@_made_of_each_version
def _synapse_scope(manifest: Manifest) -> Made:
    return text_literal(synapse_scope(manifest) or "")


@_made_of_each_version
def _has_any(manifest: Manifest) -> Made:
    return f"list_has_any(names, {_tables_of_version(manifest)}::VARCHAR[])"


@_made_of_each_version
def _has_all(manifest: Manifest) -> Made:
    here = _tables_of_version(manifest)
    unknown = [
        name
        for name, table in TABLES.items()
        if (table.since or 0) > manifest.version or (table.until is not None and table.until <= manifest.version)
    ]
    return f"list_has_all({here + unknown}::VARCHAR[], names) AND list_has_any(names, {here}::VARCHAR[])"


def _tables_of_version(manifest: Manifest) -> list[str]:
    """The declared names of the tables that are here."""
    datastack = datastack_of(manifest.datastack)
    return [name for name in TABLES if table_called(datastack, name) in manifest.tables]


@_made_of_each_version
def _outputs_here(manifest: Manifest) -> Made:
    scope = synapse_scope(manifest) or "all"
    if scope in ("all", "proofread"):  # of a proofread axon, all outputs are here, and there are no others
        return "TRUE"
    sources = [name for word, name in _COMPLETE_IN.items() if word in scope.split("+")]
    return _is_among(manifest, sources)


@_made_of_each_version
def _inputs_here(manifest: Manifest) -> Made:
    scope = synapse_scope(manifest) or "all"
    return "TRUE" if scope == "all" else _is_among(manifest, ["_complete_roots"] if "cells" in scope else [])


def _is_among(manifest: Manifest, sources: Iterable[str]) -> str:
    tests = (f"root IN (SELECT c.pt_root_id FROM {schema_of(manifest.version)}.{name} AS c)" for name in sources)
    return f"({' OR '.join(tests) or 'FALSE'})"


@_made_of_each_version
def _bucket_of(manifest: Manifest) -> Made:
    entry = _in_buckets(manifest)
    if entry is None:
        return "0"
    bounds = ", ".join(map(str, entry.bounds))
    return f"len(list_filter([{bounds}]::BIGINT[], lambda bound: bound <= root))::INTEGER"


@_made_of_each_version
def _buckets_onto(manifest: Manifest) -> Made:
    entry = _in_buckets(manifest)
    return buckets_sql(f"{schema_of(manifest.version)}._bucket_of(root)", entry.base) if entry else "[0]"


@_made_of_each_version
def _buckets_from(manifest: Manifest) -> Made:
    if _in_buckets(manifest) is None:
        return "[0]"
    schema = schema_of(manifest.version)
    return (
        f"CASE WHEN is_sender THEN [{schema}._axon_bucket(root, is_proofread)] "
        f"ELSE {schema}._piece_buckets(root) END"
    )


@_made_of_each_version
def _piece_buckets(manifest: Manifest) -> Made:
    entry = _in_buckets(manifest)
    if entry is None:
        return "[0]"
    if manifest.layout == "full":
        return f"[{schema_of(manifest.version)}._piece_bucket(root)]"
    last = len(entry.bounds)
    return str([*range(last + 1), *(range(DELTA_BUCKETS, delta_bucket(last) + 1) if entry.base else ())])


@_made_of_each_version
def _is_live(manifest: Manifest) -> Made:
    entry = _in_buckets(manifest)
    return is_live_sql(manifest.version, entry.base) if entry and entry.base else "TRUE"


@_made_of_each_version
def _rows_onto(manifest: Manifest) -> Made:
    entry = _in_buckets(manifest)
    return _rows(manifest.version, entry, folders(manifest.version, entry)) if entry else _whole(manifest)


@_made_of_each_version
def _rows_from(manifest: Manifest) -> Made:
    entry = _in_buckets(manifest)
    if entry is None:
        return _whole(manifest)
    version, is_full = manifest.version, manifest.layout == "full"
    axons = manifest.stored_views.get("_axon_synapses")
    pieces = manifest.stored_views.get("_all_by_pre") if is_full else entry
    if axons and pieces and axons.encoding == pieces.encoding and in_buckets(axons):
        return _rows(version, entry, [*folders(version, axons), *folders(version, pieces)])
    return (
        f"SELECT a.* FROM {schema_of(version)}._axon_synapses AS a UNION ALL "
        f"SELECT p.* FROM {schema_of(version)}.{'_all_by_pre' if is_full else '_rows_onto'} AS p"
    )


@_made_of_each_version
def _complete_roots(manifest: Manifest) -> Made:
    if stored := manifest.stored_views.get("_complete_roots"):  # in a bundle
        return logical_select(manifest.version, stored)
    entry = manifest.tables.get(_synapses(manifest))
    paths = ", ".join(path_sql(manifest.version, file.path) for file in entry.chosen) if entry else ""
    return f"SELECT pt_root_id FROM read_parquet([{paths}])" if paths else ""


@_made_of_each_version
def _way_out(manifest: Manifest) -> Made:
    if "bundle" in manifest.tools:
        return "'ask whoever made this bundle for one that has it (microns bundle --cells ' || root || ')'"
    order = f"fetch its synapses with: microns snapshot {manifest.version} --synapses cells --cells "
    return f"{text_literal(order)} || root"


def _synapses(manifest: Manifest) -> str:
    return table_called(datastack_of(manifest.datastack), SYNAPSE) or SYNAPSE


def _in_buckets(manifest: Manifest) -> TableEntry | None:
    """The table of synapses, if its rows are in buckets."""
    entry = manifest.tables.get(_synapses(manifest))
    return entry if entry is not None and in_buckets(entry) else None


def _whole(manifest: Manifest) -> str:
    """All synapses, where they are not in buckets."""
    return f"SELECT s.*, 0 AS b FROM {raw_schema_of(manifest.version)}.{quoted(_synapses(manifest))} AS s"


def _rows(version: int, entry: TableEntry, where: Sequence[str]) -> str:
    """Synapses as they lie in some folders, dead ones too, with the bucket of each."""
    source = f"SELECT {decode_sql(entry.encoding, entry.columns)}, s.b FROM {parquet_source(where, True)} AS s"
    return f"SELECT {all_columns(TABLES[SYNAPSE], entry)}, r.b FROM ({source}) AS r"


# Of all versions: what the manifests say, the same cell or segment in each, and how two of them differ.


@_made_of_all_versions
def _versions_here(versions: AllVersions) -> Iterator[Row]:
    for version, manifest in versions.manifests.items():
        size = sum(file.bytes for file in manifest.files) or None
        tools = json.dumps(manifest.tools, sort_keys=True)
        is_default = version == versions.default
        what = (len(manifest.tables), size, synapse_scope(manifest), tools, versions.views_version)
        yield version, manifest.time_stamp, is_default, *what, manifest.synthetic


@_made_of_all_versions
def _tables_here(versions: AllVersions) -> Iterator[Row]:
    for version, manifest in versions.manifests.items():
        datastack = as_in_version(manifest)
        for name in sorted({*TABLES, *manifest.tables}):
            entry = manifest.tables.get(name)
            if entry is None:
                yield version, name, *(None,) * 6, manifest.absent.get(name, "not fetched"), *(None,) * 5
            else:
                fetched = (entry.source, entry.url, entry.source_sha256, entry.scope, entry.rows, entry.fetched)
                about = (entry.schema_type, entry.reference_table, entry.description, entry.notice_text)
                voxel = datastack.voxel_nm_of(name) if has_positions(entry) else None
                yield version, name, *fetched, None, *about, str(list(voxel)) if voxel else None


@_made_of_all_versions
def _macros(versions: AllVersions) -> Made:
    return macro_rows(versions.views)


@_made_of_all_versions
def _macro_columns(versions: AllVersions) -> Made:
    return column_rows(versions.views)


@_made_of_all_versions
def _nuclei_history(versions: AllVersions) -> Made:
    return _of_every_version(versions, "_nuclei_history", "_nuclei")


@_made_of_all_versions
def _id_history(versions: AllVersions) -> Made:
    return _of_every_version(versions, "_id_history", "_id_index")


@_made_of_all_versions
def _orphan_history(versions: AllVersions) -> Made:
    # A look-up asks for those of other versions: one that is alone has none.
    return _of_every_version(versions, "_orphan_history", "_orphans") if len(versions.manifests) > 1 else ""


@_made_of_all_versions
def _proofreading_history(versions: AllVersions) -> Made:
    view = versions.views["proofreading"]
    able = {version: each for version, each in versions.manifests.items() if not refusal(each, view)}
    able_only = replace(versions, manifests=able)
    return _of_every_version(able_only, "_proofreading_history", "_proofread_cells") if able else ""


def _of_every_version(versions: AllVersions, made: str, source: str) -> str:
    """The columns of a made relation from a view of every version that can answer; else from those that refuse."""
    able = [version for version, each in versions.manifests.items() if not refusal(each, versions.views[source])]
    names = [column.name for column in versions.views[made].declared]
    return _union(
        f"SELECT {', '.join(f'{version} AS version' if name == 'version' else name for name in names)} "
        f"FROM {schema_of(version)}.{source}"
        for version in able or versions.manifests
    )


@_made_of_all_versions
def _lineages(versions: AllVersions) -> Made:
    return _union(
        f"SELECT {old} AS version_a, {new} AS version_b, "
        f"{'other_root' if version == new else 'root'} AS pt_root_id_a, "
        f"{'root' if version == new else 'other_root'} AS pt_root_id_b, n_sides "
        f"FROM read_parquet({path_sql(version, lineage.file.path)})"
        for (old, new), (version, lineage) in current_lineages(versions.manifests).items()
    )


@_made_of_all_versions
def _row_changes(versions: AllVersions) -> Made:
    return _union(each for pair in _pairs(versions) for each in _rows_of_pair(pair))


@_made_of_all_versions
def _side_changes(versions: AllVersions) -> Made:
    return _union(each for pair in _pairs(versions) for each in _sides_of_pair(pair, versions.views))


def _union(selects: Iterable[str]) -> str:
    """All rows of several SELECTs with the same columns."""
    return " UNION ALL ".join(f"SELECT * FROM ({each})" for each in selects)


def _pairs(versions: AllVersions) -> Iterator[Pair]:
    return combinations([manifest for _, manifest in sorted(versions.manifests.items())], 2)


def _numbers(pair: Pair) -> str:
    return f"{pair[0].version} AS version_a, {pair[1].version} AS version_b"


def _rows_of_pair(pair: Pair) -> Iterator[str]:
    for name, table in declared_tables(datastack_of(pair[0].datastack)).items():
        a, b = (manifest.tables.get(name) for manifest in pair)
        if a is None or b is None or a.scope != b.scope:
            continue
        counts = _known_counts(pair, a, b)
        if counts is None and max(a.rows, b.rows) <= _COMPARED_ROWS:
            counts = _counted(pair, name, table, a, b)
        if counts is not None:
            yield f"SELECT {_numbers(pair)}, {text_literal(name)} AS table_name, c.* FROM ({counts}) AS c"


def _known_counts(pair: Pair, a: TableEntry, b: TableEntry) -> str | None:
    """What needs no look at the rows: equal files, or tables that were compared when they were stored."""
    counts = None
    if a.content == b.content:
        counts = (0, 0, 0)
    elif b.base is not None and b.base.version == pair[0].version:
        counts = (b.base.added, b.base.removed, b.base.changed)
    elif a.base is not None and a.base.version == pair[1].version:
        counts = (a.base.removed, a.base.added, a.base.changed)
    names = ("n_rows_added", "n_rows_removed", "n_rows_changed")
    return counts and "SELECT " + ", ".join(f"{n} AS {name}" for n, name in zip(counts, names, strict=True))


def _counted(pair: Pair, name: str, table: Table, a: TableEntry, b: TableEntry) -> str:
    keys = ", ".join(map(quoted, table.key))
    values = [column for column in a.columns if column in b.columns and column not in table.key]
    row = f"row({', '.join(map(quoted, values))})" if values else "0"
    one, other = (
        f"(SELECT {keys}, TRUE AS here, {row} AS content FROM {raw_schema_of(each.version)}.{quoted(name)})"
        for each in pair
    )
    return (
        "SELECT count(*) FILTER (WHERE a.here IS NULL) AS n_rows_added, "
        "count(*) FILTER (WHERE b.here IS NULL) AS n_rows_removed, "
        "count(*) FILTER (WHERE a.here AND b.here AND a.content IS DISTINCT FROM b.content) AS n_rows_changed "
        f"FROM {one} AS a FULL JOIN {other} AS b USING ({keys})"
    )


def _sides_of_pair(pair: Pair, views: Mapping[str, View]) -> Iterator[str]:
    """Only where both versions have all synapses of a cell: of proofread axons alone, all that they send out."""
    scopes = {synapse_scope(each) for each in pair}
    if scopes not in ({"all"}, {"proofread"}) or any(refusal(each, views["_axon_synapses"]) for each in pair):
        return
    yield _side(pair, "output", "pre_pt_root_id", "_axon_synapses", proofread=scopes == {"proofread"})
    if scopes == {"all"}:
        synapses = table_called(datastack_of(pair[0].datastack), SYNAPSE) or SYNAPSE
        yield _side(pair, "input", "post_pt_root_id", synapses, proofread=False)


def _side(pair: Pair, side: str, column: str, source: str, *, proofread: bool) -> str:
    schema = schema_of if source.startswith("_") else raw_schema_of
    a, b = (each.version for each in pair)
    axons = "".join(
        f" SEMI JOIN {schema_of(v)}._proofread_axons AS {n} ON {n}.pt_root_id = {t}.pt_root_id"
        for v, n, t in ((a, "p", "x"), (b, "q", "y"))
    )
    moved = (
        f"SELECT x.nucleus_id, x.pt_root_id AS root_a, y.pt_root_id AS root_b FROM {schema_of(a)}._nuclei AS x "
        f"JOIN {schema_of(b)}._nuclei AS y ON y.nucleus_id = x.nucleus_id{axons if proofread else ''} "
        "WHERE x.pt_root_id <> y.pt_root_id AND x.pt_root_id NOT IN (0, 1) AND y.pt_root_id NOT IN (0, 1)"
    )
    other = "post_pt_root_id" if column == "pre_pt_root_id" else "pre_pt_root_id"
    found = " UNION ALL ".join(
        f"SELECT m.nucleus_id, s.id, {is_a} AS is_a FROM moved AS m "
        f"JOIN {schema(version)}.{quoted(source)} AS s ON s.{column} = m.root_{letter} "
        f"AND s.{other} NOT IN (0, 1, m.root_{letter})"
        for version, letter, is_a in ((a, "a", True), (b, "b", False))
    )
    return (
        f"WITH moved AS MATERIALIZED ({moved}), sides AS (SELECT nucleus_id, id, bool_or(is_a) AS in_a, "
        f"bool_or(NOT is_a) AS in_b FROM ({found}) GROUP BY ALL) "
        f"SELECT {_numbers(pair)}, nucleus_id, '{side}' AS side, count(*) FILTER (WHERE in_a AND in_b) AS n_kept, "
        "count(*) FILTER (WHERE NOT in_a) AS n_gained, count(*) FILTER (WHERE NOT in_b) AS n_lost "
        "FROM sides GROUP BY nucleus_id"
    )
