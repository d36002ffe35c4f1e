"""`microns get` against a real server that breaks off, cannot resume, or has another file."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

import ingest.get
from ingest.get import get
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.build import build
from warehouse.errors import (
    SnapshotDamaged,
    SnapshotNotFound,
    SourceRefused,
    SourceUnavailable,
    UsageError,
    WarehouseError,
)

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse


@pytest.fixture(scope="module")
def content(small_module: SmallWarehouse, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle of some 2 MB."""
    small_module.given(nucleus_detection_v0="id | pt_root_id | pt_position_x\n101 | 10 | 1000")
    build(small_module.folder)
    path = tmp_path_factory.mktemp("made") / "class.duckdb"
    make_bundle(small_module.folder, None, Choice(everything=True), path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves one content at any path: `breaks` says after how many bytes each of the next answers ends."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.breaks: list[int] = []
        self.resumes = True
        self.knows_if_range = True
        self.validators: dict[str, str] = {}
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/files/my%20class.duckdb"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if "missing" in self.path:
            self.send_error(404)
            return
        content, validators = self.server.content, self.server.validators
        found = re.fullmatch(r"bytes=(\d+)-", asked or "") if self.server.resumes else None
        condition = self.headers.get("If-Range")
        if condition is not None and self.server.knows_if_range and condition not in validators.values():
            found = None
        start = int(found[1]) if found else 0
        if found and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in validators.items():
            self.send_header(name, value)
        self.end_headers()
        stop = self.server.breaks.pop(0) if self.server.breaks else len(content)
        self.wfile.write(content[start : start + stop])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(ingest.get, "_PAUSE_S", 0.0)
    with Server(content) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_broken_download_continues(
    server: Server, sha256: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.breaks = [300_000, 200_000]
    get(server.url, sha256=sha256.upper(), to=tmp_path)
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]
    assert capsys.readouterr().out == f"{tmp_path / 'my class.duckdb'}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["my class.duckdb"]
    assert (tmp_path / "my class.duckdb").read_bytes() == server.content
    get(server.url, sha256=sha256, to=tmp_path)
    assert len(server.asked) == 3, "what is there and right is not fetched again"


def test_a_later_call_continues_too(server: Server, sha256: str, tmp_path: Path) -> None:
    server.breaks = [1000] * 5
    with pytest.raises(SourceUnavailable, match="run the same command again, which continues where it stopped"):
        get(server.url, sha256=sha256, to=tmp_path)
    assert (tmp_path / "my class.duckdb.part").stat().st_size == 5000
    get(server.url, sha256=sha256, to=tmp_path)
    assert server.asked[-1] == "bytes=5000-"


def test_a_server_that_cannot_resume_sends_all(server: Server, sha256: str, tmp_path: Path) -> None:
    server.resumes = False
    server.breaks = [1000]
    get(server.url, sha256=sha256, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == server.content


def test_without_sha256_nothing_old_is_trusted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "my class.duckdb.part").write_bytes(b"of another file")
    get(server.url, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == server.content
    assert server.asked == [None]


@pytest.mark.parametrize("is_longer", [False, True])
def test_another_file_is_refused_and_removed(server: Server, sha256: str, tmp_path: Path, is_longer: bool) -> None:
    part = tmp_path / "my class.duckdb.part"
    part.write_bytes(server.content + b"and more" if is_longer else b"of another file")
    with pytest.raises(SnapshotDamaged, match=rf"not {sha256}, and was removed; run the same command again"):
        get(server.url, sha256=sha256, to=tmp_path)
    assert not list(tmp_path.iterdir())
    get(server.url, sha256=sha256, to=tmp_path)


def test_a_complete_part_needs_only_its_name(server: Server, sha256: str, tmp_path: Path) -> None:
    (tmp_path / "my class.duckdb.part").write_bytes(server.content)
    get(server.url, sha256=sha256, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == server.content


def test_from_a_stick(content: bytes, sha256: str, tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "class.duckdb"
    stick.parent.mkdir()
    stick.write_bytes(content)
    get(str(stick), sha256=sha256, to=tmp_path / "here")
    assert (tmp_path / "here" / "class.duckdb").read_bytes() == content
    with pytest.raises(SnapshotDamaged, match="not 0000"):
        get(str(stick), sha256="0" * 64, to=tmp_path / "there")


@pytest.mark.parametrize(
    ("source", "options", "error", "sentence"),
    [
        ("none.duckdb", {}, SnapshotNotFound, "there is no file"),
        ("ftp://host/class.duckdb", {}, UsageError, "no address that can be fetched"),
        ("https://host/", {}, UsageError, "names no file"),
        ("https:///class.duckdb", {}, UsageError, "names no file"),
        ("https://host/class%00.duckdb", {}, UsageError, "characters in it that no name of a file has"),
        ("class\0.duckdb", {}, UsageError, "characters in it that no name of a file has"),
        ("https://host/a\nb.duckdb", {}, UsageError, "characters in it that no name of a file has"),
        ("https://[::1/class.duckdb", {}, UsageError, "is no address .*Invalid IPv6"),
        ("https://[abc]/class.duckdb", {}, UsageError, "is no address"),
        ("https://host:x/class.duckdb", {}, UsageError, "is no address .*[Pp]ort"),
        ("https://host:99999/class.duckdb", {}, UsageError, "is no address .*[Pp]ort"),
        ("https://a..b/class.duckdb", {}, UsageError, "is no address"),
        (f"https://host/{'n' * 300}.duckdb", {}, WarehouseError, "choose another place"),
        ("x", {"sha256": "abc"}, UsageError, "64 digits"),
        ("http://127.0.0.1:9/class.duckdb", {}, SourceUnavailable, "run the same command again"),
    ],
)
def test_mistakes_are_sentences(
    server: Server, tmp_path: Path, source: str, options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        get(source, to=tmp_path, **options)
    with pytest.raises(SourceRefused, match="answered 404"):
        get(server.url.replace("my", "missing"), to=tmp_path)


ETAG = {"ETag": '"first"'}
WEAK = {"ETag": 'W/"first"', "Last-Modified": "Mon, 30 Nov 2026 08:00:00 GMT"}


@pytest.mark.parametrize("validators", [ETAG, WEAK])
def test_without_sha256_the_server_tells_that_it_is_the_same_file(
    server: Server, tmp_path: Path, validators: dict[str, str]
) -> None:
    server.validators, server.breaks = validators, [1000] * 5
    with pytest.raises(SourceUnavailable, match="which continues where it stopped"):
        get(server.url, to=tmp_path)
    get(server.url, to=tmp_path)
    assert server.asked[-1] == "bytes=5000-"
    assert (tmp_path / "my class.duckdb").read_bytes() == server.content
    assert [path.name for path in tmp_path.iterdir()] == ["my class.duckdb"]


@pytest.mark.parametrize("knows_if_range", [True, False])
def test_a_file_that_was_changed_meanwhile_is_fetched_from_its_beginning(
    server: Server, tmp_path: Path, knows_if_range: bool
) -> None:
    server.validators, server.breaks = ETAG, [1000] * 5
    good, server.content = server.content, b"of the old file" * 1000
    with pytest.raises(SourceUnavailable):
        get(server.url, to=tmp_path)
    server.content, server.validators, server.knows_if_range = good, {"ETag": '"second"'}, knows_if_range
    get(server.url, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == good


def test_what_is_no_bundle_is_not_called_one(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.content = b"<!DOCTYPE html><title>Please log in</title>"
    with pytest.raises(SnapshotDamaged, match=r"is no bundle, and was removed .*page for people"):
        get(server.url, to=tmp_path)
    right = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(SnapshotDamaged, match="is no bundle"):
        get(server.url, sha256=right, to=tmp_path)
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as con:
        con.execute("CREATE TABLE mine AS SELECT 1 AS a")
    with pytest.raises(SnapshotDamaged, match=r"is no bundle"):
        get(str(other), to=tmp_path / "new")
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["other.duckdb"]


def test_a_file_of_that_name_stays(server: Server, sha256: str, tmp_path: Path) -> None:
    mine = tmp_path / "my class.duckdb"
    mine.write_bytes(b"my thesis")
    for known in (None, sha256):
        with pytest.raises(UsageError, match="it stays; to fetch it anew: --replace"):
            get(server.url, to=tmp_path, sha256=known)
    assert mine.read_bytes() == b"my thesis"
    assert server.asked == []
    get(server.url, to=tmp_path, replace=True)
    assert mine.read_bytes() == server.content
    get(str(mine), to=tmp_path)
    assert mine.read_bytes() == server.content, "a file that is there is not copied onto itself"
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        get(server.url.replace("my%20class.duckdb", "folder"), to=tmp_path, replace=True)


def test_an_address_may_have_letters_and_blanks(server: Server, tmp_path: Path) -> None:
    get(server.url.replace("my%20class", "Übung 1"), to=tmp_path)
    assert (tmp_path / "Übung 1.duckdb").read_bytes() == server.content


@pytest.mark.skipif(os.name == "nt", reason="limits of a process")
def test_a_full_disk_is_the_one_that_is_written_to(content: bytes, tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "class.duckdb"
    stick.parent.mkdir()
    stick.write_bytes(content)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "from warehouse.commands.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "get", str(stick), "--to", str(tmp_path / "here")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert f"the disk of {tmp_path / 'here' / 'class.duckdb'} is full" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a terminal of its own")
def test_a_terminal_shows_how_far_it_is(server: Server, tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    code = "from warehouse.commands.cli import main; main()"
    command = [sys.executable, "-c", code, "get", server.url, "--to", str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=follower, text=True, check=False)
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert done.returncode == 0
    assert re.search(r"\rmy class\.duckdb: 1\.0 of \d\.\d MB", shown)
    assert re.search(r"my class\.duckdb: version 1718 of minnie65_public", shown)
