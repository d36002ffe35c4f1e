"""Who may ask: tokens, and the answers for a missing, wrong or insufficient one."""

from __future__ import annotations

import secrets
from enum import Enum
from urllib.parse import quote

from starlette.requests import Request

from warehouse.serve.refused import Refused

LOGIN_PAGE = (
    "<!doctype html>\n<title>Log in</title>\n<h1>Log in</h1>\n"
    "<p>This service gives no accounts; use its token.</p>\n"
)


class Grant(Enum):
    """What a token opens."""

    VIEW = "view"
    NO_PERMISSION = "no permission"
    NO_TERMS = "terms of service not accepted"


class Tokens:
    """The tokens that a service knows."""

    def __init__(self, grants: dict[str, Grant] | None = None) -> None:
        """Take `grants`, or make one fresh token that may view everything."""
        self.grants = {secrets.token_hex(16): Grant.VIEW} if grants is None else grants

    @property
    def valid(self) -> str:
        """A token that opens everything."""
        return next(token for token, grant in self.grants.items() if grant is Grant.VIEW)

    def check(self, request: Request, datastack: str) -> None:
        """Refuse a request without a token that may view the datastack."""
        token = _token(request)
        if token is None:
            raise _no_token(request)
        grant = self._grant(token)
        if grant is None:
            raise unauthorized(request)
        if grant is Grant.NO_PERMISSION:
            raise missing_permission(datastack)
        if grant is Grant.NO_TERMS:
            raise missing_terms(request)

    def _grant(self, token: str) -> Grant | None:
        """What a token opens; all are compared, each in the same time, so that none can be guessed by its time."""
        found = None
        for known, grant in self.grants.items():
            if secrets.compare_digest(known.encode(), token.encode("utf-8", "replace")):
                found = grant
        return found


def authorize_url(request: Request) -> str:
    """The address of the login page."""
    return f"{request.app.state.url}/sticky_auth/api/v1/authorize"


def _challenge(request: Request, detail: str = "") -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="{authorize_url(request)}"{detail}'}


def _token(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return request.cookies.get("middle_auth_token") or request.query_params.get("middle_auth_token")
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer":
        detail = ', error="invalid_request", error_description="Header must begin with \'Bearer\'"'
        body = {"error": "bad_auth_header", "message": "Authorization header must begin with 'Bearer'"}
        raise Refused(400, body, _challenge(request, detail))
    return token


def _no_token(request: Request) -> Refused:
    """A redirect to the login page for a browser, an error for a programme that says it is one."""
    if "x-requested-with" in request.headers or "origin" in request.headers:
        body = {"error": "no_token", "message": "Unauthorized - No Token Provided"}
        return Refused(401, body, _challenge(request))
    target = f"{authorize_url(request)}?redirect={quote(request.app.state.url + _page(request))}"
    page = (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
        "<p>You should be redirected automatically to the target URL: "
        f'<a href="{target}">{target}</a>. If not, click the link.\n'
    )
    return Refused(302, page, {"Location": target})


def _page(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def unauthorized(request: Request) -> Refused:
    """Status 401 for a token that is unknown or has expired."""
    body = {"error": "invalid_token", "message": "Unauthorized - Token is Invalid or Expired"}
    detail = ', error="invalid_token", error_description="Invalid/Expired Token"'
    return Refused(401, body, _challenge(request, detail))


def missing_permission(datastack: str) -> Refused:
    """Status 403 for an account that may not view the datastack."""
    return Refused(
        403,
        {
            "data": {"auth_dataset": datastack, "required_permission": "view"},
            "error": "missing_permission",
            "message": f"Missing permission: view for dataset {datastack}",
        },
    )


def missing_terms(request: Request) -> Refused:
    """Status 403 for an account that has not accepted the terms of service."""
    form = f"{request.app.state.url}/sticky_auth/api/v1/tos/8/accept"
    return Refused(
        403,
        {
            "data": {"tos_form_url": form, "tos_id": 8, "tos_name": "MICrONS public"},
            "error": "missing_tos",
            "message": "Need to accept Terms of Service to access resource.",
        },
    )
