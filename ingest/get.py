"""`microns get`: receive a bundle over the network or from a stick, and say whether it is what was meant.

Needs nothing but the core: students who only read have no extras installed.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from cyclopts import Parameter

from warehouse.bundle.origin import origin
from warehouse.errors import (
    SnapshotDamaged,
    SnapshotNotFound,
    SourceRefused,
    SourceUnavailable,
    UsageError,
    WarehouseError,
)
from warehouse.query.connection import bundle_manifest
from warehouse.storage.disk import disk_errors
from warehouse.storage.durable import make_durable
from warehouse.storage.manifest import sha256_of

log = logging.getLogger(__name__)

_TRIES = 5
_PAUSE_S = 1.0
_TIMEOUT_S = 30
_PIECE = 1 << 20
_DROPPED = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def get(
    source: Annotated[str, Parameter(help="Address (https://...) or path of the file.")],
    /,
    *,
    sha256: Annotated[str | None, Parameter(help="Its SHA-256, as `microns bundle` printed it.")] = None,
    to: Annotated[Path, Parameter(help="The folder to put it into.")] = Path(),
    replace: Annotated[bool, Parameter(help="Let it take the place of another file of that name.")] = False,
) -> None:
    """Fetch a bundle and verify it. The same command continues a download that broke.

    The file appears under its name when it is complete and a bundle; until then it is NAME.part. A file that is
    there and right is not fetched again; another file of that name stays, and the command says so.
    """
    if sha256 is not None and (len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef")):
        raise UsageError(f"--sha256 {sha256} is no SHA-256, which has 64 digits 0-9 and a-f")
    target = to.expanduser().absolute() / _name(source)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_right(target, source, sha256):
            _require_room_for_name(target, replace)
            part = _Part(target.with_name(f"{target.name}.part"), source)
            if _is_address(source):
                _download(_request(source), part, verified=sha256 is not None)
            else:
                _copy(Path(source).expanduser(), part)
            _require_right(part, sha256)
            make_durable([part.path])
            part.path.replace(target)
            make_durable([target.parent])
            part.forget()
    manifest = bundle_manifest(target)
    log.info("%s: version %d of %s; %s", target.name, manifest.version, manifest.datastack, origin(target))
    log.info("SHA-256 %s%s", sha256_of(target), "" if sha256 else ", which nobody gave to compare with")
    print(target)


@dataclass(frozen=True)
class _Part:
    """What is here of a file, and a note beside it of what it is the beginning of.

    Attributes:
        path: of the bytes.
        source: the address or path that they come from.
    """

    path: Path
    source: str

    @property
    def size(self) -> int:
        """How many bytes are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def validator(self) -> str:
        """What the server calls the file that this is the beginning of; "" where it is not known."""
        try:
            said = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return ""
        known = isinstance(said, dict) and said.get("of") == self._source_hash
        return str(said.get("validator") or "") if known else ""

    def begin(self, validator: str) -> None:
        """Note what comes now."""
        self._note.write_text(json.dumps({"of": self._source_hash, "validator": validator}), "utf-8")

    @property
    def _source_hash(self) -> str:
        """In place of the address, which may hold a password."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def forget(self) -> None:
        """Remove what is here."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.of")


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _name(source: str) -> str:
    """The name that the file gets here.

    Raises:
        UsageError: the source is no address or path of a file.
    """
    if "://" in source and not _is_address(source):
        raise UsageError(f"{source} is no address that can be fetched; write https://..., or a path")
    try:
        address = urlsplit(source) if _is_address(source) else None
        has_host = address is None or (bool(address.hostname) and (address.port or True))
        if address is not None and address.hostname:
            address.hostname.encode("idna")
    except ValueError as error:  # a port that is no number, half of an IPv6 address
        raise UsageError(f"{source} is no address ({error}); it looks like https://.../class.duckdb") from None
    name = unquote(address.path.rpartition("/")[2]) if address else Path(source).name
    if not has_host or not name or set(name) & set("/\\") or name in (".", ".."):
        raise UsageError(f"{source} names no file; write the whole address, for example https://.../class.duckdb")
    if not (source + name).isprintable():
        raise UsageError(
            f"{source!r} has characters in it that no name of a file has; copy the address once more, "
            "for example https://.../class.duckdb"
        )
    return name


def _request(url: str) -> urllib.request.Request:
    """The request as HTTP wants it: people paste addresses with blanks, letters of their language, a password."""
    address = urlsplit(url)
    user, _, host = address.netloc.rpartition("@")
    host = host if host.isascii() else host.encode("idna").decode()
    path, query = (quote(text, safe="/%:@!$&'()*+,;=~?") for text in (address.path, address.query))
    request = urllib.request.Request(urlunsplit((address.scheme, host, path, query, "")))
    if user:  # for this server only, not for one that it sends us on to
        request.add_unredirected_header("Authorization", f"Basic {b64encode(unquote(user).encode()).decode()}")
    return request


def _is_right(target: Path, source: str, sha256: str | None) -> bool:
    """Whether the file is here already."""
    if not target.is_file():
        return False
    if sha256 is not None:
        return sha256_of(target) == sha256.lower()
    return not _is_address(source) and target.samefile(Path(source).expanduser())


