"""Time, memory and caches: what every benchmark needs to say about a number."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

_BLOCK, _ENOUGH = 8_000_000, 1_000_000_000
PACKAGES = ("duckdb", "polars", "pyarrow", "numpy", "pandas", "deltalake", "psycopg")


@dataclass
class Timings:
    """Seconds of one query in one engine, warm and cold, and what it took besides.

    Attributes:
        warm: seconds of the repetitions in turns with other queries, the first after opening left out.
        again: seconds of the repetitions right after each other, the first left out.
        cold: seconds with opening, in a fresh process that finds nothing in the page cache.
        rows: of the answer.
        peak: bytes of memory of the fresh process, interpreter and libraries included.
        digest: of the answer.
        gave_up: whether there was no answer in this time.
    """

    warm: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    rows: int = 0
    peak: int = 0
    digest: str = ""
    gave_up: bool = False


def drop_caches() -> None:
    """Have the kernel forget all that it holds of any file; only root may, and everybody else feels it."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def forget(folder: Path) -> None:
    """Have the kernel forget what it holds of the files in a folder; anybody may."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file() and hasattr(os, "posix_fadvise"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def disk_rate(folder: Path) -> float:
    """Bytes a second when a gigabyte of the folder's files is read in sequence from the disk, not the cache."""
    forget(folder)
    done, begin = 0, time.perf_counter()
    for path in sorted(folder.rglob("*.parquet")):
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                done += len(block)
        if done > _ENOUGH:
            break
    return done / (time.perf_counter() - begin)


def reset_peak() -> None:
    """Let the process's peak of memory begin anew."""
    if (refs := Path("/proc/self/clear_refs")).exists():
        refs.write_text("5\n")


def peak_bytes() -> int:
    """The most memory that this process has held since `reset_peak`; 0 where the system does not say."""
    if not (status := Path("/proc/self/status")).exists():
        return 0
    line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def folder_bytes(paths: Iterable[Path]) -> int:
    """Bytes of files and of all files in folders."""
    found = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in found if file.is_file())


def machine() -> str:
    """Cores, memory, disk and versions, in one line."""
    cpu = "".join(line for line in _lines("/proc/cpuinfo") if line.startswith("model name"))[:200].split(":")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES if _installed(name))
    return (
        f"{os.cpu_count()} cores ({cpu[1].split('model')[0].strip() if len(cpu) > 1 else platform.processor()}), "
        f"{memory:.0f} GiB of memory, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, {packages}"
    )


def load_average() -> float:
    """Mean number of processes that wanted a core in the last minute."""
    return os.getloadavg()[0]


def milliseconds(seconds: Sequence[float]) -> str:
    """Median with the extremes: `12.3 (11.9-14.0)`; empty without a measurement."""
    if not seconds:
        return ""
    shown = [_shown(value * 1000) for value in (statistics.median(seconds), min(seconds), max(seconds))]
    return shown[0] if len(seconds) == 1 else f"{shown[0]} ({shown[1]}-{shown[2]})"


def times(slow: Sequence[float], fast: Sequence[float]) -> str:
    """How many times longer one took than the other, by their medians."""
    return f"{_shown(statistics.median(slow) / statistics.median(fast))} x" if slow and fast else ""


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def postgres_version(programs: Path) -> str:
    """What the server's program calls itself."""
    return subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True).stdout.strip()


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
