"""Requests of somebody who means no good: none writes, none hangs, none decides what others are told."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

from tests.integration.test_service_behaviour import CELLS, JOIN, STANDARD, VERSION, _datastack
from warehouse.demo.bucket import serve_bucket
from warehouse.serve import (
    Running,
    ServedDatastack,
    ServedVersion,
    ServedView,
    columns_of,
    database,
    serve,
)

EVIL = 'id) TO "x'


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with serve(_datastack()) as running:
        yield running


def send(
    url: str, method: str, path: str, content: bytes | str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """A request to a service, and what comes back."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def asked(service: Running, path: str, body: Any, query: str = STANDARD, **headers: str) -> tuple[int, str]:
    """A query with the right token: its status, and what it says."""
    content = body if isinstance(body, str) else json.dumps(body)
    status, _, answer = send(
        service.url, "POST", f"{path}?{query}", content, Authorization=f"Bearer {service.token}", **headers
    )
    return status, answer.decode("latin-1")


JOINS = (
    {"tables": [["types", EVIL], ["cells", "id"]]},
    {"tables": [["types", "target_id"], ["cells", f"id; COPY (SELECT 1) TO '{EVIL}'"]]},
    {"tables": [["types", "nowhere"], ["cells", "id"]]},
    {"tables": [["types"], ["cells", "id"]]},
    {"tables": [["types", 1], ["cells", "id"]]},
    {"tables": "types"},
    {"tables": {"types": "id"}},
    {**JOIN, "suffix_map": {"types": ['"'], "cells": 1}},
)


@pytest.mark.parametrize("number", range(len(JOINS)))
def test_a_join_takes_columns_of_its_tables_only(service: Running, number: int) -> None:
    status, said = asked(service, f"{VERSION}/query", JOINS[number])
    assert status == 500
    assert "Execution failed" not in said  # nothing of it became SQL


BODIES = (
    {"filter_greater_dict": {"cells": {"id": "1e99999999"}}},
    {"filter_equal_dict": {"cells": {"id": "-1E+99999999"}}},
    {"filter_in_dict": {"cells": {"id": ["1e99999999", 1]}}},
    {"filter_less_dict": {"cells": {"volume": "1e99999999"}}},
    {"filter_equal_dict": {"cells": {"id": "sNaN"}}},
    {"filter_equal_dict": {"cells": {"id": "Infinity"}}},
    {"filter_equal_dict": {"cells": {EVIL: 1}}},
    {"filter_spatial_dict": {"cells": {"pt_position": 1}}},
    {"filter_spatial_dict": {"cells": {"pt_position": [[0, 0, 0]]}}},
    {"filter_spatial_dict": {"cells": {"pt_position": [["0", 0, 0], [1, 1, 1]]}}},
    {"filter_spatial_dict": {"cells": {"pt_position": [[0, 0, 0], [1, 1, 1e300]]}}},
    {"select_columns": [EVIL]},
    {"select_columns": [["id"]]},
    {"select_columns": [1, None]},
    {"select_column_map": {"cells": "id"}},
    {"select_column_map": {"cells": [EVIL]}},
    {"desired_resolution": [0, 0, 0]},
    {"desired_resolution": ["4", "4", "40"]},
    {"desired_resolution": [1e308, 1e-308, 1]},
    {"offset": 1e308},
    {"limit": 10**400},
    {"limit": "1; DROP"},
    '{"offset": Infinity}',
    '{"desired_resolution": [NaN, 1, 1]}',
    "[" * 100_000,
    "\x00",
    "",
    "null",
)


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_a_strange_query_gets_a_sentence_at_once(service: Running, number: int) -> None:
    body = BODIES[number]
    begin = time.monotonic()
    status, said = asked(service, CELLS, body)
    assert status == 500
    assert json.loads(said).keys() & {"message", "schema_errors"}
    assert "Traceback" not in said
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("sample", ["", "-1", "1e9", "nan", "9" * 5000, "1;", "%D9%A1"])
def test_a_sample_is_a_number_of_rows(service: Running, sample: str) -> None:
    status, said = asked(service, CELLS, {}, f"{STANDARD}&random_sample={sample}")
    assert (status, "random_sample is a number of rows" in said) == (500, True)


