"""A disk that is full at many places of a job: exit code 4, one sentence, nothing lost, the rerun completes it.

    python -m tests.reliability.full_disk --places 20

The job is a change of scope, from fetching to the database. The disk is a small tmpfs, which only root can mount.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability.kills import FAMILIES, Place, difference, import_all, listing, service
from tests.reliability.power import must
from tests.reliability.processes import child, command, seen
from warehouse.storage.paths import Folder

ROOMY = 256 << 20


@contextmanager
def disk(path: Path, size: int) -> Iterator[Place]:
    """A file system of so many bytes.

    Raises:
        PermissionError: this user may not mount one.
    """
    path.mkdir(parents=True, exist_ok=True)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True
    ).returncode:
        raise PermissionError("only root can mount a tmpfs")
    try:
        yield Place(path / "at" / "root", path / "at" / "beside", "")
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def resize(path: Path, size: int) -> None:
    """Make room, or take it."""
    subprocess.run(["mount", "-o", f"remount,size={size}", path], check=True)


def campaign(places: int, work: Path) -> tuple[int, int, list[str]]:
    """How many runs met a full disk, how many fitted, and what went wrong."""
    import_all()
    family = FAMILIES["scope"]
    log = work / "log" / "run.log"
    start = Place(work / "start" / "root", work / "start" / "beside", "")
    full, fitted, faults = 0, 0, []
    with service(work / "service") as server:
        must(child(lambda: family.before(Place(start.root, start.beside, server)), log))
        old = must(child(lambda: seen(start.root), log))
        with disk(work / "roomy", ROOMY) as place:
            shutil.copytree(start.root, place.root)
            begin = used(work / "roomy")
            job = command(*Place(place.root, place.beside, server).words(family.template))
            must(child(job, log))
            # At its height a job needs room for the new database beside the old one.
            database = Folder.of(place.root).database.stat().st_size
            need = used(work / "roomy") - begin + database
            new = must(child(lambda: seen(place.root), log))
            must(child(command("clean", "--root", str(place.root)), log))
            files = listing(place)
        for number in range(places):
            room = begin + need * (number + 1) // (places + 1)
            with disk(work / "small", ROOMY) as place:
                shutil.copytree(start.root, place.root)
                resize(work / "small", room)
                job = command(*Place(place.root, place.beside, server).words(family.template))
                ended = child(job, log)
                wrong = []
                errors = [line for line in ended.messages.splitlines() if "error" in line.lower()]
                if ended.code == 0:
                    fitted += 1
                else:
                    full += 1
                    if ended.code != 4 or len(errors) != 1 or "Traceback" in ended.messages:
                        wrong.append(f"exit code {ended.code}: {ended.messages[-500:]}")
                    if "nothing is lost" not in ended.messages:
                        wrong.append(f"does not say that the disk is full: {errors}")
                looked = child(lambda place=place: seen(place.root), log)  # type: ignore[misc]
                if looked.code or looked.answer not in (old, new):
                    wrong.append(f"readers: {looked.messages[-300:]} {difference(old, new, looked.answer)}")
                resize(work / "small", ROOMY)
                again = child(job, log)
                if again.code or must(child(lambda place=place: seen(place.root), log)) != new:  # type: ignore[misc]
                    wrong.append(f"the rerun does not complete it: {again.messages[-300:]}")
                must(child(command("clean", "--root", str(place.root)), log))
                if listing(place) != files:
                    wrong.append(f"other files: {sorted(set(listing(place)) ^ set(files))}")
            faults += [f"with {room - begin:,} bytes: {each}" for each in wrong]
    return full, fitted, faults


def used(path: Path) -> int:
    """Bytes that are taken of a file system."""
    return shutil.disk_usage(path).used


def main() -> None:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--places", type=int, default=20)
    with tempfile.TemporaryDirectory(prefix="microns-disk-") as work:
        full, fitted, faults = campaign(parser.parse_args().places, Path(work))
    print("\n".join(faults))
    print(f"{full} runs met a full disk, {fitted} fitted; faults {len(faults)}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
