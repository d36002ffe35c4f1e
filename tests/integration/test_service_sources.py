"""What the service makes of a synthetic volume and of a warehouse on disk, asked by the real client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from warehouse.demo.local import write_volume
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import NEWER, OLDER, Volume, synthesize
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.serve import from_warehouse, serve
from warehouse.storage.logical import logical_rows

pytestmark = pytest.mark.slow

caveclient = pytest.importorskip("caveclient", reason="the client comes with the extra 'ingest'")
TYPED = "aibs_metamodel_celltypes_v661"


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(200, seed=3, synapses=4000)


def _materialize(service: Any, version: int) -> Any:
    client = caveclient.CAVEclient(
        "minnie65_public",
        server_address=service.url,
        auth_token=service.token,
        version=version,
        write_server_cache=False,
    )
    return client.materialize


@pytest.fixture(scope="module")
def of_volume(volume: Volume) -> Iterator[Any]:
    with serve(from_volume(volume)) as service:
        yield service


@pytest.fixture(scope="module")
def of_warehouse(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = write_volume(volume, str(Path(tmp_path_factory.mktemp("root"))))
    with serve(from_warehouse(folder)) as service:
        yield service


def _ids(materialize: Any, table: str) -> list[int]:
    return list(materialize.query_table(table, merge_reference=False, metadata=False)["id"])


@pytest.mark.parametrize("info", [OLDER, NEWER], ids=["older", "newer"])
def test_every_table_is_served(volume: Volume, of_volume: Any, of_warehouse: Any, info: Any) -> None:
    virtual, stored = _materialize(of_volume, info.version), _materialize(of_warehouse, info.version)
    names = volume.table_names(info.version)
    assert set(virtual.get_tables()) == set(stored.get_tables()) == set(names)
    for name in names:
        rows = logical_rows(TABLES[name], volume.table(info.version, name))
        assert virtual.get_annotation_count(name) == stored.get_annotation_count(name) == rows.num_rows
        assert _ids(virtual, name) == _ids(stored, name) == sorted(rows["id"].to_pylist())


def test_both_serve_the_same_synapses(of_volume: Any, of_warehouse: Any) -> None:
    frames = []
    for service in (of_volume, of_warehouse):
        frame = _materialize(service, NEWER.version).query_table(SYNAPSE, split_positions=True, metadata=False)
        frames.append(frame.drop(columns="created"))
    assert frames[0].equals(frames[1])


def test_a_reference_table_is_merged(volume: Volume, of_warehouse: Any) -> None:
    frame = _materialize(of_warehouse, NEWER.version).query_table(TYPED)
    nuclei = volume.table(NEWER.version, "nucleus_detection_v0").to_pylist()
    valid = {row["id"]: row["pt_root_id"] for row in nuclei if row["valid"]}
    assert len(frame) > 0
    for _, row in frame.iterrows():
        assert row["pt_root_id"] == (1 if valid[row["id_ref"]] is None else valid[row["id_ref"]])


def test_views_are_served(volume: Volume, of_volume: Any) -> None:
    materialize = _materialize(of_volume, OLDER.version)
    assert set(materialize.get_views()) == set(volume.view_names(OLDER.version))
    single = materialize.query_view("single_neurons", split_positions=True)
    assert sorted(single["id"]) == sorted(volume.view(OLDER.version, "single_neurons")["id"].to_pylist())
