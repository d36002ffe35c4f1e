"""microns.duckdb: which version is the default, what absent tables become, and where the file opens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from msgspec.structs import replace

from warehouse.catalog.build import build, write_init_sql
from warehouse.errors import FolderBusy, SnapshotDamaged, SnapshotNotFound, UsageError
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

NUCLEUS = "id | pt_root_id\n1 | 10"


ONE_NUCLEUS = pytest.mark.given(943, nucleus_detection_v0=NUCLEUS)


def default_of(small: SmallWarehouse) -> int:
    return small.connect().version


@ONE_NUCLEUS
def test_the_first_version_stays_the_default(small: SmallWarehouse, case: SmallWarehouse) -> None:
    """Fetching another version, newer or older, never changes anybody's numbers."""
    assert default_of(case) == 943
    small.copy_of(case)
    for other in (661, 1718):
        small.given(other, nucleus_detection_v0=NUCLEUS)
    build(small.folder)
    assert default_of(small) == 943


@ONE_NUCLEUS
def test_a_chosen_default_is_kept_until_another_is_chosen(small: SmallWarehouse, case: SmallWarehouse) -> None:
    assert default_of(case) == 943
    small.copy_of(case).given(1300, nucleus_detection_v0=NUCLEUS)
    build(small.folder, default=1300)
    build(small.folder)
    assert default_of(small) == 1300
    shutil.rmtree(small.folder.version(1300))
    build(small.folder)
    assert default_of(small) == 943


def test_a_new_database_takes_what_was_published_first(small: SmallWarehouse) -> None:
    for version, published in ((943, "2026-02-02T00:00:00"), (1300, "2026-01-01T00:00:00")):
        small.given(version, nucleus_detection_v0=NUCLEUS)
        path = small.folder.manifest(version)
        replace(read_manifest(path), published=published).write(path)
    assert default_of(small) == 1300


def test_what_cannot_be_built_is_a_sentence(small: SmallWarehouse) -> None:
    with pytest.raises(SnapshotNotFound, match="fetch one with: microns snapshot"):
        build(small.folder)
    small.given(943, nucleus_detection_v0=NUCLEUS)
    with pytest.raises(SnapshotNotFound, match="version 1 is not in"):
        build(small.folder, default=1)
    small.folder.database.write_bytes(b"not a database, but large enough to look like one" * 1000)
    with pytest.raises(UsageError, match="microns build --default VERSION"):
        build(small.folder)
    build(small.folder, default=943)
    assert default_of(small) == 943
    assert [path.name for path in small.folder.path.iterdir() if path.name.startswith(".")] == []


def test_a_missing_file_is_a_sentence(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0=NUCLEUS)
    small.file(943, "nucleus_detection_v0").unlink()
    with pytest.raises(
        SnapshotDamaged, match=r"part-0.parquet of version 943 in .* is missing; run: microns repair 943"
    ):
        build(small.folder)


