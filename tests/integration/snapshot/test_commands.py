"""`microns snapshot` and `microns selftest`, as they are typed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from warehouse.catalog.build import build
from warehouse.demo import faults
from warehouse.demo.served_volume import from_volume
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE


def test_a_dry_run_prints_what_it_would_fetch_and_writes_nothing(bench: Any, run: Any, root: str) -> None:
    code, output, _ = run("snapshot", "1718", "--root", root, "--dry-run")
    lines = {line.split()[0]: [int(number) for number in line.split()[1:]] for line in output.splitlines()[1:]}
    assert code == 0
    assert output.split()[:4] == ["table", "requests", "rows", "bytes"]
    assert lines[NUCLEUS][:2] == [1, 200]
    assert lines["total"][0] == sum(numbers[0] for name, numbers in lines.items() if name != "total")
    assert lines["total"][2] > 0
    assert bench.queries() == []
    assert not Path(root).exists()


def test_a_dry_run_knows_the_axons_that_are_here_already(bench: Any, run: Any, root: str) -> None:
    bench.take("proofreading_status_and_strategy")
    _, output, _ = run("snapshot", "1718", SYNAPSE, "--root", root, "--dry-run")
    assert output.splitlines()[1].split()[:3] == [SYNAPSE, "1", "3000"]


def test_a_snapshot_ends_in_a_database(run: Any, root: str, bench: Any) -> None:
    code, output, errors = run("snapshot", "1718", "--root", root, "--quiet")
    assert (code, output) == (0, f"{bench.folder.version(1718)}\n"), errors
    assert bench.folder.database.exists()
    code, output, errors = run("snapshot", "1718", "--root", root, "--dry-run")
    assert output.splitlines()[1].split() == ["total", "0", "0", "0"]


def test_a_database_that_a_killed_job_left_behind_is_made_anew(run: Any, root: str, bench: Any) -> None:
    run("snapshot", "1718", NUCLEUS, "--root", root, "--quiet")
    bench.take("soma_counts")
    before = len(bench.service.requests)
    run("snapshot", "1718", NUCLEUS, "--root", root)
    assert len(bench.service.requests) == before
    with connect(root=root) as warehouse:
        assert warehouse.sql("SELECT count(*) FROM v1718_cave.soma_counts").fetchall() == [(18,)]
    built = bench.folder.database.stat().st_mtime_ns
    run("snapshot", "1718", NUCLEUS, "--root", root)
    assert bench.folder.database.stat().st_mtime_ns == built


def test_mistakes_get_one_line_and_a_code(run: Any, root: str, bench: Any) -> None:
    def last(*words: str) -> tuple[int, str]:
        code, output, errors = run(*words, "--root", root)
        assert output == ""
        assert "Traceback" not in errors
        return code, errors.splitlines()[-1]

    code, line = last("snapshot", "99")
    assert code == 3
    assert line.startswith("microns: error: version 99 of minnie65_public does not exist")
    code, line = last("snapshot", "1718", "nucleus_detection")
    assert code == 2
    assert "did you mean nucleus_detection_v0" in line
    code, line = last("snapshot", "1718", "--memory", "lots")
    assert code == 2
    assert bench.queries() == []
    bench.service.faults.add("/versions$", faults.missing_terms(), times=None)
    code, line = last("snapshot", "1718")
    assert code == 3
    assert "terms of service" in line
    (Path(os.environ["HOME"]) / ".cloudvolume" / "secrets" / "cave-secret.json").unlink()
    code, line = last("snapshot", "1718")
    assert code == 3
    assert "there is none on this machine" in line


def test_an_undeclared_table_is_typed_as_cave_sends_it(volume: Any, benched: Any, tmp_path: Path) -> None:
    datastack = from_volume(volume, {1718})
    (version,) = datastack.versions
    names = {SYNAPSE: "my_synapses", "aibs_metamodel_celltypes_v661": "my_types"}
    renamed = [replace(table, name=names[table.name]) for table in version.tables if table.name in names]
    version = replace(version, tables=(*version.tables, *renamed))
    with benched(replace(datastack, versions=(version,)), tmp_path) as bench:
        manifest = bench.take(*names.values())
        types = manifest.tables["my_types"]
        assert types.schema_type == "cell_type_reference"
        assert types.columns["target_id"] == "BIGINT"
        assert types.columns["cell_type"] == "VARCHAR"
        assert types.columns["created"] == "TIMESTAMP"
        assert types.rows == types.source_rows
        synapses = manifest.tables["my_synapses"]
        assert synapses.columns["pre_pt_position_x"] == "BIGINT"
        assert synapses.columns["size"] == "FLOAT"
        assert synapses.rows == synapses.source_rows > 2_000


def test_a_voxel_of_another_size_is_taken_from_the_server(
    volume: Any, benched: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    datastack = from_volume(volume, {1718})
    (version,) = datastack.versions
    tables = tuple(
        replace(table, resolution=(8.0, 8.0, 40.0)) if table.name == NUCLEUS else table for table in version.tables
    )
    with benched(replace(datastack, versions=(replace(version, tables=tables),)), tmp_path) as bench:
        assert bench.take(NUCLEUS).tables[NUCLEUS].voxel_resolution == [8.0, 8.0, 40.0]
        assert (
            "nucleus_detection_v0: its voxels are 8 x 8 x 40 nm, those of minnie65_public are 4 x 4 x 40"
            in caplog.text
        )
        build(bench.folder)
        with connect(root=tmp_path) as warehouse:
            asked = "SELECT bool_and(x_nm = 8 * pt_position_x), bool_and(z_nm = 40 * pt_position_z) FROM cells"
            assert warehouse.sql(asked).fetchall() == [(True, True)]


def test_the_manifest_says_where_rows_came_from(bench: Any) -> None:
    manifest = bench.take()
    entry = manifest.tables["proofreading_status_and_strategy"]
    assert entry.source == "cave"
    assert entry.url.endswith(
        "/materialize/api/v3/datastack/minnie65_public/version/1718/table/" + "proofreading_status_and_strategy"
    )
    assert entry.notice_text.startswith("Only axons with status_axon")
    assert entry.voxel_resolution == [4.0, 4.0, 40.0]
    assert entry.schema_type == "compartment_proofread_status_strategy"
    assert manifest.tables[SYNAPSE].scope == "proofread"
    assert manifest.tables[SYNAPSE].source_rows > manifest.tables[SYNAPSE].rows
    assert manifest.tables["aibs_metamodel_celltypes_v661"].reference_table == NUCLEUS
    assert {"caveclient", "materialization engine", "microns-warehouse"} <= set(manifest.tools)
    assert manifest.time_stamp == "2026-03-07T08:10:01.190228"


def test_the_selftest_asks_a_dozen_questions_and_keeps_the_answers(run: Any, tmp_path: Path, bench: Any) -> None:
    report = tmp_path / "report.json"
    code, output, errors = run("selftest", "--live", "--out", str(report))
    assert code == 0, errors
    assert output.splitlines()[-1] == "16 of 16 are fine"
    assert 12 <= len(bench.service.requests) <= 24
    kept = report.read_text()
    assert bench.service.token not in kept + output + errors
    assert json.loads(kept)["findings"][2]["answer"] == {"live": [1507, 1718], "expired": []}


def test_a_selftest_that_finds_something_says_what_and_leaves_with_1(run: Any, tmp_path: Path, bench: Any) -> None:
    bench.service.faults.add("/views$", faults.crashed("404 Not Found: views"), times=None)
    code, output, errors = run("selftest", "--live", "--out", str(tmp_path / "report.json"))
    assert code == 1
    assert next(line for line in output.splitlines() if line.startswith("FAILED")).endswith('selftest --live"')
    assert "1 questions went wrong" in errors


def test_a_selftest_is_never_run_by_accident(run: Any, bench: Any) -> None:
    code, _, errors = run("selftest")
    assert code == 2
    assert "microns selftest --live" in errors
    assert bench.service.requests == []


def test_a_selftest_that_is_refused_asks_nothing_more(run: Any, tmp_path: Path, bench: Any) -> None:
    bench.service.faults.add("/query$", faults.missing_permission(), times=None)
    report = tmp_path / "report.json"
    code, output, errors = run("selftest", "--live", "--out", str(report))
    assert code == 3
    assert [line[:6] for line in output.splitlines()].count("FAILED") == 1
    assert len(bench.queries()) == 1
    assert "permission for minnie65_public" in errors.splitlines()[-1]
    assert "permission" in json.loads(report.read_text())["refusal"]


def test_versions_are_shown_with_the_times_of_the_server(
    run: Any, root: str, bench: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = ("--from", str(tmp_path), "--root", root, "--csv")
    bench.service.faults.add("/metadata", faults.without_microseconds(), times=None)
    code, output, errors = run("versions", *place)
    assert code == 0, errors
    lines = {line.split(",")[0]: line.split(",") for line in output.splitlines()}
    assert lines["1718"][1:3] == ["2026-03-07T08:10:01", "yes"]
    assert {row[2] for row in lines.values()} == {"cave", "yes", "no"}
    bench.service.faults.add("/versions$", faults.missing_terms(), times=None)
    code, output, errors = run("versions", *place)
    assert code == 0
    assert {line.split(",")[2] for line in output.splitlines()} == {"cave", "?"}
    assert "CAVE could not be asked: CAVE asks you to accept its terms of service" in caplog.text
