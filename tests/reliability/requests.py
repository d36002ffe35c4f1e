"""Requests made by a grammar, good and hostile: each gets an answer in time, none an error that nobody meant.

    python -m tests.reliability.requests --requests 1000000 --seed S

A request is put together of the service's own routes, names and keys, and of what does not belong there. Faults
are an exception that the service did not expect, an answer that does not come, an answer that holds a file's
secret, and a file that was made or changed. Every hundredth request has a known answer, which must be right.
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.integration.test_service_behaviour import _datastack
from warehouse.serve import Running, serve

SECRET = "sesame-9e0d"
_PATIENCE_S = 20
VERSION = "/materialize/api/v3/datastack/brain/version/7"
TEXTS = (
    *(
        "cells",
        "types",
        "degrees",
        "gaps",
        "brain",
        "id",
        "valid",
        "pt_position",
        "pt_root_id",
        "cell_type",
        "volume",
    ),
    *(
        "",
        "x",
        "id) TO 'x",
        "'; COPY (SELECT 1) TO 'out.csv'; --",
        '"',
        "\\",
        "%",
        "%s",
        "..",
        "../secret.txt",
        "NULL",
    ),
    *(
        "read_text('secret.txt')",
        "secret.txt",
        "file://secret.txt",
        "é",
        "\u202e",
        "\x00",
        "\n",
        "a" * 300,
        "${jndi}",
    ),
    *("(a+)+$", "[", "1e99999999", "-1", "9" * 400, "nan", "Infinity", "true", "2020-01-01", "0x10", "1;2"),
)
NUMBERS = (0, 1, -1, 7, 2**31, 2**53 + 1, 2**63, -(2**63), 10**400, 0.5, 1e308, -0.0, 864691135000000004)
FLAGS = (
    *("return_pyarrow", "arrow_format", "split_positions", "direct_sql_pandas", "count", "ipc_compress", "merge"),
    *("random_sample", "expired", "middle_auth_token", "allow_missing_lookups"),
)
KEYS = (
    *("filter_in_dict", "filter_notin_dict", "filter_equal_dict", "filter_greater_dict", "filter_less_dict"),
    *("filter_greater_equal_dict", "filter_less_equal_dict", "filter_regex_dict", "filter_spatial_dict"),
    *(
        "select_columns",
        "select_column_map",
        "offset",
        "limit",
        "desired_resolution",
        "tables",
        "suffix_map",
        "other",
    ),
)
ROUTES = (
    *("/info/api/v2/datastacks", "/info/api/v2/datastack/full/{}", "/info/version", "/schema/api/v2/type"),
    *("/schema/api/v2/type/{}", "/schema/api/v2/types_all", "/materialize/version", "/materialize/api/versions"),
    "/materialize/api/v3/datastack/{}/versions",
    "/materialize/api/v3/datastack/{}/metadata",
    "/materialize/api/v{}/datastack/brain/version/{}",
    "/materialize/api/v3/datastack/brain/table/{}/unique_string_values",
    *(f"{VERSION}/{end}" for end in ("tables", "tables/metadata", "table/{}/metadata", "table/{}/count", "views")),
    *(f"{VERSION}/{end}" for end in ("views/schemas", "views/{}/metadata", "views/{}/schema")),
    *("/skeletoncache/api/versions", "/skeletoncache/api/v1/{}/bulk/get_cached_skeletons/{}/flatdict"),
    *("/sticky_auth/{}", "/{}", "/{}/{}"),
)
QUERIES = (
    f"{VERSION}/query",
    f"{VERSION}/table/cells/query",
    f"{VERSION}/table/{{}}/query",
    f"{VERSION}/views/{{}}/query",
)


class Grammar:
    """Draws requests."""

    def __init__(self, chance: random.Random, token: str) -> None:
        self._chance, self._token = chance, token

    def request(self) -> tuple[str, str, bytes, dict[str, str]]:
        """Method, path, body and headers."""
        chance = self._chance
        is_query = chance.random() < 0.6
        route = chance.choice(QUERIES if is_query else ROUTES)
        path = route.format(*(self._segment() for _ in range(route.count("{}"))))
        flags = chance.sample(FLAGS, chance.randrange(5))
        query = "&".join(
            f"{flag}={quote(chance.choice(('True', 'False', str(self._value(0)))))}" for flag in flags
        )
        right = "POST" if is_query else "GET"
        method = (
            right if chance.random() < 0.9 else chance.choice(("GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW"))
        )
        return method, f"{path}?{query}", self._body() if method != "GET" else b"", self._headers()

    def _segment(self) -> str:
        text = str(self._chance.choice((*TEXTS, *NUMBERS)))
        return quote(text, safe="" if self._chance.random() < 0.7 else "/.%")

    def _headers(self) -> dict[str, str]:
        chance, headers = self._chance, {}
        if chance.random() < 0.95:
            headers["Authorization"] = f"Bearer {self._token}"
        else:
            headers["Authorization"] = chance.choice(
                ("", "Bearer", "Bearer x", "Basic eA==", f"Bearer {self._token}x")
            )
        if chance.random() < 0.3:
            headers["Accept-Encoding"] = chance.choice(
                ("gzip", "zstd, lz4", "br", "*;q=0", "identity", "x" * 1000)
            )
        if chance.random() < 0.05:
            headers["X-Forwarded-Host"] = "evil.example"
        return headers

    def _body(self) -> bytes:
        chance = self._chance
        if chance.random() < 0.05:
            return chance.choice(
                (b"", b"{", b"[[" * 5000, b"\xff\x00", b"null", b'"x"', b"[NaN]", b"{" + b'"a":{' * 900)
            )
        body = {key: self._for(key) for key in chance.sample(KEYS, chance.randrange(4))}
        content = json.dumps(body).encode()
        if chance.random() < 0.05:
            place = chance.randrange(len(content))
            content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
        return content

    def _for(self, key: str) -> Any:
        """A value of a key: mostly of its kind."""
        chance = self._chance
        if chance.random() < 0.15:
            return self._value(3)
        if key.startswith("filter"):
            table = chance.choice(("cells", "types", "degrees", self._text()))
            column = chance.choice(
                ("id", "pt_root_id", "volume", "cell_type", "valid", "pt_position", self._text())
            )
            several = key in ("filter_in_dict", "filter_notin_dict")
            value = [self._value(0) for _ in range(chance.randrange(4))] if several else self._value(1)
            if key == "filter_spatial_dict":
                value = [[chance.choice(NUMBERS) for _ in "xyz"] for _ in "ab"]
            return {table: {column: value}}
        if key == "tables":
            return [
                [chance.choice(("cells", "types")), chance.choice(("id", "target_id", self._text()))] for _ in "ab"
            ]
        if key in ("suffix_map", "select_column_map"):
            return {chance.choice(("cells", "types")): self._value(1)}
        if key == "select_columns":
            return [
                chance.choice(("id", "pt_root_id", "volume", self._text())) for _ in range(chance.randrange(4))
            ]
        return [4, 4, chance.choice((40, 0, 1e300))] if key == "desired_resolution" else chance.choice(NUMBERS)

    def _text(self) -> str:
        return self._chance.choice(TEXTS)

    def _value(self, depth: int) -> Any:
        kinds: list[Callable[[], Any]] = [
            self._text,
            lambda: self._chance.choice(NUMBERS),
            lambda: None,
            lambda: True,
        ]
        if depth:
            kinds += [
                lambda: [self._value(depth - 1) for _ in range(3)],
                lambda: {self._text(): self._value(depth - 1)},
            ]
        return self._chance.choice(kinds)()


class _Unexpected(logging.Handler):
    """Keeps what the service logs of exceptions that it did not expect."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.seen.append(f"{record.getMessage()}: {type(error).__name__} {error}"[:300])