@ONE_NUCLEUS
def test_a_database_that_another_program_holds_is_a_sentence(
    small: SmallWarehouse, case: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where an open file cannot be replaced."""
    assert default_of(case) == 943
    small.copy_of(case)

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "in use", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(
        FolderBusy, match="is open in another program; close it there and run again: microns build"
    ):
        build(small.folder)
    monkeypatch.undo()
    assert default_of(small) == 943


@ONE_NUCLEUS
def test_an_absent_table_is_empty_and_typed(case: SmallWarehouse) -> None:
    assert case.ask("SELECT count(*) FROM synapse_target_structure") == [(0,)]
    types = dict(case.ask("SELECT column_name, column_type FROM (DESCRIBE digital_twin_properties_bcm_coreg_v4)"))
    assert (types["target_id"], types["gOSI"], types["created"]) == ("BIGINT", "FLOAT", "TIMESTAMP")


def test_a_column_that_a_version_lacks_is_null(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0=NUCLEUS)
    manifest = read_manifest(small.folder.manifest(943))
    entry = manifest.tables["nucleus_detection_v0"]
    columns = {name: kind for name, kind in entry.columns.items() if name not in ("created", "volume")}
    replace(manifest, tables={"nucleus_detection_v0": replace(entry, columns=columns)}).write(
        small.folder.manifest(943)
    )
    small.expect("cells", "nucleus_id | nucleus_volume_um3\n1 |")
    assert small.ask("SELECT created, volume FROM nucleus_detection_v0") == [(None, None)]


def test_a_table_that_is_not_declared_is_there_too(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0=NUCLEUS)
    manifest = read_manifest(small.folder.manifest(943))
    entry = manifest.tables["nucleus_detection_v0"]
    tables = manifest.tables | {"A table of tomorrow": replace(entry, description="What CAVE says.")}
    replace(manifest, tables=tables).write(small.folder.manifest(943))
    assert small.ask('SELECT pt_root_id FROM "A table of tomorrow"') == [(10,)]


@pytest.mark.parametrize(
    "query",
    [
        "FROM {}",
        "SELECT count(*) FROM {}",
        "SELECT 1 FROM {} LIMIT 1",
        "SELECT 1 FROM cells WHERE EXISTS (SELECT 1 FROM {})",
        "SELECT 1 FROM {} JOIN cells USING (nucleus_id)",
        "SELECT 1 FROM {} WHERE nucleus_id = 5",
        "SELECT layer, count(*) FROM {} WHERE layer IS NOT NULL GROUP BY layer",
    ],
)
@ONE_NUCLEUS
def test_a_view_that_cannot_answer_refuses_in_every_query(case: SmallWarehouse, query: str) -> None:
    with pytest.raises(
        duckdb.Error, match=r"neurons needs the table nucleus_ref_neuron_svm.*microns snapshot 943"
    ):
        case.ask(query.format("neurons"))
    assert case.ask("SELECT count(*) > 40 FROM (DESCRIBE neurons)") == [(True,)]


def test_every_view_and_column_is_in_the_dictionary(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0=NUCLEUS)
    small.given(1718, nucleus_detection_v0=NUCLEUS, synapses_pni_2="id\n1")
    (described,) = small.ask(
        "SELECT count(*), count(*) FILTER (description = ''), count(*) FILTER (about IS NULL) "
        "FROM data_dictionary WHERE kind = 'view'"
    )
    (there,) = small.ask(
        "SELECT count(*) FROM duckdb_columns() AS c WHERE c.database_name = 'microns' AND NOT c.internal "
        "AND NOT starts_with(c.table_name, '_')"
    )
    assert described == (there[0], 0, 0)
    (unit,) = small.ask(
        "SELECT unit FROM data_dictionary WHERE (schema, name, \"column\") = ('main', 'cells', 'depth_um')"
    )
    assert unit == ("um",)
    (undocumented,) = small.ask(
        "SELECT count(*) FROM duckdb_functions() WHERE database_name = 'microns' "
        "AND schema_name IN ('main', 'v943') AND comment IS NULL AND NOT starts_with(function_name, '_')"
    )
    assert undocumented == (0,)


def test_the_columns_of_macros_are_in_the_dictionary_of_every_schema(small: SmallWarehouse) -> None:
    small.given(943, nucleus_detection_v0=NUCLEUS)
    small.given(1718, nucleus_detection_v0=NUCLEUS)
    found = small.ask(
        "SELECT schema, name, \"column\", type, unit, about FROM data_dictionary WHERE kind = 'macro' "
        "AND name IN ('depth_um', 'to_nm', 'check_ids', '_checked') AND \"column\" NOT LIKE '%nucle%' ORDER BY ALL"
    )
    columns = ["axon_proofread", "id", "moved_to_root_id", "problem", "pt_root_id", "depth_um", "to_nm"]
    assert [row[2] for row in found] == 3 * columns
    assert {row[0] for row in found} == {"main", "v943", "v1718"}
    assert [row[3:5] for row in found[5:7]] == [
        ("DOUBLE", "um"), ("STRUCT(x_nm DOUBLE, y_nm DOUBLE, z_nm DOUBLE)", "nm"),
    ]  # fmt: skip
    assert all(re.match(rf"{row[1]}\(\w+.*\): .*For example: ", row[5], re.DOTALL) for row in found)
    assert small.ask("SELECT count(*) FROM data_dictionary WHERE type IS NULL OR description = ''") == [(0,)]


# -- where the file opens ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moved(small_module: SmallWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database built in one place and moved to another, whose path has a space, a comma and a quote."""
    small, tmp_path = small_module, tmp_path_factory.mktemp("moved")
    small.given(943, nucleus_detection_v0=NUCLEUS)
    small.given(
        1718,
        nucleus_detection_v0=NUCLEUS,
        nucleus_ref_neuron_svm="target_id | cell_type\n1 | neuron",
        synapses_pni_2="pre_pt_root_id | post_pt_root_id\n10 | 20",
        synapse_target_predictions_ssa="target_id | tag\n1 | spine",
        proofreading_status_and_strategy="pt_root_id | valid_id\n10 | 10",
        coregistration_manual_v4="target_id | session | scan_idx | unit_id\n1 | 4 | 7 | 100",
        skeleton_vertices="pt_root_id | vertex\n10 | 0",
    )
    build(small.folder, default=1718)
    target = tmp_path / "an other, Smith's place" / small.folder.datastack
    target.parent.mkdir()
    shutil.move(small.folder.path, target)
    return target


VIEWS = (
    "SELECT schema_name || '.\"' || view_name || '\"' FROM duckdb_views() WHERE NOT internal "
    "AND (schema_name IN ('main', 'v1718', 'v1718_cave', 'v943_cave'))"
)


def shell(*arguments: object, cwd: Path) -> str:
    program = shutil.which("duckdb", path=str(Path(sys.executable).parent)) or shutil.which("duckdb")
    if program is None:
        pytest.skip("the DuckDB shell is not installed (extra: shell)")
    done = subprocess.run([program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_view_fetches_in_the_stock_shell_inside_the_moved_folder(moved: Path) -> None:
    names = shell("-readonly", "-noheader", "-list", "microns.duckdb", "-c", VIEWS, cwd=moved).split("\n")
    statements = ";".join(f"FROM {name} LIMIT 1" for name in names if name)
    assert len(names) > 60
    assert "neuron" in shell("-readonly", "-csv", "microns.duckdb", "-c", statements, cwd=moved)


def test_the_stock_shell_elsewhere_needs_the_init_file(moved: Path, tmp_path: Path) -> None:
    write_init_sql(Folder.of(moved.parent, moved.name))
    asked = "SELECT count(*) FROM cells; SELECT count(*) FROM nucleus_detection_v0; USE v943; FROM cells LIMIT 1"
    line = ("-readonly", "-csv", "-init", moved / "init.sql", moved / "microns.duckdb", "-c", asked)
    assert "nucleus_id" in shell(*line, cwd=tmp_path)


FETCH_ALL = f"""
import duckdb, os, sys
os.chdir(sys.argv[1])
inside = duckdb.connect("microns.duckdb", read_only=True)
names = [name for (name,) in inside.execute({VIEWS!r}).fetchall()]
for name in names:
    inside.execute("FROM " + name).fetchall()
inside.close()
os.chdir("/")
outside = duckdb.connect(config={{"file_search_path": sys.argv[1]}})
outside.execute("ATTACH '" + sys.argv[1].replace("'", "''") + "/microns.duckdb' AS other (READ_ONLY)")
for name in names:
    outside.execute("FROM other." + name).fetchall()
print(duckdb.__version__, len(names))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.5.6", "2.0.1"])
def test_every_view_fetches_where_only_duckdb_is_installed(moved: Path, tmp_path: Path, version: str) -> None:
    """Inside the folder, and attached under another name from elsewhere; no pytz, no numpy."""
    environment = tmp_path / "bare"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    unpinned = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", f"duckdb=={version}"], capture_output=True, env=unpinned
    )
    if installed.returncode:
        pytest.skip(f"duckdb {version} cannot be installed here")
    done = subprocess.run([python, "-c", FETCH_ALL, moved], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(version)
