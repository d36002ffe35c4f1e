"""Where things are, and what is said when they are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.errors import SnapshotNotFound, UsageError
from warehouse.storage.paths import Folder, resolve_root


def test_root_is_the_argument_then_the_environment_then_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICRONS_ROOT", str(tmp_path / "environment"))
    assert resolve_root(tmp_path / "argument") == tmp_path / "argument"
    assert resolve_root() == tmp_path / "environment"
    monkeypatch.delenv("MICRONS_ROOT")
    assert resolve_root().name == "microns"


def test_only_published_versions_count(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path)
    assert folder.versions() == []
    for name in ("v943", "v1718", ".fetch-v1822", "v7x"):
        (folder.path / name).mkdir(parents=True)
    (folder.path / "v1718" / "manifest.json").touch()
    assert folder.versions() == [1718]
    with pytest.raises(SnapshotNotFound, match=r"there: v1718.*microns snapshot 943"):
        folder.require_version(943)


def test_a_folder_with_a_wildcard_in_its_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has \[ in its name, which DuckDB reads as wildcards; rename it"):
        Folder.of(tmp_path / "data [new]")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden"])
def test_a_datastack_is_not_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not the name of a datastack"):
        Folder.of(tmp_path, name)
