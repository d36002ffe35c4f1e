"""What the service refuses: accounts and names. One sentence each, with the way out."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.cave.service import CaveService
from warehouse.demo import faults
from warehouse.demo.faults import serve_with_faults
from warehouse.demo.served_volume import from_volume
from warehouse.demo.synthetic import Volume
from warehouse.errors import (
    ExitCode,
    SourceRefused,
    SourceUnavailable,
    UsageError,
)
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.serve import Grant
from warehouse.serve.gate import Fault

ANY_QUERY = r"/query$"


def test_without_a_token_nobody_is_asked(bench: Any) -> None:
    with pytest.raises(SourceRefused, match="setup_token"):
        CaveService("minnie65_public", server=bench.service.url)
    assert bench.service.requests == []


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (None, "does not accept the token"),
        (Grant.NO_TERMS, r"open http.*/tos/8/accept in a browser"),
        (Grant.NO_PERMISSION, "no view permission for minnie65_public"),
    ],
)
def test_an_account_that_may_not_ask_gets_a_sentence(volume: Volume, grant: Grant | None, words: str) -> None:
    token = "0123456789abcdef"
    tokens = {"f" * 32: Grant.VIEW} | ({token: grant} if grant else {})
    with serve_with_faults(from_volume(volume), tokens=tokens) as service:
        with pytest.raises(SourceRefused, match=words) as caught:
            CaveService("minnie65_public", server=service.url, token=token).versions()
        assert caught.value.exit_code is ExitCode.SOURCE
        assert len(service.requests) <= 6


@pytest.mark.parametrize(
    "path", ["/info/", "/materialize/", r"/versions$", "/tables$", "/metadata$", "/count$", "/query$"]
)
@pytest.mark.parametrize("fault", [faults.missing_terms(), faults.invalid_token()])
def test_a_refusal_at_any_moment_opens_no_browser_and_is_final(bench: Any, path: str, fault: Fault) -> None:
    bench.service.faults.add(path, fault, times=None)
    with pytest.raises(SourceRefused):
        bench.take(NUCLEUS)


def test_the_token_is_found_where_caveclient_keeps_it(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Path(os.environ["HOME"]) / ".cloudvolume" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "cave-secret.json").write_text(f'{{"token": "{bench.service.token}"}}')
    assert bench.connect(token=None).versions().live == (1507, 1718)
    for broken in ("{", '["token"]'):
        (secrets / "cave-secret.json").write_text(broken)
        with pytest.raises(SourceRefused, match="cannot be read"):
            bench.connect(token=None)


@pytest.mark.parametrize("token", ["two\nlines", "señal"])
def test_a_token_that_no_header_can_carry_is_refused(bench: Any, token: str) -> None:
    with pytest.raises(SourceRefused, match="does not accept the token") as caught:
        bench.connect(token=token)
    assert token not in str(caught.value)
    assert bench.service.requests == []


def test_no_token_is_in_any_file_or_line(bench: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    bench.service.faults.add(ANY_QUERY, faults.unavailable(), times=2)
    bench.service.faults.add(rf"/{SYNAPSE}/query$", faults.invalid_token(), times=1, skip=3)
    with pytest.raises(SourceRefused) as caught:
        bench.take(SYNAPSE, synapses="proofread")
    assert bench.service.token not in repr(caught.value) + str(caught.value)
    bench.take(SYNAPSE, synapses="proofread")
    assert caplog.text
    assert bench.service.token not in caplog.text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not any(bench.service.token.encode() in path.read_bytes() for path in files)


# Names ---------------------------------------------------------------------------------------------


def test_an_unknown_version_gets_the_list_of_those_there_are(bench: Any) -> None:
    with pytest.raises(SourceRefused, match=r"version 99 of minnie65_public does not exist.*1507, 1718") as caught:
        bench.take(version=99)
    assert caught.value.exit_code is ExitCode.SOURCE


def test_an_expired_version_says_so(volume: Volume, benched: Any, tmp_path: Path) -> None:
    datastack = from_volume(volume)
    versions = tuple(replace(version, expired=version.version == 1507) for version in datastack.versions)
    with (
        benched(replace(datastack, versions=versions), tmp_path) as bench,
        pytest.raises(SourceRefused, match=r"1507 .* has expired at CAVE.* offers now are 1718"),
    ):
        bench.take(version=1507)


def test_an_unknown_table_gets_the_nearest_names(bench: Any) -> None:
    with pytest.raises(
        UsageError, match=r"no table nucleus_detection in version 1718; did you mean .*nucleus_det"
    ):
        bench.take("nucleus_detection")
    with pytest.raises(UsageError, match="file of the public archive"):
        bench.take("synapses_with_axon_proofreading")


def test_an_unknown_datastack_and_a_wrong_address_get_a_sentence(bench: Any) -> None:
    with pytest.raises(UsageError, match="no datastack fly"):
        CaveService("fly", server=bench.service.url, token="x")
    with pytest.raises(UsageError, match="not the address of a service"):
        CaveService("minnie65_public", server="nowhere", token="x")
    with pytest.raises(SourceUnavailable, match=r"cannot be reached .*--server"):
        CaveService("minnie65_public", server="http://127.0.0.1:9", token="x")
    with pytest.raises(UsageError, match=r"or is not CAVE; check --datastack .* and --server"):
        bench.connect(server=f"{bench.service.url}/materialize")
    bench.service.faults.add("/info/", faults.instead(200, "<html>log in</html>"), times=None)
    with pytest.raises(SourceUnavailable, match="what answers is not CAVE"):
        bench.connect()


def test_an_address_may_end_in_a_slash(bench: Any) -> None:
    source = bench.connect(server=f"{bench.service.url}/")
    assert source.versions().live == (1507, 1718)
    assert source.server == bench.service.url


def test_a_version_without_synapses_is_taken_without_what_is_about_them(
    volume: Volume, benched: Any, tmp_path: Path
) -> None:
    datastack = from_volume(volume, {1718})
    tables = tuple(table for table in datastack.versions[0].tables if table.name != SYNAPSE)
    datastack = replace(datastack, versions=(replace(datastack.versions[0], tables=tables),))
    with benched(datastack, tmp_path) as bench:
        manifest = bench.take()
        assert NUCLEUS in manifest.tables
        assert manifest.absent["synapse_target_structure"] == f"about synapses, and version 1718 has no {SYNAPSE}"
        asked = len(bench.service.requests)
        bench.take()
        assert len(bench.service.requests) == asked
        with pytest.raises(SourceRefused, match="take all of them: add --synapses all"):
            bench.take("synapse_target_structure")
        assert bench.take("synapse_target_structure", synapses="all").tables["synapse_target_structure"].rows > 0
