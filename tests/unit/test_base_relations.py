"""What the build makes: one file and one function each, with the columns that the file declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from warehouse.catalog.base_relations import OF_ALL, OF_DATASET, OF_VERSION, of_dataset
from warehouse.catalog.header import MADE
from warehouse.catalog.sql_files import sql_files, sql_root
from warehouse.catalog.views import load_views, parse_view
from warehouse.errors import ViewError
from warehouse.registry.datastacks import MINNIE65

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

VIEWS = load_views(MINNIE65)
FUNCTIONS: Mapping[str, Mapping[str, Any]] = dict(zip(MADE, (OF_DATASET, OF_VERSION, OF_ALL), strict=True))
NOT_A_FILE = {"_path", "_generations"}
"""What all paths go through, and what names the manifests that the build itself has written."""


@pytest.mark.parametrize("made", MADE)
def test_a_file_that_is_made_has_a_function_and_the_other_way_round(made: str) -> None:
    assert {view.name for view in VIEWS.values() if view.made == made} == set(FUNCTIONS[made])


def test_a_file_without_a_function_is_named() -> None:
    view = parse_view("cells/_some.sql", "-- Some.\n-- made: of the dataset\n-- column: id BIGINT: Id\n")
    with pytest.raises(ViewError, match=r"sql/cells/_some.sql is made of the dataset, and no function"):
        of_dataset(view, MINNIE65)


def test_a_dataset_without_rows_has_the_columns() -> None:
    view = VIEWS["_flat_segmentations"]
    assert of_dataset(view, replace(MINNIE65, viewer=None)) == (
        'SELECT NULL::BIGINT AS "version", NULL::VARCHAR AS "source" WHERE false'
    )


@pytest.fixture(scope="module")
def two_versions(small_module: SmallWarehouse) -> SmallWarehouse:
    for version in (943, 1718):
        small_module.given(
            version,
            nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20",
            synapses_pni_2="id | pre_pt_root_id | post_pt_root_id\n1 | 10 | 20",
        )
    return small_module


def test_what_is_made_has_the_declared_types(two_versions: SmallWarehouse) -> None:
    found = {
        (schema, name): kinds
        for schema, name, kinds in two_versions.ask(
            "SELECT schema_name, table_name, map_from_entries(list((column_name, data_type))) "
            "FROM duckdb_columns() WHERE database_name = 'microns' GROUP BY ALL"
        )
    }
    for view in VIEWS.values():
        if view.made and not view.is_macro:
            types = {column.name: column.type for column in view.declared if not column.source}
            there = found["main" if view.spans_versions else "v1718", view.name]
            assert {name: there.get(name) for name in types} == types, view.name
            assert list(there) == list(view.columns), view.name


def test_what_a_made_macro_returns_has_the_declared_type(two_versions: SmallWarehouse) -> None:
    for view in VIEWS.values():
        (column, *_) = view.declared or (None,)
        if column is not None and view.is_macro and column.type:
            names = [name.strip() for name in (view.signature or "()")[1:-1].split(",") if name.strip()]
            arguments = ", ".join("['nucleus_detection_v0']" if name == "names" else "1" for name in names)
            ((kind,),) = two_versions.ask(f"SELECT typeof(v1718.{view.name}({arguments}))")
            assert kind == column.type, view.name


def test_every_name_of_a_database_is_a_file(two_versions: SmallWarehouse) -> None:
    written = {path.rpartition("/")[2].removesuffix(".sql") for path, _ in sql_files(sql_root())}
    found = two_versions.ask(
        "SELECT view_name FROM duckdb_views() WHERE database_name = 'microns' AND NOT internal "
        "AND schema_name IN ('main', 'v1718') "
        "UNION SELECT function_name FROM duckdb_functions() WHERE database_name = 'microns'"
    )
    only_in_bundles = {view.name for view in VIEWS.values() if view.only}
    assert {name for (name,) in found} - NOT_A_FILE == written - only_in_bundles
