"""Answers to queries: from a request and its sources to the bytes and headers that go out."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response

from warehouse.serve.body import Body
from warehouse.serve.columns import Rules, Source
from warehouse.serve.database import Database
from warehouse.serve.refused import crash
from warehouse.serve.served import Served, ServedTable, ServedView
from warehouse.serve.statement import Options, Statement, compile_query
from warehouse.serve.wire import arrow_stream, buffer_compression, encoded, json_records, mangled, typed

_UPGRADE = (
    "Response is in pyarrow IPC format. If you encounter a parsing error, please upgrade CAVEClient to "
    ">=5.9.0 with: pip install --upgrade caveclient. To suppress this warning, pass arrow_format=True "
    "in your query parameters."
)
_MANGLED = (
    "Query was executed using streaming via CSV, which can mangle types. Please upgrade to caveclient > "
    "8.0.0 to avoid type mangling. Because you may have been affected by mangled types, this change is "
    "breaking, but it should provide an improved experience."
)
_MANGLED_JOIN = (
    "Using non-pandas query execution is deprecated as it can mangle types, please upgrade caveclient to "
    ">=8.0.0 to use pandas for improved type handling."
)
DEFAULT_SUFFIXES = ("x", "y")


def _flag(request: Request, name: str, default: bool) -> bool:
    return request.query_params.get(name, str(default)).lower() in ("true", "1")


def join_sources(database: Database, tables: Sequence[Served], body: Body) -> list[Source]:
    """The two tables of a join; without suffixes their names are told apart by `x` and `y`."""
    if len(tables) != 2:
        raise crash(f"400 Bad Request: a join needs two tables, not {len(tables)}")
    for table, (name, key) in zip(tables, body.tables, strict=True):
        if key not in table.hidden and table.column(key) is None:
            raise crash(f"400 Bad Request: column {key} not found in {name}")
    suffixes = body.suffixes or {}
    return [
        database.source(table, position, suffixes.get(table.name, DEFAULT_SUFFIXES[position]), key)
        for position, (table, (_, key)) in enumerate(zip(tables, body.tables, strict=True))
    ]


def answer(database: Database, sources: Sequence[Source], body: Body, rules: Rules, request: Request) -> Response:
    """Run a query and encode its result the way the request asks for."""
    direct = _flag(request, "direct_sql_pandas", False)
    joined = len(sources) > 1
    counting = _flag(request, "count", False) and not (joined and rules.faithful)
    options = Options(counting, _sample(database, sources, request), wide=not direct)
    statement = compile_query(sources, body, rules, options)
    by_values = isinstance(sources[0].served, ServedView) and not counting
    rows = database.run(statement, request.scope.get("at_work"))
    table = typed(rows, statement.kinds, faithful=rules.faithful, by_values=by_values)
    request.scope["rows"] = table.num_rows
    nullable = direct and not counting
    if not direct:
        table = mangled(table)
    response = _encode(table, nullable, request)
    for warning in _warnings(sources, statement, table.num_rows, request):
        response.headers.append("Warning", warning.encode("latin-1", "replace").decode("latin-1"))
    for value in statement.resolution:
        response.headers.append("dataframe_resolution", str(float(value)))
    response.headers["column_names"] = repr(statement.column_names)
    return response


def _sample(database: Database, sources: Sequence[Source], request: Request) -> float | None:
    """The percentage of rows that makes about as many as were asked for."""
    wanted = request.query_params.get("random_sample")
    table = sources[0].served
    if wanted is None or not isinstance(table, ServedTable):
        return None
    if not re.fullmatch(r"\d{1,18}", wanted, re.ASCII):
        raise crash(f"400 Bad Request: random_sample is a number of rows, not {wanted[:50]}")
    return 100.0 * int(wanted) / max(database.count(table), 1)


def _warnings(sources: Sequence[Source], statement: Statement, rows: int, request: Request) -> list[str]:
    if _flag(request, "return_pyarrow", True) and not _flag(request, "arrow_format", False):
        return [_UPGRADE]  # set last on the real server, over all others
    found = [
        f"Table Owner Notice on {source.served.name}: {source.served.notice_text}".replace("\n", " ")
        for source in sources
        if source.served.notice_text
    ]
    if rows == statement.limit:
        found.append(f'201 - "Limited query to {rows} rows')
    if not _flag(request, "direct_sql_pandas", False):
        found.append(_MANGLED_JOIN if len(sources) > 1 else _MANGLED)
    return found


def _encode(table: pa.Table, nullable: bool, request: Request) -> Response:
    accepted = request.headers.get("accept-encoding", "")
    if not _flag(request, "return_pyarrow", True):
        content, headers = encoded(json_records(table), accepted)
        return Response(content, headers=headers, media_type="application/json")
    compression = buffer_compression(accepted) if _flag(request, "ipc_compress", True) else None
    content, headers = encoded(arrow_stream(table, nullable, compression), accepted)
    return Response(content, headers={**headers, "Content-Type": "data.arrow", "Cache-Control": "no-cache"})
