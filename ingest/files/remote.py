"""Files by name: in a bucket that serves them over HTTP to anyone, or in a folder laid out like one."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from ingest.files.download import Download
from ingest.files.retry import Retry, RetryPolicy
from warehouse.errors import (
    SourceRefused,
    SourceUnavailable,
    UsageError,
    WarehouseError,
    without_secrets,
)
from warehouse.storage.manifest import SYNTHETIC

log = logging.getLogger(__name__)
_T = TypeVar("_T")

_PIECE = 1 << 20
_STORED_BYTES = {"Accept-Encoding": "gzip"}
"""Ask for the bytes as they are stored: without this, the store unpacks what is marked as gzip."""


@dataclass(frozen=True)
class Found:
    """A file that is there.

    Attributes:
        url: its address, or its path.
        bytes: its size.
        md5: of its bytes, in hexadecimal, where the store tells; else "".
        tag: changes when the file does, where the store tells; else "".
    """

    url: str
    bytes: int
    md5: str = ""
    tag: str = ""


class RemoteFiles(Protocol):
    """Files by name.

    Attributes:
        url: what all their addresses begin with.
    """

    url: str

    def find(self, name: str) -> Found | None:
        """A file, or None if there is none of that name."""

    def read(self, name: str) -> bytes | None:
        """The content of a small file, or None if there is none of that name."""

    def open(self, found: Found, kept: Path) -> Download:
        """The bytes of a file; what arrives from afar is kept at `kept` until it is whole."""

    def stop(self) -> None:
        """Try nothing again that fails from now on."""


def says_synthetic(files: RemoteFiles, version: int) -> bool:
    """Whether a place says of a version's files that their rows are made up; public places never do."""
    return files.find(f"v{version}/{SYNTHETIC}") is not None


def remote_files_at(location: str, policy: RetryPolicy | None = None) -> RemoteFiles:
    """The bucket at an address, or in a local folder.

    Raises:
        UsageError: there is no such folder, or the address is of another kind.
    """
    if re.match(r"https?://", location):
        return HttpFiles(location, policy or RetryPolicy(read=60.0))
    if "://" in location:
        raise UsageError(
            f"--from {location}: files are fetched from addresses that begin with https://, or from a folder, "
            "which is given by its path alone"
        )
    if not Path(location).expanduser().is_dir():
        raise UsageError(
            f"--from {location}: there is no such folder; give one that holds v1507 and so on, or a URL"
        )
    return FolderFiles(Path(location).expanduser().absolute())


