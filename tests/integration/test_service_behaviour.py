"""The service on constructed tables: correct by default, wrong like the real one when asked to be."""

import datetime as dt
import http.client
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

from warehouse.demo import faults
from warehouse.demo.faults import FaultyService, serve_with_faults
from warehouse.serve import ServedDatastack, ServedTable, ServedVersion, ServedView, columns_of
from warehouse.serve.gate import Fault

ROWS = 900
STANDARD = "return_pyarrow=True&arrow_format=True&split_positions=True&direct_sql_pandas=True"


def _cells() -> pa.Table:
    ids = list(range(1, ROWS + 1))
    return pa.table(
        {
            "id": pa.array(ids),
            "created": pa.array([dt.datetime(2024, 1, 1, 0, 0, 0, i) for i in ids], pa.timestamp("us")),
            "superceded_id": pa.array([None] * ROWS, pa.int64()),
            "valid": pa.array([i % 10 != 0 for i in ids]),
            "volume": pa.array([float("nan") if i == 1 else i + 1 / 3 for i in ids]),
            "pt_position_x": pa.array([i * 10 + 1 for i in ids], pa.int32()),
            "pt_position_y": pa.array(ids, pa.int32()),
            "pt_position_z": pa.array([None if i == 2 else i for i in ids], pa.int32()),
            "pt_supervoxel_id": pa.array([None if i == 3 else 10**17 + i for i in ids]),
            "pt_root_id": pa.array([None if i == 3 else 864691135000000000 + i for i in ids]),
        }
    )


def _types() -> pa.Table:
    ids = list(range(1, 101))
    return pa.table(
        {
            "id": pa.array([i + 5000 for i in ids]),
            "valid": pa.array([True] * 100),
            "target_id": pa.array(ids),
            "cell_type": pa.array(["BC" if i % 2 else "100%" for i in ids]),
        }
    )


def _datastack() -> ServedDatastack:
    cells, types = _cells(), _types()
    degrees = pa.table({"root_id": pa.array([1, 2, 3]), "degree": pa.array([0.1, 0.2, 0.3])})
    gaps = pa.table({"id": pa.array([1, 2]), "flag": pa.array([None, True]), "far": pa.array([None, 0.5])})
    return ServedDatastack(
        "brain",
        (
            ServedVersion(
                7,
                dt.datetime(2025, 1, 1),
                tables=(
                    ServedTable("cells", columns_of(cells.schema), cells, schema_type="nucleus_detection"),
                    ServedTable(
                        "types",
                        columns_of(types.schema),
                        types,
                        schema_type="cell_type_reference",
                        reference_table="cells",
                    ),
                ),
                views=(
                    ServedView("degrees", columns_of(degrees.schema), degrees, "how many"),
                    ServedView("gaps", columns_of(gaps.schema), gaps),
                ),
            ),
        ),
    )


@pytest.fixture(scope="module")
def right() -> Iterator[FaultyService]:
    with serve_with_faults(_datastack(), row_cap=500) as service:
        yield service


@pytest.fixture(scope="module")
def faithful() -> Iterator[FaultyService]:
    with serve_with_faults(_datastack(), row_cap=500, faithful=True) as service:
        yield service


@pytest.fixture(autouse=True)
def _without_faults(right: FaultyService) -> Iterator[None]:
    yield
    right.faults.clear()


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def table(self) -> pa.Table:
        assert self.status == 200, self.body
        return pa.ipc.open_stream(io.BytesIO(self.body)).read_all()

    def message(self) -> str:
        assert self.status == 500
        return str(json.loads(self.body)["message"])


def ask(
    service: FaultyService, path: str, body: Any = None, query: str = STANDARD, token: str | None = None
) -> Reply:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {token or service.token}"}
    if body is None:
        connection.request("GET", path, headers=headers)
    else:
        connection.request("POST", f"{path}?{query}", json.dumps(body), headers)
    try:
        return Reply(connection.getresponse())
    finally:
        connection.close()


