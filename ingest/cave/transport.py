"""How requests leave this machine: with a timeout, sent once, and refused in our own words.

caveclient opens its sessions itself, sends on them before it hands them out, sets no timeout, opens a browser
on some refusals and takes others for a sign of an old server. So its sessions get this adapter from the start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from ingest.cave.refusals import refusal

Timeouts = Callable[[], tuple[float, float]]
"""Gives the seconds to wait, at the moment, for a connection and between two bytes of an answer."""


class LastAnswer(threading.local):
    """What the current thread got last.

    Attributes:
        response: the last good answer.
        error: the last error; whoever cares sets it back to None.
    """

    response: requests.Response | None = None
    error: Exception | None = None


class Transport(HTTPAdapter):
    """Sends a request once, and raises the project's errors for what is not an answer."""

    def __init__(self, *, timeouts: Timeouts, last: LastAnswer, **options: Any) -> None:
        # Without the retries that caveclient asks for: only `ingest.files.retry` tries anything again.
        super().__init__(**{**options, "max_retries": 0})
        self._timeouts = timeouts
        self._last = last

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request, for at most the time to connect and the time between two bytes."""
        try:
            response = super().send(request, *args, **{**options, "timeout": self._timeouts()})
            # caveclient takes a 404 of some start-up addresses for an old server, which is right.
            if response.status_code != HTTPStatus.NOT_FOUND:
                error = refusal(response.status_code, response.content, response.headers.get("Location", ""))
                if error is not None:
                    raise error
        except Exception as error:
            self._last.error = error
            raise
        self._last.response = response
        return response


@contextmanager
def sessions_send_by(timeouts: Timeouts, last: LastAnswer) -> Iterator[None]:
    """Give every session that is opened in this context a `Transport`, the bare `requests.get` included."""
    adapter = partial(Transport, timeouts=timeouts, last=last)
    modules = (requests.adapters, requests.sessions)
    try:
        for module in modules:
            module.HTTPAdapter = adapter  # type: ignore[attr-defined]
        yield
    finally:
        for module in modules:
            module.HTTPAdapter = HTTPAdapter  # type: ignore[attr-defined]
