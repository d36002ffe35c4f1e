"""The real client against the service: what it returns is what it returned from a real server."""

import ast
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow

caveclient = pytest.importorskip("caveclient", reason="the client comes with the extra 'ingest'")

ND, SYN, CT = "nucleus_detection_v0", "synapses_pni_2", "aibs_metamodel_celltypes_v661"
CO, DT, AR = (
    "coregistration_manual_v4",
    "digital_twin_properties_bcm_coreg_v4",
    "nucleus_functional_area_assignment",
)
PF, PR = "proofreading_status_and_strategy", "proofreading_status_public_release"
ROOT = 864691136961298655
BOX = [[150000, 150000, 15000], [250000, 200000, 25000]]

Scenario = Callable[[Any], Any]
QUERIES: dict[str, Scenario] = {
    f"03-query_table-plain-{CT}": lambda m: m.query_table(CT),
    f"03-query_table-split-{CT}": lambda m: m.query_table(CT, split_positions=True),
    f"03-query_table-noref-{CT}": lambda m: m.query_table(CT, merge_reference=False),
    f"03-query_table-plain-{PR}": lambda m: m.query_table(PR),
    f"03-query_table-plain-{CO}": lambda m: m.query_table(CO),
    f"03-query_table-noref-{DT}": lambda m: m.query_table(DT, merge_reference=False),
    f"03-query_table-plain-{AR}": lambda m: m.query_table(AR),
    f"03-query_table-res1-split-{ND}": lambda m: m.query_table(
        ND, desired_resolution=[1, 1, 1], split_positions=True
    ),
    "03-greater-vol": lambda m: m.query_table(ND, filter_greater_dict={"volume": 400}),
    "03-less-vol": lambda m: m.query_table(ND, filter_less_dict={"volume": 100}),
    "03-equal-strategy-PF": lambda m: m.query_table(PF, filter_in_dict={"strategy_axon": ["axon_fully_extended"]}),
    "03-equal-none": lambda m: m.query_table(CO, filter_equal_dict={"residual": None}),
    "03-in-nomatch-CT": lambda m: m.query_table(CT, filter_in_dict={"cell_type": ["zzz"]}),
    "03-in-quote": lambda m: m.query_table(CT, filter_in_dict={"cell_type": ["it's", "5P-IT", "%x%"]}),
    "03-out-CT": lambda m: m.query_table(CT, filter_out_dict={"cell_type": ["BC"]}),
    "03-spatial": lambda m: m.query_table(ND, filter_spatial_dict={"pt_position": BOX}),
    "03-select-map-ref-CT": lambda m: m.query_table(
        CT, select_columns={CT: ["id", "cell_type"], ND: ["id", "pt_root_id", "pt_position"]}
    ),
    "03-get_counts": lambda m: m.query_table(ND, get_counts=True),
    "05-syn-pre-one": lambda m: m.synapse_query(pre_ids=ROOT),
    "05-syn-nozeros": lambda m: m.synapse_query(pre_ids=ROOT, include_zeros=False),
    "05-syn-bbox-pre": lambda m: m.synapse_query(
        bounding_box=[[200000, 150000, 18000], [210000, 160000, 22000]], bounding_box_column="pre_pt_position"
    ),
    "06-tables-PF-bool": lambda m: m.tables.proofreading_status_and_strategy(status_axon=True).query(),
    "06-tables-CT-select": lambda m: m.tables.aibs_metamodel_celltypes_v661(cell_type=["BC", "MC"]).query(
        select_columns={CT: ["cell_type"], ND: ["id", "pt_root_id"]}
    ),
    "06-tables-DT": lambda m: m.tables.digital_twin_properties_bcm_coreg_v4(cc_abs={">=": 0.5, "<": 0.6}).query(),
}
TOLD: dict[str, Scenario] = {
    "01-get_versions": lambda m: m.get_versions(),
    "01-get_versions-expired": lambda m: m.get_versions(expired=True),
    "01-most_recent_version": lambda m: int(m.most_recent_version()),
    "01-get_versions_metadata": lambda m: m.get_versions_metadata(),
    "01-get_version_metadata-1181": lambda m: m.get_version_metadata(1181),
    "02-get_tables-1300": lambda m: m.get_tables(),
    "02-get_tables_metadata-1300": lambda m: m.get_tables_metadata(),
    f"02-get_table_metadata-{ND}": lambda m: m.get_table_metadata(ND),
    f"02-get_annotation_count-{CT}": lambda m: m.get_annotation_count(CT),
    "02-get_views-1300": lambda m: m.get_views(),
}
REFUSED: dict[str, Scenario] = {
    "01-get_version_metadata-99": lambda m: m.get_version_metadata(99),
    "02-get_tables-99": lambda m: m.get_tables(version=99),
    "02-get_table_metadata-badtable": lambda m: m.get_table_metadata("no_such_table"),
    "02-get_annotation_count-badtable": lambda m: m.get_annotation_count("no_such_table"),
    "03-select-badcol": lambda m: m.query_table(ND, select_columns=["id", "nope"]),
    "03-select-dup": lambda m: m.query_table(ND, select_columns=["id", "id"], limit=3),
    "03-in-scalar": lambda m: m.query_table(ND, filter_in_dict={"id": 499085}),
    "03-in-badcol": lambda m: m.query_table(ND, filter_in_dict={"nope": [1]}),
    "03-spatial-inverted": lambda m: m.query_table(
        ND, filter_spatial_dict={"pt_position": [[250000, 150000, 15000], [150000, 200000, 25000]]}
    ),
}


