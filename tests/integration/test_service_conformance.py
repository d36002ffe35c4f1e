"""Replays recorded exchanges with a real server against the loopback service."""

import ast
import gzip
import http.client
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

# Exchanges that cannot be compared, by number, with the reason; none at present.
LEFT_OUT: dict[int, str] = {}
COMPARED = (
    "content-type",
    "content-encoding",
    "vary",
    "cache-control",
    "www-authenticate",
    "location",
    "warning",
    "dataframe_resolution",
)
UNBOUNDED = 10**9


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def content(self) -> bytes:
        return gzip.decompress(self.body) if self.all("content-encoding") else self.body

    def table(self) -> pa.Table:
        return pa.ipc.open_stream(io.BytesIO(self.content)).read_all()


def ask(url: str, exchange: dict[str, Any], body: str | None = None) -> Answer:
    """Send a recorded request again, header by header."""
    target = urlsplit(exchange["url"])
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    content = exchange["request_body"] if body is None else body
    path = f"{target.path}?{target.query}" if target.query else target.path
    connection.putrequest(exchange["method"], path, skip_accept_encoding=True)
    for name, value in exchange["request_headers"]:
        # This service is no other server's host, and refuses the pages of other sites.
        if name.lower() not in ("host", "origin", "content-length"):
            connection.putheader(name, value)
    connection.putheader("Content-Length", str(len((content or "").encode())))
    connection.endheaders((content or "").encode())
    response = connection.getresponse()
    answer = Answer(response.status, response.getheaders(), response.read())
    connection.close()
    return answer


def without_hosts(text: str) -> str:
    """Addresses differ; a login page is https on the real server."""
    return re.sub(r"https?(://|%3A//)127\.0\.0\.1(:|%3A)\d+", "HOST", text)


def differences(
    exchange: dict[str, Any], recorded: Answer, answer: Answer, whole: Callable[[], Answer]
) -> Iterator[str]:
    """Where an answer differs from the recorded one."""
    if answer.status != recorded.status:
        yield f"status {answer.status}, not {recorded.status}: {answer.body[:200]!r}"
        return
    for name in COMPARED:
        mine, theirs = ([without_hosts(v) for v in a.all(name)] for a in (answer, recorded))
        if sorted(mine) != sorted(theirs):
            yield f"{name}: {mine}, not {theirs}"
    names, expected = ([ast.literal_eval(v) for v in a.all("column_names")] for a in (answer, recorded))
    if names != expected:
        yield f"column_names: {names}, not {expected}"
    if "arrow" in exchange:
        yield from _frame_differences(exchange, recorded, answer, whole)
    else:
        yield from _text_differences(exchange, recorded, answer, whole)


def _records(records: list[dict[str, Any]]) -> set[tuple[tuple[str, Any], ...]]:
    return {tuple(sorted(record.items())) for record in records}


def _text_differences(
    exchange: dict[str, Any], recorded: Answer, answer: Answer, whole: Callable[[], Answer]
) -> Iterator[str]:
    if not recorded.body:
        return
    mine, theirs = (without_hosts(a.content.decode()) for a in (answer, recorded))
    if recorded.all("content-type") != ["application/json"]:
        if mine != theirs:
            yield f"page {mine!r}, not {theirs!r}"
        return
    mine, theirs = json.loads(mine), json.loads(theirs)
    if exchange["url"].endswith("types_all"):
        yield from _schema_differences(mine, theirs)
    elif exchange["url"].endswith("unique_string_values"):
        if {k: set(v) for k, v in mine.items()} != {k: set(v) for k, v in theirs.items()}:
            yield f"texts {mine}, not {theirs}"
    elif theirs == {"_truncated": True}:  # a database error whose text was left out of the recording
        if not mine["message"].startswith("Execution failed on sql 'SELECT "):
            yield f"message {mine['message']!r} does not repeat a statement"
    elif "Warning" in dict(recorded.headers):  # cut short by a limit
        if len(mine) != len(theirs):
            yield f"{len(mine)} records, not {len(theirs)}"
        everything = _records(json.loads(whole().content))
        for what, records in (("sent", mine), ("recorded", theirs)):
            if strange := _records(records) - everything:
                yield f"{what} records that the table does not have: {next(iter(strange))}"
    elif mine != theirs:
        yield f"body {mine}, not {theirs}"