VERSION = "/materialize/api/v3/datastack/brain/version/7"
CELLS = f"{VERSION}/table/cells/query"
TYPES = f"{VERSION}/table/types/query"
JOIN = {"tables": [["types", "target_id"], ["cells", "id"]], "suffix_map": {"types": "", "cells": "_ref"}}


def test_database_rows_become_wire_rows(right: FaultyService) -> None:
    table = ask(right, CELLS, {}).table()
    rows = {row["id"]: row for row in table.to_pylist()}
    assert len(rows) == 500  # cut by the cap
    assert not any(key % 10 == 0 for key in rows)  # invalid ones
    assert rows[1]["volume"] is None  # NaN
    assert rows[2]["volume"] == pa.scalar(2 + 1 / 3, pa.float32()).as_py()
    assert rows[2]["pt_position_z"] is None
    assert (rows[3]["pt_supervoxel_id"], rows[3]["pt_root_id"]) == (1, 1)  # no segmentation row
    assert rows[4]["pt_root_id"] == 864691135000000004


@pytest.mark.parametrize(("limit", "rows", "warned"), [(None, 500, True), (499, 499, True), (5000, 500, True)])
def test_a_reached_limit_warns(right: FaultyService, limit: int | None, rows: int, warned: bool) -> None:
    reply = ask(right, CELLS, {} if limit is None else {"limit": limit})
    assert reply.table().num_rows == rows
    assert (f'201 - "Limited query to {rows} rows' in reply.headers.get_all("Warning", [])) is warned


def test_fewer_rows_than_the_limit_do_not_warn(right: FaultyService) -> None:
    reply = ask(right, CELLS, {"filter_less_dict": {"cells": {"id": 100}}})
    assert reply.table().num_rows == 90
    assert reply.headers.get_all("Warning") is None


def _paged(service: FaultyService) -> list[int]:
    pages = [ask(service, CELLS, {"limit": 100, "offset": start}).table() for start in range(0, ROWS, 100)]
    return [key for page in pages for key in page["id"].to_pylist()]


def test_paging_by_offset_is_stable_only_where_it_is_right(right: FaultyService, faithful: FaultyService) -> None:
    assert _paged(right) == [key for key in range(1, ROWS + 1) if key % 10]
    pages = _paged(faithful)
    assert len(pages) == 810
    assert len(set(pages)) < 810


def test_the_same_query_gives_the_same_rows(faithful: FaultyService) -> None:
    assert ask(faithful, CELLS, {"limit": 50}).table() == ask(faithful, CELLS, {"limit": 50}).table()


def test_excluded_values_are_excluded_only_where_it_is_right(
    right: FaultyService, faithful: FaultyService
) -> None:
    body = {"filter_notin_dict": {"types": {"cell_type": ["BC"]}}}
    assert ask(right, TYPES, body).table().num_rows == 50
    assert ask(faithful, TYPES, body).table().num_rows == 100


def test_one_column_works_only_where_it_is_right(right: FaultyService, faithful: FaultyService) -> None:
    body = {"select_columns": ["cell_type"]}
    assert ask(right, TYPES, body).table().column_names == ["cell_type"]
    assert ask(faithful, TYPES, body).message() == "'String' object has no attribute 'cell_type'"
    degree = ask(faithful, f"{VERSION}/views/degrees/query", {"select_columns": ["root_id"]})
    assert degree.message() == "'BIGINT' object has no attribute 'root_id'"


def test_another_resolution_keeps_decimals_only_where_it_is_right(
    right: FaultyService, faithful: FaultyService
) -> None:
    body = {"desired_resolution": [1000, 1000, 1000], "filter_equal_dict": {"cells": {"id": 77}}}
    exact, cut = (ask(service, CELLS, body).table() for service in (right, faithful))
    assert exact["pt_position_x"].to_pylist() == [771 * 4 / 1000]
    assert cut["pt_position_x"].to_pylist() == [3]


