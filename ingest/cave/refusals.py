"""What the service means when it does not answer.

Most failures arrive as status 500, whatever they are; the message tells them apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import pyarrow as pa
import requests

from ingest.files.retry import RateLimited
from warehouse.errors import NotThere, SchemaDrift, SourceRefused, SourceUnavailable, UsageError, WarehouseError

_T = TypeVar("_T")

_LONGEST = 300
"""Server messages can hold whole SQL statements; more than this of one helps nobody."""

_UNKNOWN_COLUMN = re.compile(r"^'(?P<filter>\w+)'$|^(?P<select>\w+) not in model|column (?P<join>\w+) not found")


def refusal(status: int, body: bytes, location: str = "") -> WarehouseError | None:
    """The error that an answer stands for, or None if it is a good answer.

    Args:
        status: HTTP status.
        body: the answer's body.
        location: where a redirect leads.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return no_token() if "authorize" in location else None
    if status < HTTPStatus.BAD_REQUEST:
        return None
    answer = _parsed(body)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _no_access(status, answer)
    if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return SourceUnavailable(f"CAVE is overloaded or down (status {status}); try the same command later")
    return _by_message(status, answer)


def no_token() -> SourceRefused:
    """There is no token on this machine, or none was sent."""
    return SourceRefused(
        "CAVE wants a token and there is none on this machine; get one (free) with: "
        "python -c \"import caveclient; caveclient.CAVEclient.setup_token('https://global.daf-apis.com')\""
    )


def bad_token() -> SourceRefused:
    """The token on this machine is no good."""
    return SourceRefused(
        "CAVE does not accept the token on this machine: it is wrong or has expired; get a new one with: "
        "python -c \"import caveclient; caveclient.CAVEclient.setup_token('https://global.daf-apis.com')\""
    )


def _no_access(status: int, answer: dict[str, Any]) -> SourceRefused:
    error, data = answer.get("error"), answer.get("data") or {}
    if error == "no_token":
        return no_token()
    if error == "missing_tos":
        return SourceRefused(
            f"CAVE asks you to accept its terms of service ({data.get('tos_name', 'of this dataset')}) once: open "
            f"{data.get('tos_form_url')} in a browser, then run the same command again"
        )
    if error == "missing_permission":
        return SourceRefused(
            f"this account has no {data.get('required_permission', '')} permission for "
            f"{data.get('auth_dataset', 'this dataset')}; ask its owners, or use the public minnie65_public"
        )
    if status == HTTPStatus.UNAUTHORIZED or error in ("invalid_token", "bad_auth_header"):
        return bad_token()
    return SourceRefused(f"CAVE refuses (status {status}: {_text(answer)}); check --datastack and your account")


def _by_message(status: int, answer: dict[str, Any]) -> WarehouseError:
    text = _text(answer)
    if text.startswith("429") or status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(f"CAVE limits how often one may ask ({text}); try the same command in some minutes")
    if text.startswith(("404", "410")) or "no valid parent" in text or status == HTTPStatus.NOT_FOUND:
        return NotThere(f"CAVE does not have this ({text}); what it has: microns selftest --live")
    if text.startswith(("401", "403")):
        return SourceRefused(f"this account may not read that table ({text}); name the other tables instead")
    if column := _UNKNOWN_COLUMN.search(text):
        name = next(group for group in column.groups() if group)
        return SchemaDrift(f"CAVE has no column {name} ({text}); update microns-warehouse")
    if "schema_errors" in answer:
        return SourceRefused(f"CAVE does not understand this request ({text}); update microns-warehouse")
    return SourceUnavailable(f"CAVE failed (status {status}: {text}); try the same command later")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {"message": str(answer)}


def _text(answer: dict[str, Any]) -> str:
    message = str(answer.get("message") or answer.get("schema_errors") or answer.get("error") or "no message")
    line = message.strip().splitlines()[0] if message.strip() else "no message"
    return line[:_LONGEST]


def translated(question: Callable[[], _T]) -> _T:
    """Ask once; whatever goes wrong becomes one of the project's errors."""
    from caveclient.base import AuthException, ServerIncompatibilityError

    try:
        return question()
    except WarehouseError:
        raise
    except ServerIncompatibilityError as error:
        raise SourceRefused(f"{' '.join(str(error).split())}; nothing was fetched") from error
    except AuthException:
        raise no_token() from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
        raise UsageError(
            "--server is not the address of a service; it looks like https://global.daf-apis.com"
        ) from None
    except requests.HTTPError as error:
        # Without its message, which repeats the whole body of the answer.
        response = error.response
        raise (
            refusal(response.status_code, response.content)
            or SourceUnavailable(f"CAVE failed (status {response.status_code}); try the same command later")
        ) from None
    except requests.Timeout as error:
        raise SourceUnavailable("CAVE did not answer in time; try the same command later") from error
    except requests.JSONDecodeError as error:
        raise SourceUnavailable(
            "what answers is not CAVE (a web page, perhaps one to log in to the network); check the network and "
            "--server, or try again later"
        ) from error
    except requests.RequestException as error:
        raise SourceUnavailable(
            f"CAVE cannot be reached ({type(error).__name__}); check the network and --server, or try again later"
        ) from error
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise SourceUnavailable(
            f"CAVE's answer cannot be read ({type(error).__name__}); try the same command later"
        ) from error
