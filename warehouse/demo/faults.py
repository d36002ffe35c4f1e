"""What can go wrong between a client and the real server, switched on and off while the service runs.

with serve_with_faults(datastack) as service:
service.faults.add("/query", faults.unavailable())
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import pyarrow as pa

from warehouse.serve.gate import Fault, Reply
from warehouse.serve.served import ServedDatastack
from warehouse.serve.server import Running, serve


@dataclass
class _Rule:
    path: re.Pattern[str]
    fault: Fault
    left: int | None
    skip: int


class Faults:
    """The faults that are switched on; safe to change while requests run.

    Attributes:
        hits: how often any fault struck so far.
    """

    def __init__(self) -> None:
        """Start without any fault."""
        self.hits = 0
        self._rules: list[_Rule] = []
        self._lock = Lock()

    def add(self, path: str, fault: Fault, times: int | None = 1, skip: int = 0) -> None:
        """Switch a fault on.

        Args:
            path: regular expression, searched in the path of a request.
            fault: what goes wrong.
            times: for how many matching requests; None for all.
            skip: how many matching requests go through before.
        """
        with self._lock:
            self._rules.append(_Rule(re.compile(path), fault, times, skip))

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._rules.clear()

    def take(self, path: str) -> list[Fault]:
        """The faults that hit this request, which count it."""
        hits = []
        with self._lock:
            for rule in self._rules:
                if rule.left == 0 or not rule.path.search(path):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.left is not None:
                    rule.left -= 1
                hits.append(rule.fault)
            self.hits += len(hits)
        return hits


@dataclass(frozen=True)
class FaultyService(Running):
    """A service that runs, with switches for what goes wrong on the way.

    Attributes:
        faults: the switches; none is on at the start.
    """

    faults: Faults = field(default_factory=Faults)


@contextmanager
def serve_with_faults(*datastacks: ServedDatastack, **options: Any) -> Iterator[FaultyService]:
    """Serve datastacks as `warehouse.serve.serve` does, with switches for faults.

    Args:
        *datastacks: what to serve.
        **options: those of `warehouse.serve.serve`.
    """
    faults = Faults()
    with serve(*datastacks, disturb=faults.take, **options) as running:
        yield FaultyService(running.url, running.token, running.requests, faults)


def _reply(status: int, body: Any) -> Reply:
    if isinstance(body, str):
        return Reply(status, (("Content-Type", "text/html; charset=utf-8"),), body.encode())
    return Reply(status, (("Content-Type", "application/json"),), json.dumps(body).encode())


def instead(status: int, body: Any) -> Fault:
    """Another reply: a text is sent as HTML, all else as JSON."""
    return Fault(instead=_reply(status, body))


def crashed(message: str) -> Fault:
    """Status 500 with a message, which is how the server reports nearly everything."""
    return instead(500, {"code": 500, "message": message, "traceback": []})


def unavailable(status: int = 503) -> Fault:
    """An outage, as the proxy in front of the server reports it."""
    return instead(status, f"<html><head><title>{status}</title></head><body>{status}</body></html>")


def rate_limited(limit: str = "3 per 1 minute") -> Fault:
    """Too many requests, which arrives as a 500 with a message."""
    return crashed(f"429 Too Many Requests: {limit}")


def wrapped_not_found(what: str = "Analysis table 'x' not found for version 1 in datastack x") -> Fault:
    """Something that is not there, which arrives as a 500 with a message."""
    return crashed(f"404 Not Found: {what}")


def invalid_token() -> Fault:
    """A token that has expired."""
    return instead(401, {"error": "invalid_token", "message": "Unauthorized - Token is Invalid or Expired"})


def missing_permission(datastack: str = "minnie65_public") -> Fault:
    """An account that may not view the datastack."""
    message = f"Missing permission: view for dataset {datastack}"
    data = {"auth_dataset": datastack, "required_permission": "view"}
    return instead(403, {"data": data, "error": "missing_permission", "message": message})


def missing_terms(form: str = "http://127.0.0.1/sticky_auth/api/v1/tos/8/accept") -> Fault:
    """An account that has not accepted the terms of service; the client wants to open the form."""
    message = "Need to accept Terms of Service to access resource."
    data = {"tos_form_url": form, "tos_id": 8, "tos_name": "MICrONS public"}
    return instead(403, {"data": data, "error": "missing_tos", "message": message})


def delay(seconds: float) -> Fault:
    """A slow answer; with many seconds, a server that hangs."""
    return Fault(wait=seconds)


def reset(sent: float = 0.5) -> Fault:
    """A connection that breaks in the middle of the body."""
    return Fault(sent=sent)


def truncated(kept: float = 0.5) -> Fault:
    """A body that ends early although its length says it is whole."""
    return Fault(change=lambda reply: replace(reply, content=reply.content[: int(len(reply.content) * kept)]))


def silently_capped(rows: int) -> Fault:
    """Fewer rows than there are, without the warning."""

    def cut(reply: Reply) -> Reply:
        reply = reply.without("Warning", "201")
        if reply.header("content-type") != "data.arrow":
            return reply
        table = pa.ipc.open_stream(io.BytesIO(reply.content)).read_all().slice(0, rows).combine_chunks()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return replace(reply, content=bytes(sink.getvalue()))

    return Fault(change=cut)


def wrong_count(difference: int = 1) -> Fault:
    """A stored row count that is off."""
    return Fault(
        change=lambda reply: replace(reply, content=json.dumps(json.loads(reply.content) + difference).encode())
    )


def without_microseconds() -> Fault:
    """Timestamps whose microseconds are zero, which the server leaves out and the client cannot read."""
    return Fault(change=lambda reply: replace(reply, content=re.sub(rb'(:\d\d)\.\d+"', rb'\1"', reply.content)))