def test_percent_signs_match_only_where_it_is_right(right: FaultyService, faithful: FaultyService) -> None:
    body = {"filter_in_dict": {"types": {"cell_type": ["100%"]}}}
    assert ask(right, TYPES, body).table().num_rows == 50
    assert ask(faithful, TYPES, body).table().num_rows == 0


def test_counts_of_a_join_are_counted_only_where_it_is_right(
    right: FaultyService, faithful: FaultyService
) -> None:
    path, query = f"{VERSION}/query", f"{STANDARD}&count=True"
    assert ask(right, path, JOIN, query).table().to_pylist() == [{"count": 90}]
    assert ask(faithful, path, JOIN, query).table().num_rows == 90


def test_a_plain_list_on_a_join_takes_the_first_table(right: FaultyService) -> None:
    body = {**JOIN, "select_columns": ["id", "id_ref", "cell_type", "pt_root_id"], "limit": 1}
    row = ask(right, f"{VERSION}/query", body).table().to_pylist()
    assert row == [
        {
            "id": 5001,
            "id_ref": 1,
            "cell_type": "BC",
            "pt_supervoxel_id": 10**17 + 1,
            "pt_root_id": 864691135000000001,
        }
    ]


def test_boxes_include_their_borders(right: FaultyService) -> None:
    body = {"filter_spatial_dict": {"cells": {"pt_position": [[11, 1, 1], [51, 5, 5]]}}}
    assert ask(right, CELLS, body).table()["id"].to_pylist() == [1, 3, 4, 5]  # 2 has no z


def test_texts_can_be_matched_by_pattern(right: FaultyService) -> None:
    body = {"filter_regex_dict": {"types": {"cell_type": "^1"}}}
    assert ask(right, TYPES, body).table().num_rows == 50


def test_samples_have_about_the_size_asked_for(right: FaultyService) -> None:
    table = ask(right, CELLS, {}, f"{STANDARD}&random_sample=200").table()
    assert 120 < table.num_rows < 290


def test_views_keep_double_precision(right: FaultyService) -> None:
    table = ask(right, f"{VERSION}/views/degrees/query", {}).table()
    assert table["degree"].to_pylist() == [0.1, 0.2, 0.3]
    assert json.loads(ask(right, f"{VERSION}/views").body)["degrees"]["description"] == "how many"
    assert json.loads(ask(right, f"{VERSION}/views/schemas").body) == {
        "degrees": {"root_id": {"type": "integer"}, "degree": {"type": "float"}},
        "gaps": {"id": {"type": "integer"}, "flag": {"type": "boolean"}, "far": {"type": "float"}},
    }


def test_views_are_typed_by_the_values_of_the_answer_only_on_the_real_server(
    right: FaultyService, faithful: FaultyService
) -> None:
    def kinds(service: FaultyService, body: dict[str, Any]) -> list[str]:
        schema = ask(service, f"{VERSION}/views/gaps/query", body).table().schema
        return [str(field.type) for field in schema]

    first = {"filter_in_dict": {"gaps": {"id": [1]}}}
    assert kinds(right, first) == kinds(right, {}) == kinds(faithful, {}) == ["int64", "bool", "double"]
    assert kinds(faithful, first) == ["int64", "string", "string"]


def test_a_text_column_without_any_text_is_text_if_there_are_rows(faithful: FaultyService) -> None:
    none = ask(faithful, TYPES, {"filter_in_dict": {"types": {"id": [-1]}}}).table()
    assert (none.num_rows, str(none.schema.field("cell_type").type)) == (0, "null")


def test_whole_seconds_lose_their_microseconds_only_on_the_real_server(
    right: FaultyService, faithful: FaultyService
) -> None:
    times = [json.loads(ask(service, VERSION).body)["time_stamp"] for service in (right, faithful)]
    assert times == ["2025-01-01T00:00:00.000000", "2025-01-01T00:00:00"]