class FolderFiles:
    """A folder laid out like the public bucket; see `RemoteFiles`."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder)
        self._folder = folder

    def find(self, name: str) -> Found | None:
        """A file of the folder."""
        path = self._folder / name
        return Found(str(path), path.stat().st_size) if path.is_file() else None

    def read(self, name: str) -> bytes | None:
        """The content of a file of the folder."""
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def open(self, found: Found, kept: Path) -> Download:
        """Read the file where it lies."""
        return Download(found.url, found.bytes, Path(found.url))

    def stop(self) -> None:
        """Nothing is tried twice here."""


class HttpFiles:
    """A bucket over HTTP; see `RemoteFiles`. Threads may use it at once."""

    def __init__(self, url: str, policy: RetryPolicy) -> None:
        parts = urlsplit(url)
        self.url = without_secrets(url).rstrip("/")
        self._ask = Retry(policy, once=_translated)
        self._session = requests.Session()
        if parts.username is not None:
            self._session.auth = unquote(parts.username), unquote(parts.password or "")
        self._session.params = dict(parse_qsl(parts.query))
        self._session.headers.update(_STORED_BYTES)
        adapter = HTTPAdapter(pool_maxsize=16)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def find(self, name: str) -> Found | None:
        """Ask for the file's headers."""
        response = self._answer("HEAD", name)
        if response is None:
            return None
        length = response.headers.get("x-goog-stored-content-length") or response.headers.get("Content-Length")
        if length is None:
            raise SourceRefused(f"{response.url} does not say how large it is; give another place with --from")
        return Found(
            f"{self.url}/{name}", int(length), _md5(response), response.headers.get("ETag", "").removeprefix("W/")
        )

    def read(self, name: str) -> bytes | None:
        """Fetch a small file."""
        response = self._answer("GET", name)
        return None if response is None else response.content

    def _answer(self, method: str, name: str) -> requests.Response | None:
        def question() -> requests.Response | None:
            response = self._session.request(
                method, f"{self.url}/{name}", timeout=self._ask.timeouts(), allow_redirects=True
            )
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            _require_good(response)
            return response

        first = not self._ask.connected
        answer = self._ask(question, self._ask.policy.first_attempts if first else None)
        self._ask.connected = True
        return answer

    def open(self, found: Found, kept: Path) -> Download:
        """Fetch the file, or what is not yet at `kept` of it."""

        def response_from(position: int) -> requests.Response:
            headers = {"Range": f"bytes={position}-"} if position else {}
            response = self._session.get(found.url, headers=headers, stream=True, timeout=self._ask.timeouts())
            try:
                _require_good(response)
                _require_same(response, found, position)
                if position and response.status_code != HTTPStatus.PARTIAL_CONTENT:
                    _skip(response, position)
            except BaseException:
                response.close()
                raise
            return response

        return Download(
            found.url, found.bytes, kept, md5=found.md5, tag=found.tag, more=response_from, ask=self._ask
        )

    def stop(self) -> None:
        """Try nothing again that fails from now on."""
        self._ask.stopped = True


def _md5(response: requests.Response) -> str:
    """The MD5 that Google's store tells of a file that was uploaded in one piece."""
    told = re.search(r"md5=([A-Za-z0-9+/=]+)", response.headers.get("x-goog-hash", ""))
    return base64.b64decode(told[1]).hex() if told else ""


def _require_good(response: requests.Response) -> None:
    status, where = response.status_code, response.url
    if status < HTTPStatus.BAD_REQUEST:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceUnavailable(f"{where} is overloaded or down (status {status}); try the same command later")
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _changed(where)
    raise SourceRefused(
        f"{where} cannot be had (status {status}); give another place with --from, or --source cave"
    )


def _require_same(response: requests.Response, found: Found, position: int) -> None:
    """Refuse the rest of another file than the one that was begun."""
    tag = response.headers.get("ETag", "").removeprefix("W/")
    told = response.headers.get("Content-Range", "").rpartition("/")[2] if position else ""
    if (found.tag and tag and tag != found.tag) or (told.isdigit() and int(told) != found.bytes):
        raise _changed(found.url)


def _skip(response: requests.Response, position: int) -> None:
    """Read past what is here already: the server knows no ranges and sends the file from its beginning."""
    log.warning(
        "%s is sent from its beginning, although %.1f MB are here: the server can only send all of it",
        without_secrets(response.url),
        position / 1e6,
    )
    left = position
    while left:
        piece = response.raw.read(min(left, _PIECE), decode_content=False)
        if not piece:
            raise OSError("the connection ended")
        left -= len(piece)


def _changed(url: str) -> SourceRefused:
    return SourceRefused(f"{url} is not what it was when it was begun; run the same command again")


def _translated(question: Callable[[], _T]) -> _T:
    """Ask once; whatever goes wrong becomes one of the project's errors."""
    try:
        return question()
    except WarehouseError:
        raise
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise UsageError(f"--from is not an address ({error}); it looks like https://host/bucket/folder") from None
    except requests.Timeout as error:
        raise SourceUnavailable("the files' server did not answer in time; try the same command later") from error
    except requests.RequestException as error:
        raise SourceUnavailable(
            f"the files' server cannot be reached ({type(error).__name__}); check the network and --from"
        ) from error
