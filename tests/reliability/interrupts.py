"""Ctrl-C at random moments of a snapshot: it ends within seconds with exit code 130, and the rerun completes it.

python -m tests.reliability.interrupts --times 30 --seed S
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.reliability.kills import FAMILIES, Place, import_all, service
from tests.reliability.power import must
from tests.reliability.processes import child, command, seen

PATIENCE = 5.0
"""Seconds that it may take to end; only a machine with much other work needs more than one."""


def campaign(times: int, seed: int, work: Path) -> tuple[list[float], int, list[str]]:
    """How long each took to end, how many were too late, and what went wrong."""
    import_all()
    chance, log, seconds, late, faults = random.Random(seed), work / "log" / "run.log", [], 0, []
    with service(work / "service") as server:
        place = Place(work / "at" / "root", work / "at" / "beside", server)
        job = command(*place.words(FAMILIES["snapshot"].template))
        whole = child(job, log)
        expected = (must(whole), must(child(lambda: seen(place.root), log)))[1]
        for number in range(times):
            shutil.rmtree(place.root, ignore_errors=True)
            moment = chance.uniform(0, whole.seconds)
            ended = child(job, log, moment=moment, kind=signal.SIGINT)
            if ended.code == 0:
                late += 1
            elif ended.code != 130 or "Traceback" in ended.messages:
                faults.append(f"{number}, after {moment:.2f} s: exit code {ended.code}: {ended.messages[-800:]}")
            seconds.append(ended.seconds - moment)
            if ended.code and seconds[-1] > PATIENCE:
                faults.append(f"{number}, after {moment:.2f} s: it took {seconds[-1]:.1f} s to end")
            if number % 5 == 0:
                must(child(job, log))
                if must(child(lambda: seen(place.root), log)) != expected:
                    faults.append(f"{number}: other rows after the rerun")
    return sorted(seconds), late, faults


def main() -> None:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="microns-interrupts-") as work:
        seconds, late, faults = campaign(given.times, given.seed, Path(work))
    print("\n".join(faults))
    print(
        f"{len(seconds)} interrupts ({late} after the end): median {seconds[len(seconds) // 2]:.2f} s, longest "
        f"{seconds[-1]:.2f} s; faults {len(faults)}"
    )
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