def test_nobody_else_decides_the_address_that_clients_are_told(service: Running) -> None:
    status, _, answer = send(service.url, "GET", "/info/api/v2/datastack/full/brain", Host="evil.example")
    assert status == 421
    assert service.url in answer.decode()
    for host in (urlsplit(service.url).netloc, f"localhost:{urlsplit(service.url).port}"):
        status, _, answer = send(service.url, "GET", "/info/api/v2/datastack/full/brain", Host=host)
        assert (status, json.loads(answer)["local_server"]) == (200, service.url)
    forwarded = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    status, headers, _ = send(service.url, "GET", f"{VERSION}/tables", **forwarded)
    assert (status, urlsplit(headers["location"]).netloc) == (302, urlsplit(service.url).netloc)


def test_pages_of_other_sites_get_nothing(service: Running) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert asked(service, CELLS, {}, Origin=origin)[0] == 403
    status, headers, _ = send(service.url, "GET", "/info/api/v2/datastacks", Origin=service.url)
    assert status == 200
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_token_is_the_whole_token(service: Running) -> None:
    for token in ("", service.token[:-1], service.token + "0", service.token.upper(), "é" * 8):
        status, _, _ = send(service.url, "GET", f"{VERSION}/tables", Authorization=f"Bearer {token}".encode())  # type: ignore[arg-type]
        assert status == 401, token


def test_a_request_has_an_end(service: Running) -> None:
    status, said = asked(service, CELLS, " " * 64_000_001)
    assert (status, "a request may have 64,000,000 bytes" in said) == (413, True)
    assert asked(service, CELLS, {"limit": 1})[0] == 200


@pytest.fixture
def slow() -> Iterator[Running]:
    """A service with a view that takes minutes."""
    columns = columns_of(pa.schema([("id", pa.int64())]))
    rows = "(SELECT range AS id FROM range(300000000000) WHERE hash(range) = 7)"
    version = ServedVersion(7, dt.datetime(2025, 1, 1), (), views=(ServedView("slow", columns, rows),))
    with serve(ServedDatastack("brain", (version,))) as running:
        yield running


def test_a_query_ends_when_its_time_is_up(slow: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SECONDS", 0.5)
    status, said = asked(slow, f"{VERSION}/views/slow/query", {})
    assert (status, "the query took longer than 0.5 s" in said) == (500, True)


def test_a_query_ends_when_its_client_leaves(slow: Running) -> None:
    connection = http.client.HTTPConnection(urlsplit(slow.url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {slow.token}"}
    connection.request("POST", f"{VERSION}/views/slow/query?{STANDARD}", "{}", headers)
    time.sleep(0.5)
    assert slow.requests == []
    connection.close()
    begin = time.monotonic()
    while not slow.requests and time.monotonic() - begin < 20:
        time.sleep(0.05)
    assert [request.status for request in slow.requests] == [500]


@pytest.mark.parametrize("name", ["/%2f..", "/..%2f..", "/%2fetc", "/b/..%2f..", "//etc", "/b%00"])
def test_a_bucket_lists_and_gives_its_own_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "served" / "b").mkdir(parents=True)
    (tmp_path / "served" / "b" / "mine.txt").write_text("mine")
    (tmp_path / "secret.txt").write_text("secret")
    with serve_bucket(tmp_path / "served") as bucket:
        for path in (f"{name}?list-type=2", f"{name}/secret.txt", f"{name}%2fpasswd"):
            status, _, answer = send(bucket.url, "GET", path)
            assert status == 404, path
            assert b"secret.txt" not in answer
        status, _, answer = send(bucket.url, "GET", "/b?list-type=2")
        assert (status, b"<Key>mine.txt</Key>" in answer) == (200, True)
