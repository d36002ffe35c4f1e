"""A small fixed tier of the campaigns; the long ones are run by hand, each as a script."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="processes cannot be forked there"),
]
ROOT = Path(__file__).parents[2]


def said_by(script: str, *words: str) -> list[str]:
    """What a campaign says, the figures last; it has no fault.

    A process of its own: a fork of one in which polars has run may wait for polars' threads for ever.
    """
    command = [sys.executable, "-m", f"tests.reliability.{script}", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout.splitlines()


@pytest.mark.parametrize("family", ["scope", "drop", "bundle"])
def test_a_killed_command_leaves_old_or_new_and_heals(family: str) -> None:
    assert said_by("kills", family, "--kills", "4")[-1] == "4 kills, 0 faults"


def test_reads_beside_publications_are_of_one_generation() -> None:
    *kinds, total = said_by("reads", "--publications", "3", "--reads", "200")
    assert total.startswith("200 reads beside 3 publications: faults 0")
    generations = re.search(r"^connect: \d+ reads of (\d+) generations", "\n".join(kinds), re.M)
    assert generations is not None
    assert int(generations[1]) > 1


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_after_a_loss_of_power_readers_see_old_or_new() -> None:
    said = said_by("power", "--most", "12")[-1]
    assert "old 0," not in said
    assert "new 0," not in said
    assert said.endswith("faults 0")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can mount a small disk")
def test_on_a_full_disk_nothing_is_lost() -> None:
    said = said_by("full_disk", "--places", "2")[-1]
    assert not said.startswith("0 runs")
    assert said.endswith("faults 0")


def test_ctrl_c_ends_a_snapshot() -> None:
    said = said_by("interrupts", "--times", "2")[-1]
    assert said.startswith("2 interrupts")
    assert said.endswith("faults 0")


def test_requests_of_a_grammar_get_answers() -> None:
    assert said_by("requests", "--requests", "3000", "--seed", "2")[-1] == "3,000 requests: faults 0"


def test_damaged_inputs_are_read_or_refused() -> None:
    assert said_by("inputs", "all", "--tries", "20", "--seed", "2")[-1].startswith("20 tries of each: faults 0")
