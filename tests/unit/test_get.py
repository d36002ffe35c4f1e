"""`microns get` against a real server that breaks off, cannot resume, or has another file."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import ingest.get
from ingest.get import get
from warehouse.errors import SnapshotDamaged, SnapshotNotFound, SourceRefused, SourceUnavailable, UsageError

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT at any path: `breaks` says after how many bytes each of the next answers ends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks: list[int] = []
        self.resumes = True
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
        found = re.fullmatch(r"bytes=(\d+)-", asked or "") if self.server.resumes else None
        start = int(found[1]) if found else 0
        if found and start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        stop = self.server.breaks.pop(0) if self.server.breaks else len(CONTENT)
        self.wfile.write(CONTENT[start : start + stop])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(ingest.get, "_PAUSE_S", 0.0)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_broken_download_continues(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.breaks = [300_000, 200_000]
    get(server.url, sha256=SHA256.upper(), to=tmp_path)
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]
    assert capsys.readouterr().out == f"{tmp_path / 'my class.duckdb'}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["my class.duckdb"]
    assert (tmp_path / "my class.duckdb").read_bytes() == CONTENT
    get(server.url, sha256=SHA256, to=tmp_path)
    assert len(server.asked) == 3, "what is there and right is not fetched again"


def test_a_later_call_continues_too(server: Server, tmp_path: Path) -> None:
    server.breaks = [1000] * 5
    with pytest.raises(SourceUnavailable, match="run the same command again, which continues where it stopped"):
        get(server.url, sha256=SHA256, to=tmp_path)
    assert (tmp_path / "my class.duckdb.part").stat().st_size == 5000
    get(server.url, sha256=SHA256, to=tmp_path)
    assert server.asked[-1] == "bytes=5000-"


def test_a_server_that_cannot_resume_sends_all(server: Server, tmp_path: Path) -> None:
    server.resumes = False
    server.breaks = [1000]
    get(server.url, sha256=SHA256, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == CONTENT


def test_without_sha256_nothing_old_is_trusted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "my class.duckdb.part").write_bytes(b"of another file")
    get(server.url, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == CONTENT
    assert server.asked == [None]


@pytest.mark.parametrize("old", [b"of another file", CONTENT + b"and more"])
def test_another_file_is_refused_and_removed(server: Server, tmp_path: Path, old: bytes) -> None:
    part = tmp_path / "my class.duckdb.part"
    part.write_bytes(old)
    with pytest.raises(SnapshotDamaged, match=rf"not {SHA256}, and was removed; run the same command again"):
        get(server.url, sha256=SHA256, to=tmp_path)
    assert not list(tmp_path.iterdir())
    get(server.url, sha256=SHA256, to=tmp_path)


def test_a_complete_part_needs_only_its_name(server: Server, tmp_path: Path) -> None:
    (tmp_path / "my class.duckdb.part").write_bytes(CONTENT)
    get(server.url, sha256=SHA256, to=tmp_path)
    assert (tmp_path / "my class.duckdb").read_bytes() == CONTENT


def test_from_a_stick(tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "class.duckdb"
    stick.parent.mkdir()
    stick.write_bytes(CONTENT)
    get(str(stick), sha256=SHA256, to=tmp_path / "here")
    assert (tmp_path / "here" / "class.duckdb").read_bytes() == CONTENT
    with pytest.raises(SnapshotDamaged, match="not 0000"):
        get(str(stick), sha256="0" * 64, to=tmp_path / "there")


@pytest.mark.parametrize(
    ("source", "options", "error", "sentence"),
    [
        ("none.duckdb", {}, SnapshotNotFound, "there is no file"),
        ("ftp://host/class.duckdb", {}, UsageError, "no address that can be fetched"),
        ("https://host/", {}, UsageError, "names no file"),
        ("x", {"sha256": "abc"}, UsageError, "64 digits"),
        ("http://127.0.0.1:9/class.duckdb", {}, SourceUnavailable, "run the same command again"),
    ],
)
def test_mistakes_are_sentences(
    server: Server, tmp_path: Path, source: str, options: dict[str, str], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        get(source, to=tmp_path, **options)
    with pytest.raises(SourceRefused, match="answered 404"):
        get(server.url.replace("my", "missing"), to=tmp_path)
