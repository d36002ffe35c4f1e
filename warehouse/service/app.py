"""The routes of the service, as one ASGI application."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from warehouse.service import metadata
from warehouse.service.answers import answer, join_sources
from warehouse.service.auth import LOGIN_PAGE, Tokens
from warehouse.service.body import parse
from warehouse.service.catalog import ServedDatastack, ServedTable, ServedVersion
from warehouse.service.columns import Rules
from warehouse.service.engine import Engine
from warehouse.service.errors import Refused, crash, unknown_page
from warehouse.service.schemas import json_schema, view_schema

SERVER_VERSION = "5.26.4"
INFO_VERSION = "4.4.0"
_MATERIALIZE = "/materialize/api/v{api:int}/datastack/{datastack}"
_VERSION = _MATERIALIZE + "/version/{version}"


@dataclass(frozen=True)
class Service:
    """What the routes answer from.

    Attributes:
        datastacks: everything that is served.
        engine: the rows behind it.
        rules: how queries are answered.
        tokens: who may ask.
    """

    datastacks: tuple[ServedDatastack, ...]
    engine: Engine
    rules: Rules
    tokens: Tokens

    def datastack(self, name: str) -> ServedDatastack | None:
        """The datastack of that name, or None."""
        return next((datastack for datastack in self.datastacks if datastack.name == name), None)

    def tables(self) -> dict[str, ServedTable]:
        """One table for each schema type, from the newest version that has it."""
        versions = sorted((v for d in self.datastacks for v in d.versions), key=lambda v: v.version)
        return {table.schema_type: table for version in versions for table in version.tables}


@dataclass(frozen=True)
class Call:
    """One request with its body, after the token was checked."""

    service: Service
    request: Request
    content: bytes

    @property
    def datastack(self) -> ServedDatastack:
        """The datastack that the path names."""
        found = self.service.datastack(self.request.path_params["datastack"])
        assert found is not None
        return found

    @property
    def version(self) -> ServedVersion:
        """The version that the path names."""
        return metadata.find_version(self.datastack, int(self.request.path_params["version"]))

    def named(self, part: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[part])


Answer = Any
"""A `Response`, or a value to be sent as JSON."""
Handler = Callable[[Call], Answer]


# Information ---------------------------------------------------------------------------------------


def _info(call: Call) -> Answer:
    datastack = call.service.datastack(call.named("datastack"))
    if datastack is None:
        raise unknown_page()
    return metadata.datastack_info(datastack, str(call.request.base_url).rstrip("/"))


def _versions(call: Call) -> Answer:
    return [version.version for version in _listed(call)]


def _versions_metadata(call: Call) -> Answer:
    faithful = call.service.rules.faithful
    return [metadata.version_info(call.datastack, version, faithful) for version in _listed(call)]


def _listed(call: Call) -> Sequence[ServedVersion]:
    expired = call.request.query_params.get("expired", "False") == "True"
    return call.datastack.versions if expired else tuple(call.datastack.live_versions())


def _version_metadata(call: Call) -> Answer:
    version = call.datastack.version(int(call.named("version")))
    if version is None:
        raise Refused(404, "No version found")
    return metadata.version_info(call.datastack, version, call.service.rules.faithful)


def _tables(call: Call) -> Answer:
    version = call.datastack.version(int(call.named("version")))
    if version is None:
        raise crash(f"404 Not Found: version {call.named('version')} does not exist for {call.datastack.name} ")
    return [table.name for table in version.tables]


def _tables_metadata(call: Call) -> Answer:
    faithful = call.service.rules.faithful
    return [metadata.table_info(call.datastack, table, faithful) for table in call.version.tables]


def _table_metadata(call: Call) -> Answer:
    table = metadata.described_table(call.datastack, call.version, call.named("table"))
    return metadata.table_info(call.datastack, table, call.service.rules.faithful)


def _count(call: Call) -> Answer:
    return call.service.engine.count(metadata.find_table(call.datastack, call.version, call.named("table")))


def _unique_strings(call: Call) -> Answer:
    """From the newest version that has the table: the real server reads its live database."""
    live = sorted(call.datastack.live_versions(), key=lambda version: version.version)
    found = [table for version in live if (table := version.table(call.named("table")))]
    if not found:
        raise Refused(404, f"No table named '{call.named('table')}' found in datastack '{call.datastack.name}'")
    return call.service.engine.unique_strings(found[-1])


def _views(call: Call) -> Answer:
    return {view.name: metadata.view_info(call.datastack, view) for view in call.version.views}


def _view_metadata(call: Call) -> Answer:
    view = metadata.find_view(call.datastack, call.version, call.named("view"))
    return {**metadata.view_info(call.datastack, view), "table_name": view.name}


def _view_schema(call: Call) -> Answer:
    return view_schema(metadata.find_view(call.datastack, call.version, call.named("view")))


def _view_schemas(call: Call) -> Answer:
    return {view.name: view_schema(view) for view in call.version.views}


def _schema_names(call: Call) -> Answer:
    return list(call.service.tables())


def _schemas(call: Call) -> Answer:
    return {name: json_schema(table) for name, table in call.service.tables().items()}


def _schema(call: Call) -> Answer:
    table = call.service.tables().get(call.named("type"))
    if table is None:
        raise unknown_page()
    return json_schema(table)


# Queries -------------------------------------------------------------------------------------------


def _query_table(call: Call) -> Answer:
    table = metadata.find_table(call.datastack, call.version, call.named("table"))
    return _query(call, table)


def _query_view(call: Call) -> Answer:
    return _query(call, metadata.find_view(call.datastack, call.version, call.named("view")))


def _query(call: Call, served: Any) -> Answer:
    service = call.service
    if call.request.path_params["api"] == 2 and service.rules.faithful:
        raise crash("'ipc_compress'")  # version 2 of the query is broken in this release
    body = parse(call.content, join=False)
    return answer(service.engine, [service.engine.source(served)], body, service.rules, call.request)


def _query_join(call: Call) -> Answer:
    service, version = call.service, call.version
    body = parse(call.content, join=True)
    tables = [metadata.find_table(call.datastack, version, name) for name, _ in body.tables]
    sources = join_sources(service.engine, tables, body)
    return answer(service.engine, sources, body, service.rules, call.request)


# Routing -------------------------------------------------------------------------------------------

_OPEN: dict[str, Handler] = {
    "/info/version": lambda _: INFO_VERSION,
    "/info/api/v2/datastacks": lambda call: [datastack.name for datastack in call.service.datastacks],
    "/info/api/v2/datastack/full/{datastack}": _info,
    "/materialize/version": lambda _: SERVER_VERSION,
    "/materialize/api/versions": lambda _: [2, 3],
    "/schema/versions": lambda _: [2],
    "/schema/api/v2/type": _schema_names,
    "/schema/api/v2/types_all": _schemas,
    "/schema/api/v2/type/{type}": _schema,
    "/sticky_auth/{page:path}": lambda _: HTMLResponse(LOGIN_PAGE),
}
_GUARDED: dict[str, Handler] = {
    _MATERIALIZE + "/versions": _versions,
    _MATERIALIZE + "/metadata": _versions_metadata,
    _MATERIALIZE + "/table/{table}/unique_string_values": _unique_strings,
    _VERSION: _version_metadata,
    _VERSION + "/tables": _tables,
    _VERSION + "/tables/metadata": _tables_metadata,
    _VERSION + "/table/{table}/metadata": _table_metadata,
    _VERSION + "/table/{table}/count": _count,
    _VERSION + "/views": _views,
    _VERSION + "/views/schemas": _view_schemas,
    _VERSION + "/views/{view}/metadata": _view_metadata,
    _VERSION + "/views/{view}/schema": _view_schema,
}
_QUERIES: dict[str, Handler] = {
    _VERSION + "/query": _query_join,
    _VERSION + "/table/{table}/query": _query_table,
    _VERSION + "/views/{view}/query": _query_view,
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


def application(service: Service, pages: Sequence[BaseRoute] = ()) -> Starlette:
    """The service as an ASGI application.

    Args:
        service: what it answers from.
        pages: further routes to serve beside it.
    """
    handlers = {
        **_OPEN,
        **{path: _guarded(handler) for path, handler in _GUARDED.items()},
        **{path: _guarded(handler, "POST") for path, handler in _QUERIES.items()},
    }
    routes = [
        Route(path, _endpoint(service, handler), methods=["GET", "POST"]) for path, handler in handlers.items()
    ]

    def missing(_: Call) -> Answer:
        raise unknown_page()

    unknown = Route("/{path:path}", _endpoint(service, missing), methods=["GET", "POST"])
    return Starlette(routes=[*routes, *pages, unknown])
