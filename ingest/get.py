"""`microns get`: receive a bundle over the network or from a stick, and say whether it is what was meant.

Needs nothing but Python: students who only read have no extras installed.
"""

from __future__ import annotations

import http.client
import logging
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from cyclopts import Parameter

from warehouse.errors import SnapshotDamaged, SnapshotNotFound, SourceRefused, SourceUnavailable, UsageError
from warehouse.storage.disk import disk_errors
from warehouse.storage.manifest import sha256_of
from warehouse.storage.publish import make_durable

log = logging.getLogger(__name__)

_TRIES = 5
_PAUSE_S = 1.0
_TIMEOUT_S = 30
_DROPPED = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def get(
    source: Annotated[str, Parameter(help="Address (https://...) or path of the file.")],
    /,
    *,
    sha256: Annotated[str | None, Parameter(help="Its SHA-256, as `microns bundle` printed it.")] = None,
    to: Annotated[Path, Parameter(help="The folder to put it into.")] = Path(),
) -> None:
    """Fetch a bundle and verify it. With --sha256 a broken download continues where it stopped.

    The file appears under its name when it is complete and right; until then it is NAME.part. A file that is there
    and right is not fetched again.
    """
    if sha256 is not None and (len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef")):
        raise UsageError(f"--sha256 {sha256} is no SHA-256, which has 64 digits 0-9 and a-f")
    target = to.expanduser().absolute() / _name(source)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_right(target, sha256):
            part = target.with_name(f"{target.name}.part")
            if _is_address(source):
                _download(source, part, resume=sha256 is not None)
            else:
                _copy(Path(source).expanduser(), part)
            _require_right(part, sha256)
            make_durable([part])
            part.replace(target)
            make_durable([target.parent])
    log.info("SHA-256 %s%s", sha256_of(target), "" if sha256 else ", which nobody gave to compare with")
    print(target)


def _is_address(source: str) -> bool:
    return urlsplit(source).scheme in ("http", "https")


def _name(source: str) -> str:
    if "://" in source and not _is_address(source):
        raise UsageError(f"{source} is no address that can be fetched; write https://..., or a path")
    name = unquote(urlsplit(source).path.rpartition("/")[2]) if _is_address(source) else Path(source).name
    if not name or "/" in name or "\\" in name or name in (".", ".."):
        raise UsageError(f"{source} names no file; write the whole address, for example https://.../class.duckdb")
    return name


def _is_right(path: Path, sha256: str | None) -> bool:
    return sha256 is not None and path.is_file() and sha256_of(path) == sha256.lower()


def _require_right(part: Path, sha256: str | None) -> None:
    if sha256 is not None and (found := sha256_of(part)) != sha256.lower():
        part.unlink()
        raise SnapshotDamaged(
            f"what came has the SHA-256 {found}, not {sha256.lower()}, and was removed; "
            "run the same command again, or ask for the right address and SHA-256"
        )


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise SnapshotNotFound(f"there is no file {source.absolute()}; name the file, or an address (https://...)")
    shutil.copyfile(source, part)


def _download(url: str, part: Path, *, resume: bool) -> None:
    """Fetch a file; what cannot be verified afterwards is fetched from its beginning."""
    if not resume:
        part.unlink(missing_ok=True)
    for number in range(_TRIES):
        try:
            return _append(url, part)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise SourceRefused(
                    f"{url} answered {error.code} ({error.reason}); compare the address with the one you got"
                ) from error
            problem: Exception = error
        except _DROPPED as error:
            problem = error
        log.info("%s (try %d of %d)", problem, number + 1, _TRIES)
        time.sleep(_PAUSE_S * number)
    raise SourceUnavailable(
        f"{url} did not send all ({problem}); run the same command again"
        f"{', which continues where it stopped' if resume else ''}"
    ) from problem


def _append(url: str, part: Path) -> None:
    """Fetch what is missing of a file, or all of it from a server that cannot send a part."""
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing, or what is there is not this file: its SHA-256 tells
        raise
    with answer:
        continues = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        length = answer.headers.get("Content-Length")
        with part.open("ab" if continues else "wb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
            received = file.tell()
    if length is not None and received < int(length) + (start if continues else 0):
        raise ConnectionError(f"the connection broke after {received / 1e6:,.1f} MB")
