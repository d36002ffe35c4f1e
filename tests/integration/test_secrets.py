"""Passwords in addresses and tokens in answers: they open doors, and are found nowhere afterwards."""

from __future__ import annotations

import base64
import functools
import http.server
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from ingest.cave.service import CaveService
from ingest.files.remote import remote_files_at
from ingest.files.retry import RetryPolicy
from ingest.get import get
from tests.integration.test_service_behaviour import _datastack
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.commands.cli import main
from warehouse.demo import faults
from warehouse.demo.faults import serve_with_faults
from warehouse.demo.local import write_volume
from warehouse.demo.synthetic import synthesize
from warehouse.errors import SourceRefused, UsageError, WarehouseError, without_secrets
from warehouse.storage.manifest import TableEntry
from warehouse.storage.paths import Folder

USER, PASSWORD, SIGNATURE = "lab", "p@ss:w/rd", "5f1c9a"
_GUARDED = "lab:p%40ss%3Aw%2Frd"
_ADDRESS = f"https://{_GUARDED}@host/v1/t.csv.gz?sig={SIGNATURE}"


class _Guarded(http.server.SimpleHTTPRequestHandler):
    """Files for those who know the password; elsewhere, whoever is sent on shows what they bring."""

    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        self.seen.append((self.path, given))
        right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{str(self.headers['Host']).split(':')[1]}/elsewhere")
            self.end_headers()
        elif given != right:
            self.send_error(401)
        else:
            super().do_GET()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which it is served, with user and password."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Guarded, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    _Guarded.seen.clear()
    yield folder, f"http://{_GUARDED}@127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def is_secret(text: str) -> bool:
    """Whether a text tells one."""
    return any(secret in text for secret in (PASSWORD, _GUARDED, "p%40ss", SIGNATURE))


TEXTS = {
    "see https://a:b@host/x?sig=1#f, please": "see https://host/x, please",
    "('http://a:b@h:1/x?y=z')": "('http://h:1/x')",
    "https://u:p@w@h/x": "https://h/x",
    "gs://bucket/x": "gs://bucket/x",
    "s3://key:secret@bucket/x?versionId=2": "s3://bucket/x",
    "Authorization: Bearer abcdef0123456789": "Authorization: Bearer ...",
    "headers {'Authorization': 'Basic bGFiOnBhc3M='}": "headers {'Authorization': 'Basic ...'}",
    "which one? https://host/class.duckdb; mail me@host": "which one? https://host/class.duckdb; mail me@host",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_without_its_secrets(text: str) -> None:
    assert without_secrets(text) == TEXTS[text]
    assert without_secrets(TEXTS[text]) == TEXTS[text]
    assert str(UsageError(text)) == TEXTS[text]


def test_a_manifest_keeps_no_password() -> None:
    entry = TableEntry("archive", _ADDRESS, "all", {"id": "BIGINT"}, 0, [])
    assert entry.url == "https://host/v1/t.csv.gz"


def test_files_are_had_with_a_password_that_nobody_sees(guarded: tuple[Path, str]) -> None:
    folder, address = guarded
    (folder / "v1").mkdir()
    (folder / "v1" / "t.csv").write_text("1,2\n")
    files = remote_files_at(f"{address}/?sig={SIGNATURE}", RetryPolicy(read=5.0))
    found = files.find("v1/t.csv")
    assert found is not None
    assert files.read("v1/t.csv") == b"1,2\n"
    assert f"sig={SIGNATURE}" in _Guarded.seen[-1][0]
    assert not is_secret(f"{files.url} {found}")
    wrong = remote_files_at(address.replace("lab:", f"{SIGNATURE}:"), RetryPolicy(read=5.0))
    with pytest.raises(SourceRefused, match="status 401") as refused:
        wrong.read("v1/t.csv")
    assert not is_secret(str(refused.value))


def test_a_bundle_is_had_with_a_password_that_nobody_sees(
    guarded: tuple[Path, str], tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, address = guarded
    write_volume(synthesize(cells=200, synapses=500), str(tmp_path / "root"))
    make_bundle(Folder.of(tmp_path / "root"), None, Choice(everything=True), folder / "class.duckdb")
    caplog.set_level(logging.INFO)
    get(f"{address}/class.duckdb?sig={SIGNATURE}", to=tmp_path / "home")
    assert (tmp_path / "home" / "class.duckdb").is_file()
    with pytest.raises(WarehouseError, match="401") as refused:
        get(f"{address.replace('lab:', SIGNATURE + ':')}/other.duckdb", to=tmp_path / "home")
    assert not is_secret(str(refused.value))
    with pytest.raises(WarehouseError):
        get(f"{address}/moved/else.duckdb", to=tmp_path / "home")
    assert [given for path, given in _Guarded.seen if path == "/elsewhere"][-1] is None
    left = [path.read_text("latin-1") for path in (tmp_path / "home").iterdir() if path.suffix != ".duckdb"]
    assert not is_secret(caplog.text + capsys.readouterr().err + "".join(left))


def test_an_answer_that_repeats_the_token_is_not_repeated(tmp_path: Path) -> None:
    with serve_with_faults(_datastack()) as service:
        cave = CaveService("brain", server=service.url, token=service.token, policy=RetryPolicy(attempts=1))
        echo = {"message": f"what is this: {{'X-Token': '{service.token}'}} of Bearer {service.token}"}
        service.faults.add("versions", faults.instead(500, echo))
        with pytest.raises(WarehouseError) as refused:
            cave.versions()
    assert "what is this" in str(refused.value)
    assert service.token not in str(refused.value)


def test_what_the_command_prints_has_no_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["get", f"https://{_GUARDED}@127.0.0.1:1x/class.duckdb?sig={SIGNATURE}"])
    said = capsys.readouterr().err
    assert "is no address" in said
    assert not is_secret(said)
