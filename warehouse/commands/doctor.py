"""`microns doctor`: what works on this machine, in some seconds and without a network."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from warehouse.commands.options import Bundle, Datastack, Root
from warehouse.errors import ChecksFailed, WarehouseError
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.paths import Folder

_LIBRARIES = ("duckdb", "numpy", "pyarrow", "polars")
_EXTRAS = {
    "caveclient": "fetching from CAVE (extra ingest)",
    "duckdb_cli": "microns shell (extra shell)",
    "matplotlib": "plots (extra plots)",
    "jupyterlab": "notebooks on this machine (extra lessons)",
}
_LITTLE_MEMORY, _LITTLE_DISK = 4e9, 2e9


class Finding(NamedTuple):
    """One line of the answer: `ok`, `note` (works, but mind) or `FAIL`."""

    state: str
    about: str
    text: str


def doctor(
    bundle: Bundle = None,
    /,
    *,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Say what works on this machine: Python, libraries, memory, disk, the shell, the data. Needs no network."""
    failed = 0
    for finding in _examine(bundle, root, datastack):
        print(f"{finding.state:<5} {finding.about:<11} {finding.text}", flush=True)
        failed += finding.state == "FAIL"
    if failed:
        raise ChecksFailed(
            f"not all works here (FAIL: {failed}); the way out stands in each line that begins with FAIL"
        )


def _examine(bundle: Path | None, root: Path | None, datastack: str) -> Iterator[Finding]:
    yield _python()
    for name in _LIBRARIES:
        yield _library(name)
    for name, use in _EXTRAS.items():
        yield Finding(
            "ok" if find_spec(name) else "note", name, use if find_spec(name) else f"not here; only for {use}"
        )
    yield _memory()
    yield _disk(bundle.expanduser().absolute().parent if bundle else Folder.of(root, datastack).path)
    yield _data(bundle, root, datastack)


def _python() -> Finding:
    here = f"{platform.python_version()} on {platform.system()} {platform.release()}, {platform.machine()}"
    if sys.maxsize < 2**32:
        return Finding("FAIL", "python", f"{here}, 32 bits; install the 64-bit Python from python.org")
    return Finding("ok", "python", here)


def _library(name: str) -> Finding:
    """Imported by another process: on a processor that is too old for it, a library takes its process down."""
    code = f"import {name}; print({name}.__version__)"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return Finding("FAIL", name, "does not load within a minute; run again, then look for a virus scanner")
    if done.returncode == 0:
        return Finding("ok", name, done.stdout.strip())
    if done.returncode < 0 or done.returncode > 255:
        old = "install the build for old ones: pip install 'polars[rtcompat]'" if name == "polars" else "use Colab"
        return Finding("FAIL", name, f"stops Python, most likely on a processor too old for it; {old}")
    reason = done.stderr.strip().splitlines()[-1]
    return Finding("FAIL", name, f"{reason}; install it again: python -m pip install --force-reinstall {name}")


def _memory() -> Finding:
    from warehouse.storage.memory import machine_bytes

    amount = machine_bytes()
    little = amount < _LITTLE_MEMORY
    text = f"{amount / 1e9:.1f} GB" + ("; close other programs, a bundle still works" if little else "")
    return Finding("note" if little else "ok", "memory", text)


def _disk(folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    little = free < _LITTLE_DISK
    text = f"{free / 1e9:.1f} GB free at {there}" + ("; enough for a bundle, not for a snapshot" if little else "")
    return Finding("note" if little else "ok", "disk", text)


def _data(bundle: Path | None, root: Path | None, datastack: str) -> Finding:
    from warehouse.bundle.origin import origin
    from warehouse.query.session import connect

    begin = time.perf_counter()
    try:
        if bundle is None and not Folder.of(root, datastack).database.is_file():
            place = Folder.of(root, datastack).path
            return Finding(
                "note", "data", f"none at {place}; receive a bundle (microns get), or try: microns demo"
            )
        with connect(bundle, root, datastack) as warehouse:
            ((cells,),) = warehouse.sql("SELECT count(*) FROM cells").fetchall()
            what = f"{warehouse.manifest.title}, at {warehouse.path}: {cells:,} nuclei"
        whose = f"; {origin(bundle.expanduser().absolute())}" if bundle else ""
    except WarehouseError as error:
        return Finding("FAIL", "data", str(error))
    return Finding("ok", "data", f"{what} in {time.perf_counter() - begin:.1f} s{whose}")
