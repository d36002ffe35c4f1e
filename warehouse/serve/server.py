"""Running the service: in a thread on a free port of this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from warehouse.serve.app import application
from warehouse.serve.auth import Grant, Tokens
from warehouse.serve.columns import Rules
from warehouse.serve.database import Database
from warehouse.serve.gate import Disturb, Gate, LoggedRequest, nothing
from warehouse.serve.handlers import Service
from warehouse.serve.served import ServedDatastack

_CLIENTS = 200
_HEADER_BYTES = 64_000


@dataclass(frozen=True)
class Running:
    """A service that runs.

    Attributes:
        url: its address, which a client takes as `server_address`.
        token: a token that opens everything.
        requests: the log of all requests answered so far.
    """

    url: str
    token: str
    requests: list[LoggedRequest] = field(default_factory=list)


@contextmanager
def serve(
    *datastacks: ServedDatastack,
    faithful: bool = False,
    row_cap: int = 200_000,
    tokens: Mapping[str, Grant] | None = None,
    pages: Sequence[BaseRoute] = (),
    port: int = 0,
    seed: int | None = None,
    disturb: Disturb = nothing,
) -> Iterator[Running]:
    """Serve datastacks over loopback for as long as the context lasts.

    Args:
        datastacks: what to serve.
        faithful: reproduce the real server's bugs instead of answering correctly.
        row_cap: most rows in one answer.
        tokens: the tokens to accept; without any, one fresh token is made.
        pages: further routes to serve beside the API.
        port: the port; 0 takes a free one.
        seed: decides the order of what has no order on a faithful server; random without it.
        disturb: what goes wrong with a request, for tests.
    """
    known = Tokens(None if tokens is None else dict(tokens))
    rules = Rules(faithful, row_cap) if seed is None else Rules(faithful, row_cap, seed)
    database = Database()
    # With its protocol named, asyncio sends small answers at once instead of waiting for more.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", port))
        running = Running(f"http://127.0.0.1:{listener.getsockname()[1]}", known.valid)
        app = application(Service(datastacks, database, rules, known), running.url, pages)
        gate = Gate(app, running.requests, running.url, disturb=disturb)
        with in_a_thread(configured(gate), listener):
            yield running
    database.close()


def configured(app: ASGIApp) -> uvicorn.Config:
    """How an application is run: silently, and for so many clients at once; the next ones get status 503."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=1,
        limit_concurrency=_CLIENTS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ws="none",
    )


@contextmanager
def in_a_thread(config: uvicorn.Config, listener: socket.socket) -> Iterator[None]:
    """Let an application answer what arrives at a socket for as long as the context lasts."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="cave", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the service did not start")
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