@pytest.fixture(scope="module")
def expected(shared_dir: Any) -> dict[str, Any]:
    results = json.loads((shared_dir / "cave-recordings" / "client_results.json").read_text())
    return {result["label"]: result for result in results}


@pytest.fixture(scope="module")
def materialize(recorded: Any, serve_recorded: Any) -> Iterator[Any]:
    with serve_recorded(recorded) as service:
        client = caveclient.CAVEclient(
            "minnie65_public",
            server_address=service.url,
            auth_token=service.token,
            version=1300,
            write_server_cache=False,
        )
        yield client.materialize


def _attributes(attributes: Any) -> dict[str, Any]:
    """A frame's attributes; the order of a join's tables is open."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(attributes), default=str))
    return plain | {"column_names": ast.literal_eval(plain["column_names"])}


def _cells(frame: Any) -> list[dict[str, Any]]:
    text = frame.to_json(orient="records", date_format="iso", date_unit="us", double_precision=10)
    return json.loads(text)  # type: ignore[no-any-return]


@pytest.mark.parametrize("label", QUERIES)
def test_frames_are_those_of_the_real_server(label: str, materialize: Any, expected: dict[str, Any]) -> None:
    frame = QUERIES[label](materialize)
    result = expected[label]["result"]
    assert len(frame) == result["rows"]
    assert {name: dtype.name for name, dtype in frame.dtypes.items()} == result["dtypes"]
    records = {json.dumps(record, sort_keys=True) for record in _cells(frame)}
    for row in result["head"]:
        assert json.dumps(row, sort_keys=True) in records
    if "attrs" in result:
        assert _attributes(frame.attrs) == _attributes(result["attrs"])


@pytest.mark.parametrize("label", TOLD)
def test_answers_are_those_of_the_real_server(label: str, materialize: Any, expected: dict[str, Any]) -> None:
    assert json.loads(json.dumps(TOLD[label](materialize), default=str)) == expected[label]["result"]["value"]


@pytest.mark.parametrize("label", REFUSED)
def test_errors_are_those_of_the_real_server(label: str, materialize: Any, expected: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="Error") as raised:
        REFUSED[label](materialize)
    assert type(raised.value).__name__ == expected[label]["exception"]
    assert _sentence(raised.value) == _sentence(expected[label]["message"])


def _sentence(message: Any) -> str:
    """What an error says before it repeats the body; the address and the case of a reason phrase are free."""
    return re.sub(r"127\.0\.0\.1:\d+", "", re.split(" content:", str(message))[0]).lower()


def test_a_capped_query_only_logs(materialize: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "caveclient.base"):
        frame = materialize.query_table(ND, limit=10, metadata=False)
    assert len(frame) == 10
    assert '201 - "Limited query to 10 rows' in caplog.text
