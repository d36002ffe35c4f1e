"""The routes of the service, as one ASGI application."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from warehouse.serve import handlers, skeleton_service
from warehouse.serve.auth import LOGIN_PAGE
from warehouse.serve.handlers import Answer, Call, Handler, Service
from warehouse.serve.refused import Refused, crash, unknown_page

_log = logging.getLogger(__name__)
SERVER_VERSION = "5.26.4"
INFO_VERSION = "4.4.0"
_MATERIALIZE = "/materialize/api/v{api:int}/datastack/{datastack}"
_VERSION = _MATERIALIZE + "/version/{version}"
_OPEN: dict[str, Handler] = {
    "/info/version": lambda _: INFO_VERSION,
    "/info/api/v2/datastacks": lambda call: [datastack.name for datastack in call.service.datastacks],
    "/info/api/v2/datastack/full/{datastack}": handlers.info,
    "/materialize/version": lambda _: SERVER_VERSION,
    "/materialize/api/versions": lambda _: [2, 3],
    "/schema/versions": lambda _: [2],
    "/schema/api/v2/type": handlers.schema_names,
    "/schema/api/v2/types_all": handlers.schemas,
    "/schema/api/v2/type/{type}": handlers.schema,
    "/skeletoncache/api/version": lambda _: skeleton_service.SKELETON_SERVER_VERSION,
    "/skeletoncache/api/versions": skeleton_service.versions,
    "/sticky_auth/{page:path}": lambda _: HTMLResponse(LOGIN_PAGE),
}
_GUARDED: dict[str, Handler] = {
    _MATERIALIZE + "/versions": handlers.versions,
    _MATERIALIZE + "/metadata": handlers.versions_metadata,
    _MATERIALIZE + "/table/{table}/unique_string_values": handlers.unique_strings,
    _VERSION: handlers.version_metadata,
    _VERSION + "/tables": handlers.tables,
    _VERSION + "/tables/metadata": handlers.tables_metadata,
    _VERSION + "/table/{table}/metadata": handlers.table_metadata,
    _VERSION + "/table/{table}/count": handlers.count,
    _VERSION + "/views": handlers.views,
    _VERSION + "/views/schemas": handlers.view_schemas,
    _VERSION + "/views/{view}/metadata": handlers.view_metadata,
    _VERSION + "/views/{view}/schema": handlers.view_schema,
}
_QUERIES: dict[str, Handler] = {
    _VERSION + "/query": handlers.query_join,
    _VERSION + "/table/{table}/query": handlers.query_table,
    _VERSION + "/views/{view}/query": handlers.query_view,
    "/skeletoncache/api/v1/{datastack}/bulk/get_cached_skeletons/{format:int}/flatdict": skeleton_service.cached,
}


def _check(call: Call) -> None:
    """Refuse unknown versions that are no number, missing tokens and unknown datastacks, in this order."""
    version = call.request.path_params.get("version", "1")
    if not version.removeprefix("-").isdigit():
        raise unknown_page()
    name = call.named("datastack")
    call.service.tokens.check(call.request, name)
    if call.service.datastack(name) is None:
        raise Refused(
            400,
            {
                "data": {"resource_namespace": "datastack", "table_id": name},
                "error": "invalid_table_id",
                "message": "Invalid table_id for service",
            },
        )


def _guarded(handler: Handler, method: str = "GET") -> Handler:
    def checked(call: Call) -> Answer:
        _check(call)
        if call.request.method != method:
            raise crash("405 Method Not Allowed: The method is not allowed for the requested URL.")
        return handler(call)

    return checked


def _respond(handler: Handler, call: Call) -> Response:
    status, headers = 200, {}
    try:
        value = handler(call)
    except Refused as refusal:
        status, headers, value = refusal.status, refusal.headers, refusal.body
    except Exception as error:  # reported as the real server reports whatever it did not expect
        _log.exception("%s failed", call.request.url.path)
        status, value = 500, crash(str(error)).body
    if isinstance(value, Response):
        return value
    if isinstance(value, str) and value.startswith("<"):
        return HTMLResponse(value, status, headers)
    return Response(json.dumps(value) + "\n", status, headers, "application/json")


def _endpoint(service: Service, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        call = Call(service, request, await request.body())
        return await run_in_threadpool(_respond, handler, call)

    return endpoint


def application(service: Service, url: str, pages: Sequence[BaseRoute] = ()) -> Starlette:
    """The service as an ASGI application.

    Args:
        service: what it answers from.
        url: its address, which clients are told; what a request calls it decides nothing.
        pages: further routes to serve beside it.
    """
    routed = {
        **_OPEN,
        **{path: _guarded(handler) for path, handler in _GUARDED.items()},
        **{path: _guarded(handler, "POST") for path, handler in _QUERIES.items()},
    }
    routes = [
        Route(path, _endpoint(service, handler), methods=["GET", "POST"]) for path, handler in routed.items()
    ]

    def missing(_: Call) -> Answer:
        raise unknown_page()

    unknown = Route("/{path:path}", _endpoint(service, missing), methods=["GET", "POST"])
    app = Starlette(routes=[*routes, *pages, unknown])
    app.state.url = url
    return app
