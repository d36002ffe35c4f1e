"""Every macro, by one list: its sentence for wrong ids, answers of its own version, and in the stock shell."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import SmallWarehouse
from warehouse.catalog.build import build
from warehouse.catalog.macros import described_types, macro_types
from warehouse.catalog.views import View, load_views
from warehouse.registry.datastacks import MINNIE65

TAKES_IDS = {
    "input_synapses": ["{0}", "[{1}, {0}]"],
    "output_synapses": ["{0}", "[{1}, {0}]"],
    "synapses_between": ["{0}, {1}", "{1}, {0}"],
    "synapses_on_skeleton": [
        "{0}",
        "[{1}, {0}]",
        "{0}, side := 'input'",
        "{0}, side := 'output'",
        "{0}, side := 'in'",
        "{0}, side := 'out'",
    ],
    "input_partners": ["{0}", "[{1}, {0}]", "{0}, min_syn := 2"],
    "output_partners": ["{0}", "[{1}, {0}]", "{0}, min_syn := 2"],
    "partner_types": ["{0}", "{0}, side := 'input'", "{0}, side := 'in'", "{0}, side := 'out'", "[{1}, {0}]"],
    "common_inputs": ["{0}, {1}", "{1}, {0}", "{0}, {1}, segments := true"],
    "common_outputs": ["{0}, {1}", "{1}, {0}", "{0}, {1}, segments := true"],
    "connection_matrix": ["{0}, {1}", "{1}, {0}", "[{1}, {0}], [{1}]"],
    "paths_between": ["{0}, {1}", "{1}, {0}", "{1}, [{1}, {0}]", "{0}, {1}, max_hops := 5"],
    "neuroglancer_link": ["{0}", "[{1}, {0}]", "{0}, source := 'live'"],
    "root_of": ["{0}"],
    "nucleus_of": ["{0}"],
}
"""Macros that refuse a wrong id: calls, with the id in question and another cell's."""
LISTS_PROBLEMS = {"check_ids": ["{0}", "[{1}, {0}]"]}
TAKES_NO_IDS = {
    "cell_type_counts": ["", "rule := 'type_table'"],
    "type_connectivity": ["", "by := 'cell_class'"],
    "synapses_in_box": ["0, 0, 0, 9, 9, 9, unit := 'voxel'"],
    "depth_um": ["1, 2"],
    "lateral_um": ["1, 2, 3"],
    "distance_um": ["1, 2, 3"],
    "layer_of": ["100"],
    "to_nm": ["1, 2, 3"],
    "fold_deg": ["179, 1, 180"],
}
ALL = TAKES_IDS | LISTS_PROBLEMS | TAKES_NO_IDS
SAME_IN_ALL_VERSIONS = {"depth_um", "lateral_um", "distance_um", "layer_of", "to_nm", "fold_deg"}
MACROS = {view.name: view for view in load_views(MINNIE65).values() if view.is_macro and not view.hidden}
CELL, OTHER = 101, 102

PAIRS = {
    943: [(9, 20), (20, 9), (30, 9), (30, 20), (9, 30), (20, 30)],
    1718: [(10, 20), (20, 10), (30, 10), (30, 10), (30, 20), (10, 30), (10, 30), (20, 30)],
}
NUCLEI = {943: "101 | 9\n102 | 20\n103 | 30\n104 | 40", 1718: "101 | 10\n102 | 20\n103 | 30\n105 | 40\n106 | 60"}


@pytest.fixture(scope="module")
def two(small_module: SmallWarehouse) -> SmallWarehouse:
    """Two versions in which every macro answers something else for the same cells."""
    for version, pairs in PAIRS.items():
        roots = sorted({root for pair in pairs for root in pair})
        small_module.given(
            version,
            nucleus_detection_v0=f"id | pt_root_id\n{NUCLEI[version]}",
            aibs_metamodel_celltypes_v661="target_id | cell_type\n101 | 23P\n102 | BC"
            + "\n103 | BC" * (version == 943),
            proofreading_status_and_strategy="pt_root_id | valid_id | status_axon | strategy_axon\n"
            + "\n".join(f"{root} | {root} | true | axon_fully_extended" for root in roots),
            synapses_pni_2="pre_pt_root_id | post_pt_root_id | size\n"
            + "\n".join(f"{pre} | {post} | 5" for pre, post in pairs),
            skeleton_vertices="pt_root_id | vertex\n" + "\n".join(f"{root} | 0" for root in roots),
        )
    return small_module


def query(call: str) -> str:
    """All that a macro answers."""
    name = call.partition("(")[0]
    return f"SELECT {call}" if MACROS[name].is_scalar else f"SELECT * FROM {call} ORDER BY ALL"