def _require_room_for_name(target: Path, replace: bool) -> None:
    """Refuse to replace what may be somebody's work.

    Raises:
        UsageError: another file has the name, and nobody said that it may go.
    """
    if target.is_dir():
        raise UsageError(f"{target} is a folder; choose another place: --to FOLDER")
    if target.exists() and not replace:
        raise UsageError(
            f"there is a file {target} already, and it stays; to fetch it anew: --replace, "
            "to keep both: --to FOLDER"
        )


def _require_right(part: _Part, sha256: str | None) -> None:
    """See that what came is what was meant, and a bundle.

    Raises:
        SnapshotDamaged: it is not; it is removed.
    """
    if sha256 is not None and (found := sha256_of(part.path)) != sha256.lower():
        part.forget()
        raise SnapshotDamaged(
            f"what came has the SHA-256 {found}, not {sha256.lower()}, and was removed; "
            "run the same command again, or ask for the right address and SHA-256"
        )
    try:
        bundle_manifest(part.path)
    except WarehouseError as error:
        part.forget()
        raise SnapshotDamaged(
            f"what came from {part.source} is no bundle, and was removed ({str(error).split(';')[0]}); ask for "
            "the address of the file itself: many addresses lead to a page for people"
        ) from error


def _copy(source: Path, part: _Part) -> None:
    if not source.is_file():
        raise SnapshotNotFound(f"there is no file {source.absolute()}; name the file, or an address (https://...)")
    try:
        stream = source.open("rb")
    except OSError as error:
        raise _unreadable(source, error) from error
    part.forget()
    with stream, part.path.open("wb") as file:

        def read(size: int) -> bytes:
            try:
                return stream.read(size)
            except OSError as error:  # a stick that was pulled out
                raise _unreadable(source, error) from error

        _receive(read, file, _shown(source.name, source.stat().st_size))


def _unreadable(source: Path, error: OSError) -> SnapshotNotFound:
    return SnapshotNotFound(f"{source} cannot be read ({error.strerror or error}); get it from another place")


def _download(request: urllib.request.Request, part: _Part, *, verified: bool) -> None:
    """Fetch a file.

    Args:
        request: for it.
        part: what is here of it; removed where nothing tells that it is the beginning of this file.
        verified: whether a SHA-256 will tell.
    """
    if not verified and not part.validator:
        part.forget()
    url = request.full_url
    for number in range(_TRIES):
        try:
            return _append(request, part)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                raise SourceRefused(
                    f"{url} answered {error.code} ({error.reason}); compare the address with the one you got"
                ) from error
            problem: Exception = error
        except http.client.InvalidURL as error:
            raise UsageError(f"{url} is no address ({error}); it looks like https://.../class.duckdb") from None
        except _DROPPED as error:
            problem = error
        log.info("%s (try %d of %d)", problem, number + 1, _TRIES)
        time.sleep(_PAUSE_S * number)
    continues = verified or part.validator
    raise SourceUnavailable(
        f"{url} did not send all ({problem}); run the same command again"
        f"{', which continues where it stopped' if continues else ''}"
    ) from problem


def _append(request: urllib.request.Request, part: _Part) -> None:
    """Fetch what is missing of a file, or all of it where the server can send no part or has another file."""
    start, validator = part.size, part.validator
    for name, value in (("Range", f"bytes={start}-"), ("If-Range", validator)):
        request.remove_header(name.capitalize())
        if start and value:
            request.add_header(name, value)
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing, or what is there is not this file: what verifies it tells
        raise
    with answer:
        continues = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        said = _validator(answer.headers)
        if continues and validator and said and said != validator:
            part.forget()  # a server that knows no If-Range, and has another file now
            raise ConnectionError("the file was changed on the server, so it is fetched from its beginning")
        if not continues:
            start = 0
            part.begin(said)
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        with part.path.open("ab" if continues else "wb") as file:
            received = _receive(answer.read, file, _shown(part.path.stem, total))
    if total is not None and received < total:
        raise ConnectionError(f"the connection broke after {received / 1e6:,.1f} MB")


def _validator(headers: http.client.HTTPMessage) -> str:
    """What tells whether a file at an address is still the same; a weak ETag may not be asked with."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


class _Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...

    def tell(self) -> int: ...


def _receive(read: Callable[[int], bytes], file: _Writable, show: Callable[[int], None]) -> int:
    """Write what comes, piece by piece; returns how long the file is then."""
    while piece := read(_PIECE):
        file.write(piece)
        show(file.tell())
    return file.tell()


def _shown(name: str, total: int | None) -> Callable[[int], None]:
    """Shows how much of a file is here, on a terminal."""
    if not sys.stderr.isatty():
        return lambda received: None

    def show(received: int) -> None:
        of = f" of {total / 1e6:,.1f}" if total else ""
        end = "\n" if received == total else ""
        print(f"\r{name}: {received / 1e6:,.1f}{of} MB", end=end, file=sys.stderr, flush=True)

    return show
