"""What a student meets: the shell with pasted examples, the doctor, and a bundle in a bare Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import copied
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.query.session import connect
from warehouse.storage.paths import Folder

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "sql" / "README.md"
LESSONS = README.parents[1] / "notebooks" / "README.md"
UTF8 = os.environ | {"PYTHONUTF8": "1"}
EVERY_VIEW = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
views = con.execute("SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal").fetchall()
for schema, name in views:
    try:
        con.execute(f'FROM {schema}."{name}"').fetchall()
    except duckdb.Error as error:
        assert "would be wrong" in str(error) or "needs the table" in str(error), (schema, name, error)
        print("refused", name)
print(duckdb.__version__, len(views), con.execute("SELECT count(*) FROM connections_proofread").fetchone()[0])
"""


@pytest.fixture(scope="module")
def root(synthetic: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volume that answers the examples of sql/README.md."""
    return copied(synthetic, tmp_path_factory.mktemp("class")).path.parent


@pytest.fixture(scope="module")
def bundle(root: Path) -> Path:
    out = root / "class.duckdb"
    make_bundle(Folder.of(root), None, Choice(proofread=True), out)
    return out


def microns(*arguments: str | Path, typed: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from warehouse.commands.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=typed, cwd=cwd)


def test_every_example_can_be_pasted_into_the_shell(root: Path, tmp_path: Path) -> None:
    """As it stands in sql/README.md, from any folder; it answers as Python does."""
    examples = re.findall(r"```sql\n(.*?)\n```", README.read_text("utf-8"), re.DOTALL)
    assert len(examples) > 25
    assert all(each.endswith(";") for each in examples), "the shell waits for a semicolon"
    pasted = "".join(f".print <{number}>\n{text}\n" for number, text in enumerate(examples))
    done = microns("shell", "--root", root, typed=f".mode csv\n.headers off\n{pasted}", cwd=tmp_path)
    answers = re.split(r"<\d+>\n", done.stdout)[1:]
    with connect(root=root) as warehouse:
        for text, answer in zip(examples, answers, strict=True):
            rows = warehouse.sql(text).fetchall()
            assert len(answer.splitlines()) >= len(rows), text
            if rows and type(rows[0][0]) is int:
                assert answer.startswith(str(rows[0][0])), text
    assert "Error" not in done.stderr
    greeting = done.stderr
    assert all(
        f"FROM {view} LIMIT 5;" in greeting for view in ("cells", "connections_proofread", "data_dictionary")
    )


def test_the_shell_changes_nothing(root: Path, bundle: Path) -> None:
    for arguments in ((bundle,), ("--root", root)):
        done = microns(
            "shell", *arguments, typed="CREATE TABLE main.mine AS SELECT 1;\nSELECT count(*) FROM cells;\n"
        )
        assert "read-only" in done.stderr
        assert "200" in done.stdout
    done = microns("shell", bundle, typed=".mode csv\nFROM nucleus_detection_v0 SELECT count(*) AS n;\n")
    assert done.stdout.split() == ["n", "200"], "CAVE's own names answer too"


def test_the_shell_on_nothing_is_a_sentence(tmp_path: Path) -> None:
    done = microns("shell", tmp_path / "none.duckdb")
    assert (done.returncode, done.stdout) == (4, "")
    assert "there is no file" in done.stderr


def test_the_doctor_says_what_works(root: Path, bundle: Path, tmp_path: Path) -> None:
    done = microns("doctor", bundle)
    assert done.returncode == 0, done.stdout
    found = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}
    assert found["duckdb"] == found["polars"] == found["python"] == found["data"] == "ok"
    assert {"memory", "disk", "duckdb_cli"} <= set(found)
    assert "200 nuclei" in microns("doctor", "--root", root).stdout
    nothing = microns("doctor", "--root", tmp_path)
    assert nothing.returncode == 0
    assert "note  data        none at" in nothing.stdout
    (tmp_path / "broken.duckdb").write_text("no database")
    broken = microns("doctor", tmp_path / "broken.duckdb")
    assert broken.returncode == 1
    assert "FAIL  data" in broken.stdout


@pytest.mark.parametrize("wanted", ["duckdb", "duckdb==1.2.0"])
def test_a_bundle_needs_nothing_but_duckdb(bundle: Path, tmp_path: Path, wanted: str) -> None:
    """The newest and the oldest DuckDB that open it, in an environment with nothing else."""
    if wanted.endswith("1.2.0") and sys.version_info >= (3, 14):
        pytest.skip("this Python is younger than DuckDB 1.2.0")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "bare"], check=True)
    python = next(path for path in (tmp_path / "bare").glob("*/python*") if path.stem == "python")
    unpinned = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True, env=unpinned)
    (snippet,) = set(re.findall(r'python -c "(import duckdb; .*)"', LESSONS.read_text("utf-8")))
    shown = subprocess.run([python, "-c", snippet], cwd=bundle.parent, capture_output=True, text=True, env=UTF8)
    assert "nucleus_id" in shown.stdout, shown.stderr
    done = subprocess.run([python, "-c", EVERY_VIEW, bundle], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    refused = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("refused")}
    assert {"ei_balance", "synapses_pni_2_in_out_degree"} <= refused
    assert not refused & {"cells", "in_out_degree", "connections_proofread", "cell_type_connectivity"}
    version, n_views, n_pairs = done.stdout.splitlines()[-1].split()
    assert wanted in (f"duckdb=={version}", "duckdb")
    assert int(n_views) > 100
    assert int(n_pairs) > 0