def test_the_list_is_whole() -> None:
    assert set(ALL) == set(MACROS)
    of_ids = {name for name, view in MACROS.items() if re.search(r"\b(ids?|pre_ids|a, b)\b", view.signature or "")}
    assert of_ids == {*TAKES_IDS, *LISTS_PROBLEMS}


WRONG = {
    "9": "9 is not in v1718; it was in v943, and its nucleus 101 is on root 10 now",
    "104": "104 is not in v1718; it was in v943, and its nucleus 104 has no segment now",
    "4321": "4321 is not known: no root id or nucleus id of a local version",
    "0": "0 is no segment",
}


@pytest.fixture(scope="module")
def shell(two: SmallWarehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database as any DuckDB opens it, the default version being 943."""
    build(two.folder)
    with duckdb.connect(two.folder.database, read_only=True) as con:
        con.execute(f"SET GLOBAL file_search_path = '{two.folder.path}'")
        yield con


@pytest.mark.parametrize("name", TAKES_IDS)
def test_a_wrong_id_is_a_sentence_whatever_is_asked(shell: duckdb.DuckDBPyConnection, name: str) -> None:
    first, *others = (f"{name}({arguments})" for arguments in TAKES_IDS[name])
    stale, *wrong = WRONG
    ask_all = "SELECT {}" if MACROS[name].is_scalar else "SELECT count(*) FROM {}"
    asked = [(id, ask_all.format(first.format(id, OTHER))) for id in wrong]
    asked += [(stale, ask_all.format(call.format(stale, OTHER))) for call in (first, *others)]
    asked += [(stale, form.format(first.format(stale, OTHER))) for form in forms(MACROS[name])]
    shell.execute("USE v1718")
    for id, text in asked:
        with pytest.raises(duckdb.Error, match=WRONG[id]):
            shell.execute(text).fetchall()


def forms(macro: View) -> list[str]:
    """Questions that need nothing of the answer, or nothing of most of it."""
    if macro.is_scalar:
        return ["SELECT 1 WHERE {} IS NOT NULL", "SELECT count({})"]
    return [
        "SELECT 1 WHERE EXISTS (FROM {})",
        f"SELECT 1 FROM {{}} WHERE {macro.grain[0]}::VARCHAR = 'nothing' LIMIT 1",
        "SELECT 1 FROM cells SEMI JOIN (SELECT 1 AS one FROM {}) AS a ON a.one = is_single_soma::INTEGER",
    ]


def test_the_list_of_problems_says_the_same_sentences(shell: duckdb.DuckDBPyConnection) -> None:
    asked = f"SELECT id::VARCHAR, problem FROM v1718.check_ids([{', '.join(WRONG)}])"
    shell.execute("USE v943")
    found = dict(shell.execute(asked).fetchall())
    assert [id for id in WRONG if not re.search(WRONG[id], found[id])] == []


def test_the_types_on_record_are_those_of_the_results(shell: duckdb.DuckDBPyConnection) -> None:
    """If this fails, run `microns docs` and commit sql/macro_types.json."""
    assert described_types(shell, "v1718", load_views(MINNIE65)) == macro_types()
    shell.execute("USE main")
    columns = shell.execute(
        "SELECT name, \"column\", type FROM data_dictionary WHERE (kind, schema) = ('macro', 'main')"
    )
    recorded = [(name, *column) for name, columns in macro_types().items() for column in columns.items()]
    assert columns.fetchall() == recorded


@pytest.mark.parametrize("name", MACROS)
def test_a_macro_answers_for_its_own_version(shell: duckdb.DuckDBPyConnection, name: str) -> None:
    """By its schema, and after USE; whatever version is the default or in use."""
    call = f"{name}({ALL[name][0]})".format("40" if name == "nucleus_of" else CELL, OTHER)
    answers = {}
    for version, other in ((943, 1718), (1718, 943)):
        shell.execute(f"USE v{version}")
        answers[version] = shell.execute(query(call)).fetchall()
        shell.execute(f"USE v{other}")
        assert shell.execute(query(call).replace(call, f"v{version}.{call}")).fetchall() == answers[version]
    shell.execute("USE main")
    assert shell.execute(query(call)).fetchall() == answers[943]
    assert (answers[943] == answers[1718]) == (name in SAME_IN_ALL_VERSIONS)


@pytest.mark.usefixtures("shell")
def test_the_stock_shell_takes_every_macro(two: SmallWarehouse) -> None:
    program = shutil.which("duckdb", path=str(Path(sys.executable).parent)) or shutil.which("duckdb")
    if program is None:
        pytest.skip("the DuckDB shell is not installed (extra: shell)")
    asked = [query(f"{name}({text})".format(CELL, OTHER)) for name, texts in ALL.items() for text in texts]
    line = [program, "-readonly", "-bail", "-json", "microns.duckdb", "-c", ";".join(asked)]
    done = subprocess.run(line, cwd=two.folder.path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r"^\[", done.stdout, re.MULTILINE)) == len(asked)
