"""The server's refusals, with the status and body it gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_FOUND_PAGE = (
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    "<p>The requested URL was not found on the server. If you entered the URL manually please "
    "check your spelling and try again.</p>\n"
)


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status.
        body: what is sent as JSON, or as an HTML page if it is a string that starts with `<`.
        headers: further response headers.
    """

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Refuse with `status` and `body`."""
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def crash(message: str) -> Refused:
    """Status 500 with a message: how the server reports most errors, those of the caller included."""
    return Refused(500, {"code": 500, "message": message, "traceback": []})


def bad_body(errors: Mapping[str, list[str]]) -> Refused:
    """Status 500 for a request body that its schema refuses; it carries no `message`."""
    return Refused(500, {"schema_errors": dict(errors)})


def database_error(reason: str, sql: str) -> Refused:
    """A database error, whose message repeats the whole statement."""
    return crash(f"Execution failed on sql '{sql}': {reason}\n")


def unknown_page() -> Refused:
    """The HTML page for a path that no route matches."""
    return Refused(404, NOT_FOUND_PAGE)
