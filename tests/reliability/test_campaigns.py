"""A small fixed tier of the campaigns; the long ones are run by hand (see README.md here)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.reliability import full_disk, interrupts, kills, power, reads

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="processes cannot be forked there"),
]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaigns put a token of their own into a home of their own."""
    monkeypatch.setenv("HOME", os.environ["HOME"])


@pytest.mark.parametrize("family", ["scope", "drop", "bundle"])
def test_a_killed_command_leaves_old_or_new_and_heals(family: str, tmp_path: Path) -> None:
    (figures,) = kills.campaign([family], 4, 0, tmp_path)
    assert figures.faults == []
    assert figures.kills == 4


def test_reads_beside_publications_are_of_one_generation(tmp_path: Path) -> None:
    found, faults = reads.campaign(3, 200, tmp_path)
    assert faults == []
    assert sum(figures["reads"] for figures, _, _ in found.values()) == 200
    assert found["connect"][1] > 1


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_after_a_loss_of_power_readers_see_old_or_new(tmp_path: Path) -> None:
    counts, faults = power.campaign(tmp_path, 12)
    assert faults == []
    assert counts["old"]
    assert counts["new"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can mount a small disk")
def test_on_a_full_disk_nothing_is_lost(tmp_path: Path) -> None:
    full, _, faults = full_disk.campaign(2, tmp_path)
    assert faults == []
    assert full


def test_ctrl_c_ends_a_snapshot(tmp_path: Path) -> None:
    seconds, _, faults = interrupts.campaign(2, 0, tmp_path)
    assert faults == []
    assert len(seconds) == 2