def test_requests_are_logged(right: FaultyService) -> None:
    body = {"limit": 3}
    ask(right, CELLS, body)
    last = right.requests[-1]
    assert (last.method, last.path, last.query, last.body) == ("POST", CELLS, STANDARD, body)
    assert (last.status, last.rows) == (200, 3)


def test_requests_run_side_by_side(right: FaultyService) -> None:
    with ThreadPoolExecutor(4) as pool:
        bodies = [{"filter_equal_dict": {"cells": {"id": number}}} for number in range(1, 40) if number % 10]
        tables = list(pool.map(lambda body: ask(right, CELLS, body).table(), bodies))
    assert [table["id"].to_pylist() for table in tables] == [[n] for n in range(1, 40) if n % 10]


def test_an_unknown_token_is_refused(right: FaultyService) -> None:
    assert ask(right, VERSION, token="wrong").status == 401
    assert ask(right, "/materialize/version", token="wrong").status == 200


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (faults.unavailable(), 503, "503"),
        (faults.rate_limited(), 500, "429 Too Many Requests"),
        (faults.wrapped_not_found(), 500, "404 Not Found"),
        (faults.invalid_token(), 401, "invalid_token"),
        (faults.missing_permission(), 403, "missing_permission"),
        (faults.missing_terms(), 403, "tos_form_url"),
    ],
)
def test_a_fault_answers_instead_so_many_times(right: FaultyService, fault: Fault, status: int, text: str) -> None:
    right.faults.add("/query$", fault, times=2, skip=1)
    replies = [ask(right, CELLS, {"limit": 2}) for _ in range(4)]
    assert [reply.status for reply in replies] == [200, status, status, 200]
    assert text in replies[1].body.decode()
    assert ask(right, VERSION).status == 200


def test_a_connection_can_break_in_the_body(right: FaultyService) -> None:
    right.faults.add("/query$", faults.reset())
    with pytest.raises(http.client.IncompleteRead):
        ask(right, CELLS, {})


def test_a_stream_can_end_early(right: FaultyService) -> None:
    right.faults.add("/query$", faults.truncated())
    reply = ask(right, CELLS, {})
    with pytest.raises((OSError, pa.ArrowInvalid)):
        reply.table()


def test_rows_can_go_missing_silently(right: FaultyService) -> None:
    right.faults.add("/query$", faults.silently_capped(40))
    reply = ask(right, CELLS, {"limit": 100})
    assert reply.table().num_rows == 40
    assert reply.headers.get_all("Warning") is None


def test_a_count_can_be_wrong(right: FaultyService) -> None:
    path = "/materialize/api/v2/datastack/brain/version/7/table/cells/count"
    right.faults.add("/count$", faults.wrong_count(-3))
    assert [int(ask(right, path).body) for _ in range(2)] == [807, 810]


def test_timestamps_can_lack_microseconds(right: FaultyService) -> None:
    right.faults.add("version/7$", faults.without_microseconds())
    assert json.loads(ask(right, VERSION).body)["time_stamp"] == "2025-01-01T00:00:00"


def test_a_slow_answer_holds_up_no_other(right: FaultyService) -> None:
    right.faults.add("/query$", faults.delay(0.5))
    slow = threading.Thread(target=ask, args=(right, CELLS, {"limit": 1}))
    slow.start()
    assert ask(right, VERSION).status == 200
    assert slow.is_alive()
    slow.join()


def test_a_service_that_hangs_can_be_stopped() -> None:
    with serve_with_faults(_datastack()) as service:
        service.faults.add("/query$", faults.delay(600))
        hanging = threading.Thread(target=_ignore_the_end, args=(service,), daemon=True)
        hanging.start()
        while not service.faults.hits:
            hanging.join(0.01)
    hanging.join(5)
    assert not hanging.is_alive()


def _ignore_the_end(service: FaultyService) -> None:
    with suppress(OSError, http.client.HTTPException):
        ask(service, CELLS, {})
