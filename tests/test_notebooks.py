"""Lessons: stripped of outputs, importing only what the README installs, running from top to bottom offline."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from importlib.metadata import packages_distributions
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
import pytest
from packaging.requirements import Requirement

from tests.conftest import once
from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.query.session import connect
from warehouse.storage.paths import Folder

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


def without_network() -> list[str]:
    """What starts a program without any network but this machine's own, where the system allows it."""
    start = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    usable = all(map(shutil.which, ("unshare", "ip"))) and not subprocess.run([*start, "true"]).returncode
    return start if usable else []


def run(parts: Sequence[tuple[Path, str | None]], folder: Path) -> list[list[Any]]:
    """The code cells of notebooks, each with its data, executed one after the other from an empty namespace.

    In one kernel, because to start it costs more than most notebooks; in an empty folder; as a reader runs it.
    """
    notebook = read(parts[0][0])
    notebook.cells = []
    lengths: list[int] = []
    for path, data in parts:
        cells = [deepcopy(cell) for cell in code(path)]
        for number, cell in enumerate(cells):
            cell.id = f"{len(lengths)}-{number}"
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = f"DATA = {data!r}"
        lengths.append(len(cells))
        reset = nbformat.v4.new_code_cell("%reset -f", id=f"{len(lengths)}-reset")  # type: ignore[no-untyped-call]
        notebook.cells += [*cells, reset]
    copy = folder / "parts.ipynb"
    copy.write_text(nbformat.writes(notebook), "utf-8")  # type: ignore[no-untyped-call]
    # In a process of its own: the kernel's sockets are closed when that ends.
    execute = [sys.executable, "-c", "from nbclient.cli import main; main()"]
    command = [*without_network(), *execute, "--inplace", "--timeout=280", str(copy)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = iter(read(copy).cells)
    return [list(islice(cells, length + 1))[:-1] for length in lengths]


PART = r"not all synapses are in this scan\. Synapses: .* \(scope proofread\+cells\)\.\n"


def refuse_warnings(cells: list[Any]) -> None:
    """Nothing is warned of, but that a scan of a bundle is a part, which a student must read."""
    said = [output.text for cell in cells for output in cell.outputs if output.get("name") == "stderr"]
    assert [text for text in said if not re.fullmatch(PART, text)] == []


def require_figures(cells: list[Any]) -> None:
    """Every cell that draws shows a figure: nothing that the demo has was refused."""
    drawing = [cell for cell in cells if re.search(r"\bplots\.(?!use\b)\w+\(", cell.source)]
    shown = [
        cell for cell in drawing if "image/png" in str([list(output.get("data", {})) for output in cell.outputs])
    ]
    # A figure of one cell may be shown by the next one.
    assert [cell.source for cell in drawing] == [cell.source for cell in shown]


@pytest.fixture(scope="module")
def bundle(demo: Path, of_all_workers: Path) -> Path:
    """A class's file made of the demo."""

    def make(folder: Path) -> None:
        folder.mkdir()
        source = Folder.of(demo)
        choice = Choice(proofread=True, ids=(cell_of_the_class(source),))
        make_bundle(source, None, choice, folder / "class.duckdb")

    return once(of_all_workers / "class", make) / "class.duckdb"


def cell_of_the_class(folder: Folder) -> int:
    """A proofread cell, as an instructor names one for lesson 03."""
    with connect(root=folder.path.parent) as warehouse:
        found = warehouse.sql(
            "SELECT min(pre_nucleus_id) FROM connections_proofread WHERE pre_is_current"
        ).fetchall()
    return int(found[0][0])


@pytest.mark.slow
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_notebooks_run_on_a_synthetic_volume_and_on_a_bundle(
    path: Path, demo: Path, bundle: Path, tmp_path: Path
) -> None:
    """On the demo, though some lessons make more cells for themselves; the first one makes its own."""
    solutions = path.with_name(f"{path.stem}_solutions.ipynb")
    if path.stem == "00_workshop":
        parts = [(path, None), (path, str(bundle))]
    elif path.stem == "07_versions":  # on a bundle its solutions would make the same synthetic volume once more
        parts = [(path, str(bundle)), (solutions, str(demo)), (path, str(demo))]
    else:
        parts = [(each, str(data)) for data in (bundle, demo) for each in (solutions, path)]
    executed = run(parts, tmp_path)
    for cells in executed:
        refuse_warnings(cells)
    require_figures(executed[0 if path.stem == "00_workshop" else -1])
    if path.stem == "07_versions":
        assert "SYNTHETIC volume, not your data" in str(executed[0])
