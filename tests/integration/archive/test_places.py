"""Where versions can be had, and which place is taken when none is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.cave.service import CaveService
from ingest.job.sources import COLUMNS, Sources
from warehouse.demo.bucket import PLACE, serve_bucket
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume
from warehouse.errors import SourceRefused, UsageError
from warehouse.registry.datastacks import MINNIE65
from warehouse.serve import serve

DATASTACK = "minnie65_public"


@pytest.fixture(scope="module")
def bucket(files: Path) -> Iterator[str]:
    with serve_bucket(files) as running:
        yield f"{running.url}/{PLACE}"


def nobody() -> CaveService:
    raise SourceRefused("CAVE wants a token; get one")


@pytest.fixture
def places(volume: Volume, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Public places over loopback: CAVE has the later version only."""
    monkeypatch.setitem(MINNIE65.__dict__, "archive", bucket)
    monkeypatch.setitem(MINNIE65.__dict__, "lake", bucket)
    with serve(from_volume(volume, {1718}), faithful=True) as cave:

        def cave_there() -> CaveService:
            return CaveService(DATASTACK, server=cave.url, token=cave.token)

        yield lambda service=cave_there, **options: Sources(DATASTACK, service, **options)


def test_cave_is_taken_where_it_offers_the_version(places: Any) -> None:
    assert places().best(1718, "proofread") == ("cave", "CAVE offers it, with every table and column")


def test_the_archive_is_taken_where_cave_does_not_have_it_or_is_not_asked(places: Any) -> None:
    assert places().best(1507, "proofread") == ("archive", "CAVE does not know it")
    place, why = places(nobody).best(1507, "proofread")
    assert (place, why) == ("archive", "CAVE cannot be asked (CAVE wants a token)")


def test_all_synapses_of_a_version_without_archived_tables_come_from_cave(places: Any) -> None:
    assert places().best(1718, "all")[0] == "cave"


def test_a_version_that_is_nowhere(places: Any) -> None:
    with pytest.raises(SourceRefused, match=r"cannot be had: CAVE does not know it.*microns versions"):
        places().best(1822, "proofread")


def test_a_place_that_is_named_is_enough(places: Any, bucket: str) -> None:
    assert places(nobody, location=bucket).best(1507, "proofread")[0] == "archive"
    assert places(nobody, location=bucket).best(1822, "proofread")[0] == "delta"


def test_another_datastack_has_no_public_files() -> None:
    with pytest.raises(UsageError, match="no public files of flywire"):
        _ = Sources("flywire", nobody).archive


def test_the_table_says_what_is_where(places: Any) -> None:
    rows = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in places().table([1507])}
    assert rows[1718]["cave"] == "yes"
    assert "all synapses" in rows[1718]["archive"]
    assert rows[1507]["archive"] == "tables, proofread synapses, all synapses"
    assert [version for version, row in rows.items() if row["here"] == "yes"] == [1507]


def test_silence_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    rows = Sources(DATASTACK, nobody, location="http://127.0.0.1:9/x").table([])
    assert [row[2:5] for row in rows if row[0] == 1507] == [("?", "?", "?")]
    assert sum(record.message.startswith("the files' server") for record in caplog.records) == 2


@pytest.mark.slow
def test_the_evening_and_what_to_cite_as_commands(files: Path, tmp_path: Path) -> None:
    def microns(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from warehouse.commands.cli import main; main()", *arguments]
        return subprocess.run([*command, "--root", str(tmp_path)], capture_output=True, text=True)

    place = str(files / PLACE)
    done = microns("snapshot", "1507", "--source", "archive", "--synapses", "proofread", "--from", place)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / DATASTACK / "v1507"))
    again = microns("snapshot", "1507", "--synapses", "proofread")
    assert (again.returncode, "nothing to fetch" in again.stderr) == (0, True)
    cited = microns("cite", "cells").stdout
    assert "Elabbady" in cited
    assert "SHA-256" in cited
    assert "Turner" not in cited
    assert microns("cite", "--bibtex").stdout.count("@article{") >= 5
    wrong = microns("cite", "cels")
    assert (wrong.returncode, "did you mean cells?" in wrong.stderr) == (2, True)
    refused = microns("snapshot", "1718", "--source", "archive", "--from", place)
    assert (refused.returncode, "no tables, only synapses" in refused.stderr) == (3, True)
