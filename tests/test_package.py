"""What is handed out, and what comes with it: files of the wheel and the sdist, and licences of what they need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from warehouse.storage.manifest import sha256_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
OWN = "microns-warehouse"
FREE = re.compile(r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Zlib|CC0)\b")
"""Licences under which everybody may use, change and pass on what a user of this package gets."""


def needed(name: str, extras: frozenset[str], seen: set[str]) -> Iterator[str]:
    """The packages that one needs, with its extras, and those that they need."""
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            continue
        key = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if (asked := f"{key}{sorted(requirement.extras)}") in seen:
            continue
        seen.add(asked)
        try:
            distribution(key)
        except PackageNotFoundError:  # of an extra that this machine has not installed
            continue
        if key != OWN:
            yield key
        yield from needed(key, frozenset(requirement.extras), seen)


def licence(name: str) -> str:
    """What a package says of its licence, in a line."""
    about = distribution(name).metadata
    classifiers = (each for each in about.get_all("Classifier") or () if each.startswith("License"))
    classified = " OR ".join(each.split(" :: ")[-1] for each in classifiers)
    said = [
        *(about.get_all("License-Expression") or ()),
        classified,
        *(about.get_all("License") or ()),
        "not said",
    ]
    words = next(filter(None, said))
    return str(words).strip().splitlines()[0]


def test_the_licence_of_every_dependency_is_listed_and_free() -> None:
    found = {name: licence(name) for name in needed(OWN, frozenset({"all", "delta"}), set())}
    assert len(found) > 20
    strange = {
        name: words
        for name, words in found.items()
        if not all(FREE.search(part) for part in re.split(r" (?:AND|OR) ", words))
    }
    assert strange == {}
    listed = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.M))
    assert {name: listed.get(name) for name in found} == found


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders with a wheel and an sdist, built of two copies of the files in the repository."""
    above = tmp_path_factory.mktemp("package")
    tool = above / "tool"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(tool), "hatchling"], check=True)
    made = []
    for number in range(2):
        copy, out = above / f"copy{number}" / ("x" * number), above / f"out{number}"
        for name in in_the_repository():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
            os.utime(copy / name, (1e9 + number, 1e9 + number))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(out)]
        subprocess.run(command, cwd=copy, env=os.environ | {"PYTHONPATH": str(tool)}, check=True)
        made.append(out)
    return made


def in_the_repository(*folders: str) -> set[str]:
    """The files of some folders, as git knows them."""
    told = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(told.stdout.split())


@pytest.mark.slow
def test_two_builds_are_the_same_to_the_byte(handed_out: list[Path]) -> None:
    first, second = ({path.name: sha256_of(path) for path in folder.iterdir()} for folder in handed_out)
    assert len(first) == 2
    assert first == second


@pytest.mark.slow
def test_the_wheel_and_the_sdist_hold_the_package_and_nothing_else(handed_out: list[Path]) -> None:
    (wheel,) = handed_out[0].glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sql = {f"warehouse/{name}" for name in in_the_repository("sql")}
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == in_the_repository("warehouse", "ingest") | sql
    endings = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    assert {name.partition(".dist-info/")[2] for name in about} == set(endings)
    (sdist,) = handed_out[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    own = in_the_repository(
        "warehouse", "ingest", "sql", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "pyproject.toml"
    )
    assert inside == own | {"PKG-INFO", ".gitignore"}


@pytest.mark.slow
def test_the_wheel_makes_the_demo_far_from_the_repository(handed_out: list[Path], tmp_path: Path) -> None:
    (wheel,) = handed_out[0].glob("*.whl")
    place = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(place), str(wheel)], check=True)
    command = [sys.executable, "-c", "from warehouse.commands.cli import main; main()"]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    for words in (
        ["demo", "data", "--cells", "200"],
        ["query", "--root", "data", "--json", "FROM soma_counts LIMIT 1"],
    ):
        done = subprocess.run([*command, *words], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    where = "import warehouse, ingest; print(warehouse.__file__, ingest.__file__)"
    told = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert all(path.startswith(str(place)) for path in told.stdout.split())
