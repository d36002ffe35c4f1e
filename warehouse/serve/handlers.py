"""What each route answers, from a request whose token was checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from warehouse.serve import metadata
from warehouse.serve.answers import answer, join_sources
from warehouse.serve.auth import Tokens
from warehouse.serve.body import parse
from warehouse.serve.columns import Rules
from warehouse.serve.database import Database
from warehouse.serve.refused import Refused, crash, unknown_page
from warehouse.serve.schemas import json_schema, view_columns
from warehouse.serve.served import Served, ServedDatastack, ServedTable, ServedVersion


@dataclass(frozen=True)
class Service:
    """What the routes answer from.

    Attributes:
        datastacks: everything that is served.
        database: the rows behind it.
        rules: how queries are answered.
        tokens: who may ask.
    """

    datastacks: tuple[ServedDatastack, ...]
    database: Database
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


def info(call: Call) -> Answer:
    """The info service's entry of a datastack."""
    datastack = call.service.datastack(call.named("datastack"))
    if datastack is None:
        raise unknown_page()
    return metadata.datastack_info(datastack, call.request.app.state.url)


def versions(call: Call) -> Answer:
    """The numbers of the versions."""
    return [version.version for version in _listed(call)]


def versions_metadata(call: Call) -> Answer:
    """The metadata of the versions."""
    faithful = call.service.rules.faithful
    return [metadata.version_info(call.datastack, version, faithful) for version in _listed(call)]


def _listed(call: Call) -> Sequence[ServedVersion]:
    expired = call.request.query_params.get("expired", "False") == "True"
    return call.datastack.versions if expired else tuple(call.datastack.live_versions())


def version_metadata(call: Call) -> Answer:
    """The metadata of one version, expired or not."""
    version = call.datastack.version(int(call.named("version")))
    if version is None:
        raise Refused(404, "No version found")
    return metadata.version_info(call.datastack, version, call.service.rules.faithful)


def tables(call: Call) -> Answer:
    """The names of a version's tables."""
    version = call.datastack.version(int(call.named("version")))
    if version is None:
        raise crash(f"404 Not Found: version {call.named('version')} does not exist for {call.datastack.name} ")
    return [table.name for table in version.tables]


def tables_metadata(call: Call) -> Answer:
    """The metadata of all tables of a version."""
    faithful = call.service.rules.faithful
    return [metadata.table_info(call.datastack, table, faithful) for table in call.version.tables]


def table_metadata(call: Call) -> Answer:
    """The metadata of one table."""
    table = metadata.described_table(call.datastack, call.version, call.named("table"))
    return metadata.table_info(call.datastack, table, call.service.rules.faithful)


def count(call: Call) -> Answer:
    """The stored row count of a table."""
    return call.service.database.count(metadata.find_table(call.datastack, call.version, call.named("table")))


def unique_strings(call: Call) -> Answer:
    """The texts of a table: of the newest version that has it, as the real server reads its live database."""
    live = sorted(call.datastack.live_versions(), key=lambda version: version.version)
    found = [table for version in live if (table := version.table(call.named("table")))]
    if not found:
        raise Refused(404, f"No table named '{call.named('table')}' found in datastack '{call.datastack.name}'")
    return call.service.database.unique_strings(found[-1])


def views(call: Call) -> Answer:
    """The metadata of all views, by name."""
    return {view.name: metadata.view_info(call.datastack, view) for view in call.version.views}


def view_metadata(call: Call) -> Answer:
    """The metadata of one view."""
    view = metadata.find_view(call.datastack, call.version, call.named("view"))
    return {**metadata.view_info(call.datastack, view), "table_name": view.name}


def view_schema(call: Call) -> Answer:
    """The columns of one view."""
    return view_columns(metadata.find_view(call.datastack, call.version, call.named("view")))


def view_schemas(call: Call) -> Answer:
    """The columns of all views, by view."""
    return {view.name: view_columns(view) for view in call.version.views}


def schema_names(call: Call) -> Answer:
    """The names of the annotation schemas."""
    return list(call.service.tables())


def schemas(call: Call) -> Answer:
    """All annotation schemas, by name."""
    return {name: json_schema(table) for name, table in call.service.tables().items()}


def schema(call: Call) -> Answer:
    """One annotation schema."""
    table = call.service.tables().get(call.named("type"))
    if table is None:
        raise unknown_page()
    return json_schema(table)


def query_table(call: Call) -> Answer:
    """Rows of a table."""
    table = metadata.find_table(call.datastack, call.version, call.named("table"))
    return _query(call, table)


def query_view(call: Call) -> Answer:
    """Rows of a view."""
    return _query(call, metadata.find_view(call.datastack, call.version, call.named("view")))


def _query(call: Call, served: Served) -> Answer:
    service = call.service
    if call.request.path_params["api"] == 2 and service.rules.faithful:
        raise crash("'ipc_compress'")  # version 2 of the query is broken in this release
    body = parse(call.content, join=False)
    return answer(service.database, [service.database.source(served)], body, service.rules, call.request)


def query_join(call: Call) -> Answer:
    """Rows of two tables, joined."""
    service, version = call.service, call.version
    body = parse(call.content, join=True)
    tables = [metadata.find_table(call.datastack, version, name) for name, _ in body.tables]
    sources = join_sources(service.database, tables, body)
    return answer(service.database, sources, body, service.rules, call.request)