def campaign(running: Running, requests: int, seed: int, place: Path) -> tuple[Counter[int], list[str]]:
    """Send requests; how often each status came, and the faults."""
    unexpected = _Unexpected()
    logging.getLogger("warehouse.serve.app").addHandler(unexpected)
    logging.getLogger("warehouse.serve.app").propagate = False
    grammar = Grammar(random.Random(seed), running.token)
    before, statuses, faults = _files(place), Counter[int](), []
    for number in range(requests):
        method, path, body, headers = grammar.request()
        shown = f"request {number}: {method} {path[:200]} {body[:300]!r}"
        status, content = _sent(running.url, method, path, body, headers)
        if status == 0:
            faults.append(f"{shown}: no answer ({content.decode()})")
        if SECRET.encode() in content:
            faults.append(f"{shown}: a file's secret")
        statuses[status] += 1
        faults += [f"{shown}: {each}" for each in unexpected.seen]
        unexpected.seen.clear()
        running.requests.clear()
        if number % 100 == 0 and (found := _known(running)) != b"810":
            faults.append(f"after {shown}: a known question was answered with {found!r}")
        if number % 1000 == 0 and _files(place) != before:
            faults.append(f"until {shown}: files were made or changed")
    if _files(place) != before:
        faults.append("files were made or changed")
    return statuses, faults


def _known(running: Running) -> bytes:
    path = f"{VERSION}/table/cells/query?count=True&return_pyarrow=False"
    headers = {"Authorization": f"Bearer {running.token}", "Accept-Encoding": "identity"}
    _, content = _sent(running.url, "POST", path, b"{}", headers)
    return bytes(str(json.loads(content)[0]["count"]), "ascii")


def _sent(url: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and content; status 0 if no answer came."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE_S)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, f"{type(error).__name__} {error}".encode()
    finally:
        connection.close()


def _files(place: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in place.rglob("*")}


def main(words: Sequence[str] | None = None) -> int:
    """Run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder, serve(_datastack()) as running:
        place = Path(folder)
        (place / "secret.txt").write_text(SECRET)
        os.chdir(place)
        begin = time.monotonic()
        statuses, faults = campaign(running, given.requests, given.seed, place)
        took = time.monotonic() - begin
        os.chdir("/")
    print(*faults[:20], sep="\n")
    told = ", ".join(f"{status} {n:,} times" for status, n in sorted(statuses.items()))
    print(f"statuses: {told}; {took:.0f} s; seed {given.seed}")
    print(f"{given.requests:,} requests: faults {len(faults)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
