"""Promises of the repository as a whole: what is imported, packed, documented, and never committed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("caveclient", "pandas", "starlette", "uvicorn", "matplotlib", "ingest")


def imported_by(statement: str) -> set[str]:
    """The top-level modules that a statement imports in a fresh interpreter."""
    code = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import warehouse",
        "import warehouse.commands.cli",
        "import warehouse.query.session, warehouse.catalog.build, warehouse.demo.synthetic",
    ],
)
def test_reading_imports_nothing_that_fetches_or_serves(statement: str) -> None:
    assert imported_by(statement).isdisjoint(HEAVY)


def test_help_imports_nothing_that_fetches() -> None:
    silent = "import contextlib, io\nfrom warehouse.commands.cli import app\n"
    silent += "with contextlib.redirect_stdout(io.StringIO()): "
    assert imported_by(silent + "app(['build', '--help'], result_action='return_value')").isdisjoint(HEAVY)


def test_only_the_command_line_names_ingest() -> None:
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "warehouse").rglob("*.py")
        if re.search(r"^\s*(from|import) ingest\b|[\"']ingest[.:]", path.read_text("utf-8"), re.MULTILINE)
    }
    assert naming == {"warehouse/commands/cli.py"}


_WAREHOUSE = "errors, registry, storage, catalog, versions, query, bundle, serve, site, demo, plots, commands"
_INGEST = "files, parts, cave, archive, delta, job, get, demo, cli"
FOLDERS = {"warehouse": _WAREHOUSE.split(", "), "ingest": _INGEST.split(", ")}
"""Folders and modules of each package, each importing only from those before it."""


def imported_modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("package", FOLDERS)
def test_a_folder_imports_only_from_those_before_it(package: str) -> None:
    order = FOLDERS[package]
    wrong = []
    for path in (ROOT / package).rglob("*.py"):
        own = path.relative_to(ROOT / package).with_suffix("").parts[0]
        if own == "__init__":
            continue
        for module in imported_modules(ast.parse(path.read_text("utf-8"))):
            top, _, rest = module.partition(".")
            other = rest.partition(".")[0]
            if top == package and other and order.index(other) > order.index(own):
                wrong.append(f"{path.relative_to(ROOT).as_posix()} imports {module}")
    assert wrong == []


def test_the_registry_and_the_warehouse_import_nothing_above_them() -> None:
    for path in (ROOT / "warehouse").rglob("*.py"):
        modules = list(imported_modules(ast.parse(path.read_text("utf-8"))))
        assert not [module for module in modules if module.partition(".")[0] == "ingest"], path
        if "registry" in path.parts:
            ours = [module for module in modules if module.startswith("warehouse.")]
            assert all(module.startswith("warehouse.registry.") for module in ours), path


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_path_of_a_machine_and_no_registry_is_committed(tracked: list[Path]) -> None:
    forbidden = re.compile(
        rb"(^|[^A-Za-z0-9.:])/(work|root)/|" + rb"index-" + rb"url|https?://[^ \"]*/simp" + rb"le/", re.MULTILINE
    )
    assert [path for path in tracked if path.suffix != ".bin" and forbidden.search(path.read_bytes())] == []


def test_no_large_file_is_committed(tracked: list[Path]) -> None:
    assert [path for path in tracked if path.stat().st_size > 2 * 2**20] == []


@pytest.mark.slow
def test_the_wheel_carries_the_sql(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"warehouse/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "sql").rglob("*.sql")}
    assert expected
    assert expected <= packed
    assert "warehouse/storage/manifest.schema.json" in packed
    assert not [name for name in packed if name.startswith(("tests/", "notebooks/", "sql/"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "platforms",
    [
        ("win_amd64",),
        ("macosx_12_0_x86_64",),
        ("macosx_12_0_arm64",),
        ("manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    ],
)
def test_the_core_resolves_to_wheels(tmp_path: Path, platforms: tuple[str, ...]) -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--target", str(tmp_path)]
    tags = [argument for platform in platforms for argument in ("--platform", platform)]
    subprocess.run([*command, "--only-binary=:all:", "--python-version", "3.11", *tags, *dependencies], check=True)


def test_every_changelog_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