def _schema_differences(mine: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """The real server lists every schema it knows; ours those of the tables that it has."""

    def shape(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema["$ref"].rpartition("/")[2]
        properties = schema["definitions"][name]["properties"]
        return {
            key: value.get("$ref") or value.get("format") or _main_type(value["type"])
            for key, value in properties.items()
        }

    for name, schema in mine.items():
        if shape(schema) != shape(theirs[name]):
            yield f"schema {name}: {shape(schema)}, not {shape(theirs[name])}"


def _main_type(type_: str | list[str]) -> str:
    return type_ if isinstance(type_, str) else type_[0]


def _pandas(table: pa.Table) -> dict[str, Any]:
    metadata = json.loads(table.schema.metadata[b"pandas"])
    columns = {column["name"]: {k: v for k, v in column.items() if k != "name"} for column in metadata["columns"]}
    return {"columns": columns, "index": metadata["index_columns"], "labels": metadata["column_indexes"]}


def _rows(table: pa.Table, names: list[str]) -> Counter[tuple[Any, ...]]:
    """Rows as a multiset; 64 bit floats come by way of decimal text and lose their last digit."""
    columns = []
    for name in names:
        values = table.column(name).to_pylist()
        wide = pa.types.is_float64(table.column(name).type)
        columns.append([None if v is None else float(f"{v:.12g}") for v in values] if wide else values)
    return Counter(zip(*columns, strict=True))


def _frame_differences(
    exchange: dict[str, Any], recorded: Answer, answer: Answer, whole: Callable[[], Answer]
) -> Iterator[str]:
    table = answer.table()
    summary = exchange["arrow"]
    fields = [(entry["name"], entry["type"]) for entry in summary["fields"]]
    mine = [(entry.name, str(entry.type)) for entry in table.schema]
    order_is_open = (
        "tables" in (exchange.get("request_json") or {}) and "select_column_map" not in exchange["request_json"]
    )
    if (sorted(mine), sorted(fields)) != (sorted(fields), sorted(mine)) or (not order_is_open and mine != fields):
        yield f"columns {mine}, not {fields}"
        return
    sampled = "random_sample" in exchange["url"]
    if table.num_rows != summary["n_rows"] and not sampled:
        yield f"{table.num_rows} rows, not {summary['n_rows']}"
        return
    if len(answer.table().to_batches()) > 1:
        yield "more than one record batch"
    dtypes = {c: [d["pandas_type"], d["numpy_type"]] for c, d in _pandas(table)["columns"].items()}
    if dtypes != summary["pandas_column_types"]:
        yield f"dtypes {dtypes}, not {summary['pandas_column_types']}"
    if not recorded.body:
        return
    theirs = recorded.table()
    if _pandas(table) != _pandas(theirs) and not sampled:
        yield f"pandas metadata {_pandas(table)}, not {_pandas(theirs)}"
    names = table.column_names
    rows, expected = _rows(table, names), _rows(theirs, names)
    if rows == expected:
        return
    if not (sampled or re.search("limit|offset", json.dumps(exchange.get("request_json")))):
        yield f"rows differ, for example {next(iter(expected - rows))} is missing"
        return
    everything = _rows(whole().table(), names)
    for what, some in (("sent", rows), ("recorded", expected)):
        if some - everything:
            yield f"{what} rows that the table does not have: {next(iter(some - everything))}"


def _whole(exchange: dict[str, Any]) -> str:
    request = {k: v for k, v in (exchange.get("request_json") or {}).items() if k not in ("limit", "offset")}
    return json.dumps(request)


def replay(recordings: Any, serve_recorded: Callable[..., Any]) -> dict[int, list[str]]:
    """All exchanges with their differences; an answer that was cut short is held against the whole."""
    found: dict[int, list[str]] = {}
    with serve_recorded(recordings) as service, serve_recorded(recordings, row_cap=UNBOUNDED) as unbounded:
        for exchange in recordings.exchanges:
            if exchange["n"] in LEFT_OUT:
                continue
            headers = [(name, value) for name, value in exchange["response_headers"]]
            recorded = Answer(exchange["status"], headers, recordings.body(exchange) or b"")

            def whole(exchange: dict[str, Any] = exchange, url: str = unbounded.url) -> Answer:
                unsampled = {**exchange, "url": re.sub("random_sample=[0-9]+&", "", exchange["url"])}
                return ask(url, unsampled, _whole(exchange))

            answer = ask(service.url, exchange)
            found[exchange["n"]] = list(differences(exchange, recorded, answer, whole))
    return found


def report(recordings: Any, found: dict[int, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    labels = {exchange["n"]: exchange["label"] for exchange in recordings.exchanges}
    failed = {n: found[n] for n in found if found[n]}
    scenarios = {labels[n] for n in found}
    broken = {labels[n] for n in failed}
    with capsys.disabled():
        print(
            f"\n{len(found) - len(failed)} of {len(found)} recorded exchanges agree, "
            f"{len(scenarios) - len(broken)} of {len(scenarios)} scenarios; left out: {LEFT_OUT or 'none'}"
        )
    assert not failed, "\n".join(f"{n} {labels[n]}: {line}" for n, lines in failed.items() for line in lines)


def test_bundled_exchanges_agree(bundled: Any, serve_recorded: Any, capsys: pytest.CaptureFixture[str]) -> None:
    report(bundled, replay(bundled, serve_recorded), capsys)


@pytest.mark.slow
def test_all_recorded_exchanges_agree(
    recorded: Any, serve_recorded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    report(recorded, replay(recorded, serve_recorded), capsys)
