"""Real child processes that run one command and can be killed at a chosen step or moment, and what readers see.

A child is forked from a process that has imported everything and started no thread, so that it costs milliseconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.truncate")
"""Audited events that change a folder; opening a file to write is another one."""
VIEWS = ("cells", "connections", "connections_proofread", "synapses", "_foreign_ids", "output_synapses(1)")
SPANNING = (
    "SELECT version, is_default, n_tables, synapse_scope FROM main.versions ORDER BY ALL",
    "SELECT version, table_name, n_rows, scope FROM main.provenance WHERE n_rows IS NOT NULL ORDER BY ALL",
)
SHELL = """
SELECT (SELECT bit_xor(hash(s)) FROM synapses AS s),
(SELECT bit_xor(hash(c)) FROM cells AS c), (SELECT count(*) FROM connections),
(SELECT string_agg(concat(version, is_default, synapse_scope), ' ' ORDER BY version) FROM versions)
"""


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        code: its exit code; negative for the signal that killed it.
        step: the change that it was killed before, if it was killed at a step.
        steps: how many changes it had made, where it lived to say so.
        messages: its stderr.
        answer: what its function returned.
        seconds: how long it ran.
    """

    code: int
    step: str
    steps: int
    messages: str
    answer: Any
    seconds: float


def child(
    do: Callable[[], Any],
    log: Path,
    *,
    step: int | None = None,
    moment: float | None = None,
    kind: signal.Signals = signal.SIGKILL,
) -> Ended:
    """Run a function in a child process.

    Args:
        do: what to run; what it returns must be JSON.
        log: where the child writes what it has to say.
        step: kill it before its change of this number.
        moment: kill it after so many seconds.
        kind: the signal.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    for name in ("answer", "step"):
        log.with_suffix(f".{name}").unlink(missing_ok=True)
    begin = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _run(do, log, step)
    if moment is not None:
        time.sleep(moment)
        os.kill(pid, kind)
    _, status = os.waitpid(pid, 0)
    answer, where = log.with_suffix(".answer"), log.with_suffix(".step")
    said: list[Any] = json.loads(answer.read_text()) if answer.exists() else [0, None]
    return Ended(
        os.waitstatus_to_exitcode(status),
        where.read_text() if where.exists() else "",
        said[0],
        log.read_text(),
        said[1],
        time.monotonic() - begin,
    )


def _run(do: Callable[[], Any], log: Path, step: int | None) -> None:
    """The child's life; it never returns."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    made = [0]

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        is_write = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if event in CHANGES or is_write:
            if made[0] == step:
                where = os.open(log.with_suffix(".step"), os.O_WRONLY | os.O_CREAT)
                os.write(where, f"{event} {_short(arguments)}".encode())
                os.kill(os.getpid(), signal.SIGKILL)
            made[0] += 1

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
    code = 0
    try:
        sys.addaudithook(count)
        answer = do()
        log.with_suffix(".answer").write_text(json.dumps([made[0], answer]))
    except SystemExit as left:
        code = int(left.code or 0)
        log.with_suffix(".answer").write_text(json.dumps([made[0], None]))
    except BaseException:
        traceback.print_exc()
        code = 99
    sys.stderr.flush()
    os._exit(code)


def _short(arguments: tuple[Any, ...]) -> str:
    names = [Path(str(each)).name for each in arguments[:2] if isinstance(each, str | os.PathLike)]
    return " ".join(re.sub(r"[0-9a-f]{12}|\d{3,}|(?<=-)\w{8}$", "*", name) for name in names)


def command(*words: str) -> Callable[[], None]:
    """The command line, as a function for a child."""

    def run() -> None:
        from warehouse.commands.cli import main

        main(list(words))

    return run


def seen(root: Path) -> Any:
    """What readers see: Python and polars on each version, and the stock shell; for a child.

    The answer is `{}` where there is no warehouse yet. Sentences by which views refuse are answers too.
    """
    from warehouse.errors import SnapshotNotFound
    from warehouse.query.session import connect
    from warehouse.storage.paths import Folder

    folder = Folder.of(root)
    try:
        with connect(root=root) as warehouse:
            numbers = [row[0] for row in warehouse.sql("SELECT version FROM versions ORDER BY ALL").fetchall()]
            spanning = [warehouse.sql(query).fetchall() for query in SPANNING]
    except SnapshotNotFound:
        return {}
    versions = {str(number): _of_version(root, number) for number in numbers}
    return json.loads(json.dumps({"spanning": spanning, "versions": versions, "shell": shell(folder.path)}))


def _of_version(root: Path, version: int) -> dict[str, Any]:
    import duckdb

    from warehouse.query.session import connect

    found: dict[str, Any] = {}
    with connect(version, root, threads=1) as warehouse:
        found["bases"] = sorted(warehouse.manifest.bases)
        for table in warehouse.manifest.tables:
            # Its rows through SQL and through polars: as many, and the same ids.
            key = "id" if "id" in warehouse.manifest.tables[table].columns else "*"
            (row,) = warehouse.sql(f"SELECT count(*), bit_xor(hash(t)) FROM {table} AS t").fetchall()
            frame = warehouse.scan(table).select(key).collect()
            found[table] = [*row, len(frame), int(frame["id"].sum()) if key == "id" else 0]
        for view in VIEWS:
            try:
                found[view] = warehouse.sql(f"SELECT count(*), bit_xor(hash(t)) FROM {view} AS t").fetchall()
            except duckdb.InvalidInputException as refusal:
                found[view] = str(refusal)
    return found


def shell(folder: Path) -> str:
    """What the stock shell, of DuckDB 1.5, answers when it is started in a datastack's folder."""
    done = subprocess.run(
        [shell_program(), "-readonly", "-csv", "-noheader", "microns.duckdb", SHELL],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shell_program() -> str:
    """Where the stock shell is."""
    program = shutil.which("duckdb", path=sysconfig.get_path("scripts"))
    assert program, "the shell is installed with the extra `shell`"
    return program
