"""Another brain: other table names, another resolution, other layers, no function. Same SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from tests.conftest import filled
from warehouse.catalog.build import build
from warehouse.catalog.refusal import refusal
from warehouse.catalog.views import load_views
from warehouse.commands.check import check
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import DATASTACKS, MINNIE65, Layer
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

TINY = replace(
    MINNIE65,
    name="tiny_brain",
    voxel_nm=(10, 10, 50),
    rotation_deg=0.0,
    pia_nm=1000.0,
    layers=(Layer("upper", 0, 100), Layer("lower", 100, None)),
    layers_area="S1",
    layers_source="drawn for this test",
    transform_source="made up for this test",
    viewer=None,
    synapse_detection={},
    called={
        "nucleus_detection_v0": "nuclei",
        "nucleus_ref_neuron_svm": "is_neuron",
        "aibs_metamodel_celltypes_v661": "types",
        "proofreading_status_and_strategy": "proofread",
        "synapses_pni_2": "contacts",
        "coregistration_manual_v4": "never_recorded",
    },
)
ROWS = {
    "nucleus_detection_v0": """
        id | pt_root_id | pt_position_x | pt_position_y | pt_position_z
        1  | 10         | 0             | 5100          | 0
        2  | 20         | 3000          | 15100         | 800
        3  | 20         | 3000          | 15100         | 0 """,
    "nucleus_ref_neuron_svm": "id | target_id | cell_type\n1 | 1 | neuron\n2 | 2 | neuron\n3 | 3 | not-neuron",
    "aibs_metamodel_celltypes_v661": "target_id | cell_type\n1 | BC",
    "proofreading_status_and_strategy": """
        pt_root_id | valid_id | status_axon | strategy_axon       | status_dendrite | strategy_dendrite
        10         | 10       | true        | axon_fully_extended | true            | dendrite_clean """,
    "synapses_pni_2": """
        id | pre_pt_root_id | post_pt_root_id | size | ctr_pt_position_x | ctr_pt_position_z
        1  | 10             | 20              | 7    | 2                 | 3
        2  | 99             | 10              | 9    | 4                 | 5 """,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(dict_of(DATASTACKS), TINY.name, TINY)
        folder = Folder.of(root, TINY.name)
        assembled = folder.staging(7)
        entries = {}
        for name, text in ROWS.items():
            table = replace(TABLES[name], name=TINY.called[name])
            write = cluster_synapses if name == SYNAPSE else write_table
            entries[table.name] = write(assembled, table, filled(table, text), source="synthetic", scope="all")
        publish(folder, assembled, Manifest(TINY.name, 7, "2026-01-01T00:00:00", entries))
        build(folder)
        with connect(root=root, datastack=TINY.name) as warehouse:
            yield warehouse


def dict_of(mapping: object) -> dict[str, object]:
    assert isinstance(mapping, dict)
    return mapping


def test_the_other_geometry_is_used(tiny: Warehouse) -> None:
    """No rotation: depth is y minus the pia; a voxel is 10 x 10 x 50 nm."""
    cells = tiny.sql(
        "SELECT nucleus_id, depth_um, layer, x_nm, z_nm, is_single_soma, cell_type FROM cells ORDER BY 1"
    )
    assert cells.fetchall() == [
        (1, 50.0, "upper", 0, 0, True, "BC"),
        (2, 150.0, "lower", 30000, 40000, False, None),
        (3, 150.0, "lower", 30000, 0, False, None),
    ]
    assert tiny.sql("SELECT ctr_x_nm, ctr_z_nm FROM synapses WHERE id = 1").fetchall() == [(20, 150)]
    units = tiny.sql("SELECT DISTINCT unit FROM data_dictionary WHERE name = 'synapses' AND unit LIKE 'voxel of%'")
    assert units.fetchall() == [("voxel of 10 x 10 x 50 nm",)]
    assert tiny.sql("SELECT visual_area, source FROM layer_bounds GROUP BY ALL").fetchall() == [
        ("S1", "drawn for this test")
    ]
    assert (
        tiny.sql("FROM dataset_constants WHERE name LIKE '%detection%' OR source LIKE '%minnie%'").fetchall() == []
    )
    assert tiny.sql(
        "SELECT value FROM dataset_constants WHERE name IN ('voxel_z', 'upper bottom')"
    ).fetchall() == [
        (50.0,),
        (100.0,),
    ]


def test_connections_of_the_other_brain(tiny: Warehouse) -> None:
    rows = tiny.sql(
        "SELECT pre_nucleus_id, post_nucleus_id, post_n_nuclei_on_root, n_syn, pre_strategy_axon "
        "FROM connections_proofread"
    )
    assert rows.fetchall() == [(1, None, 2, 1, "axon_fully_extended")]


def test_every_view_answers_or_refuses_with_its_own_name_of_the_table(tiny: Warehouse) -> None:
    views = [view for view in load_views(TINY).values() if not view.is_macro and not view.spans_versions]
    refusing = {view.name for view in views if refusal(tiny.manifest, view) is not None}
    assert {"functional_units", "functional_best", "functional_pairs"} <= refusing
    assert not {"cells", "neurons", "connections", "connections_proofread", "inclusion_funnel"} & refusing
    for view in views:
        if view.name in refusing:
            with pytest.raises(duckdb.Error, match=f"^Invalid Input Error: {view.name} needs the table"):
                tiny.sql(f"SELECT count(*) FROM {view.name}").fetchall()
        else:
            tiny.sql(f"SELECT * FROM {view.name}").fetchall()
    with pytest.raises(duckdb.Error, match="functional_units needs the table never_recorded or"):
        tiny.sql("FROM functional_units").fetchall()


def test_nobody_knows_where_to_look_at_it(tiny: Warehouse) -> None:
    with pytest.raises(duckdb.Error, match="it is not known where tiny_brain can be looked at"):
        tiny.sql("SELECT neuroglancer_link(10)").fetchall()


def test_its_catalog_and_checks_know_its_names(tiny: Warehouse) -> None:
    here = tiny.sql(
        "SELECT table_name, role FROM table_catalog WHERE len(local_versions) = 1 ORDER BY 1"
    ).fetchall()
    assert here == [
        ("contacts", "synapse"),
        ("is_neuron", "cell type"),
        ("nuclei", "nucleus"),
        ("proofread", "proofreading"),
        ("types", "cell type"),
    ]
    results = list(check(Folder(tiny.path), 7))
    assert {result.name for result in results} >= {"cells_are_nuclei", "connections_add_up", "layers_match_depth"}
    assert [str(result) for result in results if not result.ok] == []
