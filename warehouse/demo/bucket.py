"""A bucket over loopback: files of a folder, served as Google's store serves public ones.

Any file can be had from any position on; its MD5 stands in a header; and what is in a folder can be listed as
libraries for Google's store ask for it::

    with serve_bucket(folder) as bucket:
        requests.get(f"{bucket.url}/mat_dbs/public/minnie65_phase3_v1/v1507/...")

`bucket.faults` makes it fail: cut connections, other sizes, 404, 503, slowness.
"""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from warehouse.demo.faults import Faults, FaultyService
from warehouse.serve.gate import Gate
from warehouse.serve.server import configured, in_a_thread

PLACE = "mat_dbs/public/minnie65_phase3_v1"
"""Where the dumps of minnie65 lie in the public bucket."""
LAKE_PLACE = "mat_dbs/public/deltalake_exports/minnie65_phase3_v1"
"""Where its Delta tables lie."""
_NOT_THERE = "<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"


@contextmanager
def serve_bucket(folder: Path, port: int = 0) -> Iterator[FaultyService]:
    """Serve a folder over loopback for as long as the context lasts; its first level are buckets.

    Args:
        folder: holds for example `mat_dbs/public/minnie65_phase3_v1/v1507/`.
        port: the port; 0 takes a free one.
    """
    folder = folder.resolve()

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if "\0" in name:
            return Response(_NOT_THERE, 404, media_type="application/xml")
        if "list-type" in request.query_params:
            return _listing(folder, name.strip("/"), request.query_params.get("prefix", ""))
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return Response(_NOT_THERE, 404, media_type="application/xml")
        return FileResponse(path, headers={"x-goog-hash": f"md5={_md5(path, path.stat().st_mtime_ns)}"})

    app = Starlette(routes=[Route("/{name:path}", answer, methods=["GET", "HEAD"])])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", port))
        running = FaultyService(f"http://127.0.0.1:{listener.getsockname()[1]}", "", faults=Faults())
        gate = Gate(app, running.requests, running.url, disturb=running.faults.take, whole=False)
        with in_a_thread(configured(gate), listener):
            yield running


@lru_cache(maxsize=1024)
def _md5(path: Path, _modified: int) -> str:
    with path.open("rb") as stream:
        return base64.b64encode(hashlib.file_digest(stream, "md5").digest()).decode()


def _listing(folder: Path, bucket: str, prefix: str) -> Response:
    """The objects of a bucket whose names begin with `prefix`, as Google's store lists them in XML."""
    root = (folder / bucket).resolve()
    if not root.is_relative_to(folder) or not root.is_dir():
        return Response(_NOT_THERE, 404, media_type="application/xml")
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    entries = "".join(_entry(root / name, name) for name in names if name.startswith(prefix))
    text = f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>{entries}</ListBucketResult>"
    return Response(text, media_type="application/xml")


def _entry(path: Path, name: str) -> str:
    told = path.stat()
    modified = datetime.fromtimestamp(told.st_mtime, UTC).isoformat().replace("+00:00", "Z")
    return (
        f"<Contents><Key>{escape(name)}</Key><LastModified>{modified}</LastModified>"
        f'<ETag>"{told.st_mtime_ns}"</ETag><Size>{told.st_size}</Size></Contents>'
    )
