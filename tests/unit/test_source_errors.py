"""What the service's failures are told apart by, and how they read."""

import json
from typing import Any

import pytest

from ingest.cave.refusals import refusal
from ingest.files.retry import RateLimited
from warehouse.errors import ExitCode, NotThere, SchemaDrift, SourceRefused, SourceUnavailable, WarehouseError

TERMS = {
    "error": "missing_tos",
    "message": "Need to accept Terms of Service to access resource.",
    "data": {"tos_id": 2, "tos_name": "MICrONS", "tos_form_url": "https://global.daf-apis.com/tos/2/accept"},
}


def crashed(message: str) -> dict[str, Any]:
    return {"code": 500, "message": message, "traceback": ["  File ..."]}


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (500, crashed("429 Too Many Requests: 3 per 1 minute"), RateLimited, "some minutes"),
        (429, "slow down", RateLimited, "some minutes"),
        (500, crashed("404 Not Found: version 99 not found in minnie65_public"), NotThere, "version 99"),
        (500, crashed("404 Not Found: Analysis table 'x' not found for version 1"), NotThere, "'x'"),
        (500, crashed("nothing to be found because there is no valid parent"), NotThere, "no valid parent"),
        (404, "No version found", NotThere, "No version found"),
        (500, crashed("nope not in model or models for nucleus_detection_v0"), SchemaDrift, "no column nope"),
        (500, crashed("'nope'"), SchemaDrift, "no column nope"),
        (500, crashed("400 Bad Request: column nope not found in x"), SchemaDrift, "no column nope"),
        (500, {"schema_errors": {"filter_out_dict": ["Unknown field."]}}, SourceRefused, "Unknown field"),
        (500, crashed("401 Unauthorized: no access"), SourceRefused, "may not read"),
        (500, crashed("server closed the connection unexpectedly"), SourceUnavailable, "server closed"),
        (500, crashed("x" * 5000), SourceUnavailable, "x" * 300),
        (500, "<html>", SourceUnavailable, "status 500"),
        (502, "<html>502</html>", SourceUnavailable, "status 502"),
        (503, "<html>503</html>", SourceUnavailable, "status 503"),
        (504, "<html>504</html>", SourceUnavailable, "status 504"),
        (401, {"error": "invalid_token", "message": "Unauthorized"}, SourceRefused, "does not accept the token"),
        (401, {"error": "no_token"}, SourceRefused, "there is none on this machine"),
        (400, {"error": "bad_auth_header"}, SourceRefused, "does not accept the token"),
        (403, TERMS, SourceRefused, "open https://global.daf-apis.com/tos/2/accept"),
        (
            403,
            {"error": "missing_permission", "data": {"auth_dataset": "d", "required_permission": "view"}},
            SourceRefused,
            "no view permission for d",
        ),
        (403, "<html>", SourceRefused, "status 403"),
    ],
)
def test_failures_are_told_apart_by_their_message(
    status: int, body: dict[str, Any] | str, error: type[WarehouseError], words: str
) -> None:
    raw = body.encode() if isinstance(body, str) and body.startswith("<") else json.dumps(body).encode()
    found = refusal(status, raw)
    assert type(found) is error
    message = str(found)
    assert words in message
    assert "\n" not in message
    assert len(message) < 600
    assert "File ..." not in message


def test_a_login_page_means_that_there_is_no_token() -> None:
    found = refusal(302, b"<html>", "https://global.daf-apis.com/sticky_auth/api/v1/authorize?redirect=x")
    assert isinstance(found, SourceRefused)
    assert "setup_token" in str(found)
    assert found.exit_code is ExitCode.SOURCE


@pytest.mark.parametrize(("status", "location"), [(200, ""), (201, ""), (302, "https://elsewhere.example/")])
def test_good_answers_are_no_refusals(status: int, location: str) -> None:
    assert refusal(status, b"{}", location) is None
