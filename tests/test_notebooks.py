"""Lessons: stripped of outputs, importing only what the README installs, running from top to bottom offline."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import nbformat
import pytest
from packaging.requirements import Requirement

from warehouse.bundle import make_bundle
from warehouse.choice import Choice
from warehouse.local_demo import write_volume
from warehouse.synthetic import synthesize

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if not path.stem.endswith("_solutions")]
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.reads(path.read_text("utf-8"), as_version=4)  # type: ignore[no-untyped-call]


def code(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def text(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


@every_notebook
def test_a_notebook_is_stripped(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(path))
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)


@every_notebook
def test_one_variable_names_the_data(path: Path) -> None:
    tagged = [cell for cell in code(path) if "parameters" in cell.metadata.get("tags", [])]
    assert [cell.source.split("  #")[0] for cell in tagged] == ["DATA = None"]


@every_notebook
def test_a_notebook_imports_only_what_the_readme_installs(path: Path) -> None:
    trees = [ast.parse(cell.source) for cell in code(path)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {name.split(".")[0] for name in imported} - sys.stdlib_module_names - {"warehouse"}
    installed = {name for name, found in packages_distributions().items() if wanted() & {*map(normal, found)}}
    assert foreign <= installed


def wanted() -> set[str]:
    """The distributions that the README's line names, `.[all]`."""
    assert "pip install -q '.[all]'" in (ROOT / "README.md").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    (all_of_it,) = extras["all"]
    chosen = Requirement(all_of_it).extras
    lines = [*project["dependencies"], *(line for extra in chosen for line in extras[extra])]
    return {normal(Requirement(line).name) for line in lines}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_lessons_are_numbered_and_two_belong_to_the_one_session_path() -> None:
    assert [path.stem[:2] for path in LESSONS] == [f"{number:02}" for number in range(9)]
    lessons = LESSONS[1:]
    assert all("45 minutes" in text(path) for path in lessons)
    assert [path.stem[:2] for path in lessons if "**One-session path" in text(path)] == ["01", "03"]


@pytest.mark.parametrize("path", LESSONS[1:], ids=lambda path: path.stem)
def test_every_exercise_has_a_solution(path: Path) -> None:
    solutions = path.with_name(f"{path.stem}_solutions.ipynb")
    exercises = re.findall(r"^### Exercise \d+\n\n(.*)", text(path), re.MULTILINE)
    assert len(exercises) >= 3
    assert re.findall(r"^### Exercise \d+\n\n(.*)", text(solutions), re.MULTILINE) == exercises
    assert "# Your answer" in [cell.source for cell in code(path)]
    assert "# Your answer" not in [cell.source for cell in code(solutions)]


def alone() -> list[str]:
    """What starts a program without any network but this machine's own, where the system allows it."""
    start = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    usable = all(map(shutil.which, ("unshare", "ip"))) and not subprocess.run([*start, "true"]).returncode
    return start if usable else []


def run(path: Path, folder: Path, data: str | None = None) -> list[Any]:
    """The outputs of a notebook, executed from top to bottom in an empty folder."""
    notebook = read(path)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = f"DATA = {data!r}"
    copy = folder / path.name
    copy.write_text(nbformat.writes(notebook), "utf-8")  # type: ignore[no-untyped-call]
    # In a process of its own, as a reader runs it: the client's sockets are closed when that ends.
    execute = [sys.executable, "-c", "from nbclient.cli import main; main()"]
    command = [*alone(), *execute, "--inplace", "--timeout=280", str(copy)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [output for cell in read(copy).cells if cell.cell_type == "code" for output in cell.outputs]


def refuse_warnings(outputs: list[Any]) -> None:
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_on_a_synthetic_volume(path: Path, tmp_path: Path) -> None:
    outputs = run(path, tmp_path)
    refuse_warnings(outputs)
    assert [output for output in outputs if "image/png" in output.get("data", {})]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of proofread axons: what a class gets."""
    root = tmp_path_factory.mktemp("lessons")
    folder = write_volume(synthesize(cells=1500), str(root))
    make_bundle(folder, None, Choice(proofread=True), root / "class.duckdb")
    return root / "class.duckdb"


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [path for path in NOTEBOOKS if path not in LESSONS or path.stem[:2] in {"00", "03", "04"}],
    ids=lambda path: path.stem,
)
def test_solutions_and_lessons_that_ask_for_inputs_run_on_a_bundle(
    path: Path, bundle: Path, tmp_path: Path
) -> None:
    refuse_warnings(run(path, tmp_path, str(bundle)))
