"""`microns check`: silent on what is sound, and it names each planted fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import polars as pl
import pytest
from msgspec.structs import replace

from ingest.job.repair import repair
from tests.conftest import copied
from warehouse.catalog.build import build
from warehouse.catalog.verify import verify_database
from warehouse.commands.check import Result, check
from warehouse.errors import SnapshotDamaged
from warehouse.query.session import connect
from warehouse.storage.manifest import read_manifest, sha256_of
from warehouse.storage.paths import Folder

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse


def broken(folder: Folder, version: int = 1718) -> dict[str, Result]:
    return {result.name: result for result in check(folder, version) if not result.ok}


@pytest.mark.slow
def test_a_clean_volume_is_sound(synthetic: Folder) -> None:
    for version in (1507, 1718):
        results = list(check(synthetic, version))
        assert [str(result) for result in results if not result.ok] == []
        assert {"connections_add_up", "cells_are_nuclei"} <= {result.name for result in results}


@pytest.fixture(scope="module")
def template(small_module: SmallWarehouse) -> SmallWarehouse:
    small = small_module
    small.given(
        1718,
        nucleus_detection_v0="id | pt_root_id\n1 | 10\n2 | 20",
        aibs_metamodel_celltypes_v661="target_id | cell_type\n1 | BC\n2 | MC",
        synapses_pni_2="id | pre_pt_root_id | post_pt_root_id\n1 | 10 | 20\n2 | 20 | 10",
    )
    build(small.folder)
    assert broken(small.folder) == {}
    return small


@pytest.fixture
def sound(small: SmallWarehouse, template: SmallWarehouse) -> SmallWarehouse:
    return small.copy_of(template)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes, not"),
        (lambda path: path.write_bytes(b"PAR2" + path.read_bytes()[4:]), "has another SHA-256"),
        (lambda path: path.with_name("part-1.parquet").write_bytes(path.read_bytes()), "is not in the manifest"),
    ],
)
def test_files_that_are_not_those_of_the_manifest(sound: SmallWarehouse, damage: object, problem: str) -> None:
    assert callable(damage)
    damage(sound.file(1718, "nucleus_detection_v0"))
    found = broken(sound.folder)
    assert list(found) == ["files are those of the manifest"]
    assert problem in str(found["files are those of the manifest"])
    assert "microns repair 1718" in str(found["files are those of the manifest"])


def rewrite_table(folder: Folder, table: str, frame: pl.DataFrame) -> None:
    """Plant rows that no snapshot would write, in a file that the manifest agrees with."""
    manifest = read_manifest(folder.manifest(1718))
    entry = manifest.tables[table]
    path = folder.version(1718) / entry.files[0].path
    frame.write_parquet(path)
    file = replace(entry.files[0], bytes=path.stat().st_size, sha256=sha256_of(path), rows=len(frame))
    tables = manifest.tables | {table: replace(entry, files=[file], rows=len(frame))}
    replace(manifest, tables=tables).write(folder.manifest(1718))
    build(folder)


def read_table(folder: Folder, table: str) -> pl.DataFrame:
    (file,) = read_manifest(folder.manifest(1718)).tables[table].files
    return pl.read_parquet(folder.version(1718) / file.path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("init.sql", lambda content: content.replace(b"parquet_metadata_cache", b"parquet_metadata_cacho")),
        ("init.sql", lambda content: b"\xb6" + content[1:]),
        ("init.sql", lambda content: content + b".shell echo hi\n"),
        ("init.sql", lambda content: content.replace(b"file_search_path = '", b"file_search_path = '';.sh ls;'")),
        ("microns.duckdb", lambda content: content + b"more"),
    ],
    ids=["a setting", "no text", "a further line", "another folder and more", "further bytes"],
)
def test_what_lies_beside_the_versions_is_looked_at(
    sound: SmallWarehouse, name: str, damage: Callable[[bytes], bytes]
) -> None:
    path = sound.folder.path / name
    path.write_bytes(damage(path.read_bytes()))
    assert [(problem.path, problem.kind) for problem in verify_database(sound.folder)] == [(name, "database")]
    repair(sound.folder, None, no_source, service=no_source)
    assert verify_database(sound.folder) == []


def no_source(*_: object) -> NoReturn:
    raise AssertionError("nothing needs to be fetched")


@pytest.mark.slow
def test_a_bucket_that_nobody_made_is_not_read(synthetic: Folder, tmp_path: Path) -> None:
    folder = copied(synthetic, tmp_path)
    bucket = next(folder.version(1718).glob("model/synapses-*/b=*"))
    with connect(1718, tmp_path) as wh:
        before = wh.sql("SELECT count(*) FROM synapses").fetchall()
    shutil.copytree(bucket, bucket.with_name("b=99"))
    with pytest.raises(SnapshotDamaged, match=r"b=99 is no bucket of that table, .*microns repair 1718"):
        connect(1718, tmp_path)
    repair(folder, 1718, no_source, service=no_source)
    with connect(1718, tmp_path) as wh:
        assert wh.sql("SELECT count(*) FROM synapses").fetchall() == before


def test_rows_that_break_what_the_registry_says(sound: SmallWarehouse) -> None:
    frame = read_table(sound.folder, "aibs_metamodel_celltypes_v661")
    rewrite_table(
        sound.folder,
        "aibs_metamodel_celltypes_v661",
        frame.with_columns(
            id=pl.lit(1, pl.Int64),
            target_id=pl.Series([1, 99]),
            cell_type=pl.Series([None, "XYZ"], dtype=pl.String),
        ),
    )
    found = broken(sound.folder)
    table = "aibs_metamodel_celltypes_v661"
    assert set(found) == {
        f"{table}: key is unique",
        f"{table}: nothing is missing",
        f"{table}: cell_type has known values",
    }
    assert found[f"{table}: nothing is missing"].rows == (("cell_type", 1),)
    assert found[f"{table}: cell_type has known values"].rows == (("XYZ", 1),)
    notes = [result for result in check(sound.folder, 1718) if result.is_note and result.rows]
    # CAVE keeps annotations of rows that became invalid, so a target need not be there.
    assert [(note.name, note.rows) for note in notes] == [(f"{table}: every target exists", ((1, 99),))]
    assert str(notes[0]).startswith("note    v1718")


def test_a_nucleus_twice_is_found_by_the_rules_too(sound: SmallWarehouse) -> None:
    frame = read_table(sound.folder, "nucleus_detection_v0")
    rewrite_table(sound.folder, "nucleus_detection_v0", pl.concat([frame, frame.head(1)]))
    assert {"nucleus_detection_v0: key is unique", "cells_are_nuclei"} <= set(broken(sound.folder))


def test_angles_of_another_convention_are_found(small: SmallWarehouse) -> None:
    small.given(
        1718,
        nucleus_detection_v0="id\n1",
        coregistration_manual_v4="target_id | session | scan_idx | unit_id\n1 | 4 | 7 | 1",
        digital_twin_properties_bcm_coreg_v4="""
            target_id | session | scan_idx | unit_id | pref_dir | pref_ori
            1         | 4       | 7        | 1       | -20      | 20 """,
    )
    build(small.folder)
    found = broken(small.folder)
    assert list(found) == ["angles_in_range"]
    assert "radians" in str(found["angles_in_range"])


def test_synapses_of_another_version_are_found(small: SmallWarehouse) -> None:
    """Nucleus 1 was on root 9 in 943; its look-up point did not move, so that 9 is no segment of 1718."""
    synapses = {943: "1 | 9 | 20\n2 | 20 | 9", 1718: "1 | 9 | 20\n2 | 20 | 10"}
    for version, root in ((943, 9), (1718, 10)):
        small.given(
            version,
            nucleus_detection_v0=f"id | pt_root_id | pt_supervoxel_id\n1 | {root} | 7\n2 | 20 | 8",
            synapses_pni_2=f"id | pre_pt_root_id | post_pt_root_id\n{synapses[version]}",
        )
    build(small.folder)
    assert broken(small.folder, 943) == {}
    found = broken(small.folder, 1718)
    assert list(found) == ["synapses_are_of_this_version"]
    assert found["synapses_are_of_this_version"].rows == ((9, 943, 1),)
