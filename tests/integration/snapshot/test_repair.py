"""`microns repair` heals every kind of file; `tests/reliability/damage.py` tries all damages, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.job.repair import repair
from tests.reliability.damage import BASE, FILES, STRANGERS, VERSION, Case, World, damage, volume_to_damage, world
from warehouse.catalog.verify import verify
from warehouse.errors import SnapshotDamaged
from warehouse.query.session import connect

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("sound") / "root", volume_to_damage()) as made:
        yield made


@pytest.mark.parametrize("way", ["flip", "truncate", "delete", "append"])
def test_everything_is_healed_at_once(sound: World, tmp_path: Path, way: str) -> None:
    """One of each kind of file; of manifests, that of jobs or that of the database is left."""
    kinds = [kind for kind in FILES if kind != "manifest.json"]
    assert sound.healed([Case(kind, way) for kind in kinds], tmp_path / "a") == ""
    if way == "flip":  # what nothing names lies beside what is damaged
        assert (
            sound.healed([*(Case(kind, "added") for kind in STRANGERS), Case("manifest.json", way)], tmp_path)
            == ""
        )


@pytest.mark.parametrize(
    "kind", ["table", "synapse bucket of the base", "bucket of the difference", "stored view"]
)
def test_files_that_took_each_others_place(sound: World, tmp_path: Path, kind: str) -> None:
    assert sound.healed([Case(kind, "swap")], tmp_path / "a") == ""


def test_a_base_is_healed_for_the_version_that_depends_on_it(sound: World, tmp_path: Path) -> None:
    with sound.copied(tmp_path / "a") as folder:
        damage(folder, Case("synapse bucket of the base", "delete"))
        for version in (BASE, VERSION):
            with pytest.raises(SnapshotDamaged, match=r"run: microns repair"):
                connect(version, folder.path.parent)
            assert [each.what for each in verify(folder, version, quick=True)] == ["is missing"]
        done = repair(folder, VERSION, sound.connect, service=sound.service)
        assert len(done) == 1
        assert "synapses_pni_2 was fetched again" in done[0]
        assert verify(folder, BASE) == verify(folder, VERSION) == []
        connect(VERSION, folder.path.parent).close()


@pytest.mark.parametrize("kind", ["manifest.json", "manifest-<hash>.json", "manifest.json of the base"])
def test_any_change_of_a_manifest_is_named(sound: World, tmp_path: Path, kind: str) -> None:
    way = "delete" if "base" in kind else "flip"
    with sound.copied(tmp_path / "a") as folder:
        (path,) = damage(folder, Case(kind, way))
        found = [each for version in (BASE, VERSION) for each in verify(folder, version, quick=True)]
        assert [each.path for each in found] == [path.relative_to(folder.path).as_posix()]
