"""What every request passes: the log, the headers that all answers carry, and what a test lets go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warehouse.serve.database import AtWork

_LARGEST = 64_000_000
"""Bytes of a request: two million ids and more."""
Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reply:
    """A whole response on its way out."""

    status: int
    headers: Headers
    content: bytes

    def header(self, name: str) -> str:
        """The first header of that name, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def without(self, name: str, value: str = "") -> Reply:
        """The reply without the headers of that name whose value starts with `value`."""
        kept = tuple(
            (key, text) for key, text in self.headers if key.lower() != name.lower() or not text.startswith(value)
        )
        return replace(self, headers=kept)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        wait: seconds to sit on the request first.
        instead: the reply given in place of the real one; the request is not looked at.
        change: what is done to the real reply.
        sent: the share of the reply's body that goes out before the connection is cut.
    """

    wait: float = 0.0
    instead: Reply | None = None
    change: Callable[[Reply], Reply] = lambda reply: reply
    sent: float = 1.0


Disturb: TypeAlias = Callable[[str], Sequence[Fault]]
"""Given the path of a request, what goes wrong with it; for tests."""


def nothing(_path: str) -> Sequence[Fault]:
    """No fault: how a service behaves that nobody disturbs."""
    return ()


@dataclass(frozen=True)
class LoggedRequest:
    """One request that was answered.

    Attributes:
        method: HTTP method.
        path: path without the query string.
        query: query string.
        body: the JSON body, or None.
        status: status of the answer.
        rows: rows in the answer, for a query.
    """

    method: str
    path: str
    query: str
    body: Any
    status: int
    rows: int | None


class ConnectionCut(Exception):
    """Raised on purpose after half a body, which makes the server drop the connection."""


class Gate:
    """The outermost part of the application."""

    def __init__(
        self,
        app: ASGIApp,
        log: list[LoggedRequest],
        url: str,
        *,
        disturb: Disturb = nothing,
        whole: bool = True,
    ) -> None:
        """Put a gate before `app`.

        Args:
            app: what answers.
            log: gets an entry for each request.
            url: the address of the service; a request that calls it otherwise, or that comes from a page of
                another site, is refused.
            disturb: what goes wrong.
            whole: whether an answer is put together before it is sent; large files are better sent as they come,
                unless something shall go wrong with them.
        """
        self._app = app
        self._whole = whole
        self._disturb = disturb
        self._log = log
        self._url = urlsplit(url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        content = await _content(receive)
        refusal = self._refusal(scope, content)
        if refusal is not None:
            self._log.append(_logged(scope, b"", refusal.status))
            await _deliver(refusal, (), send)
            return
        faults = self._disturb(scope["path"])
        if not (faults or self._whole):
            await self._pass(scope, receive, send)
            return
        await asyncio.sleep(sum(fault.wait for fault in faults))
        reply = next((fault.instead for fault in faults if fault.instead), None)
        if reply is None:
            reply = await self._ask(scope, content or b"", receive)
        for fault in faults:
            reply = fault.change(reply)
        self._log.append(_logged(scope, content or b"", reply.status))
        await _deliver(reply, faults, send)

    def _refusal(self, scope: Scope, content: bytes | None) -> Reply | None:
        """What is wrong with a request before anybody looks at what it asks."""
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        if headers.get(b"host", "").lower() not in (self._url.netloc, f"localhost:{self._url.port}"):
            return _sentence(421, f"this service is {self._url.geturl()}, and answers to no other name")
        if (origin := headers.get(b"origin")) is not None and origin != self._url.geturl():
            return _sentence(403, "this service does not answer the pages of other sites")
        if content is None:
            return _sentence(413, f"a request may have {_LARGEST:,} bytes; ask for fewer ids at once")
        return None

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log.append(_logged(scope, b"", message["status"]))
            await send(message)

        await self._app(scope, receive, noting)

    async def _ask(self, scope: Scope, content: bytes, left: Receive) -> Reply:
        parts: list[Message] = []
        scope["at_work"] = AtWork()

        async def watch() -> None:
            while (await left())["type"] != "http.disconnect":
                pass
            scope["at_work"].stop()

        waiting = [content]

        async def receive() -> Message:
            if not waiting:  # whoever asks again waits for the client to leave
                await asyncio.Event().wait()
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}

        async def collect(message: Message) -> None:
            parts.append(message)

        watching = asyncio.create_task(watch())
        try:
            await self._app(scope, receive, collect)
        finally:
            watching.cancel()
        headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in parts[0]["headers"])
        return Reply(parts[0]["status"], headers, b"".join(part.get("body", b"") for part in parts[1:]))


async def _content(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too large, and then not all of it was kept."""
    content = bytearray()
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size <= _LARGEST:
            content += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(content) if size <= _LARGEST else None


def _sentence(status: int, text: str) -> Reply:
    return Reply(status, (("Content-Type", "application/json"),), json.dumps({"message": text}).encode())


def _logged(scope: Scope, content: bytes, status: int) -> LoggedRequest:
    try:
        body = json.loads(content) if content else None
    except (ValueError, RecursionError):
        body = None
    query = scope["query_string"].decode("latin-1")
    return LoggedRequest(scope["method"], scope["path"], query, body, status, scope.get("rows"))


async def _deliver(reply: Reply, faults: Sequence[Fault], send: Send) -> None:
    headers = [(key, value) for key, value in reply.headers if key.lower() != "content-length"]
    # The answer to HEAD has no content, and tells the length of what it would be.
    if reply.content or not reply.header("content-length"):
        headers.append(("Content-Length", str(len(reply.content))))
    else:
        headers.append(("Content-Length", reply.header("content-length")))
    raw = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    sent = min((fault.sent for fault in faults), default=1.0)
    if sent == 1.0:
        await send({"type": "http.response.body", "body": reply.content})
        return
    await send(
        {"type": "http.response.body", "body": reply.content[: int(len(reply.content) * sent)], "more_body": True}
    )
    raise ConnectionCut
