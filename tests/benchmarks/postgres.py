"""PostgreSQL beside the warehouse: a private server, filled through binary COPY, asked through binary COPY.

The server is Debian's or any other whose programs are on the PATH. It listens on a socket in its own folder only.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "4GB",
    "effective_cache_size": "16GB",
    "work_mem": "512MB",
    "maintenance_work_mem": "2GB",
    "effective_io_concurrency": "200",
    "max_parallel_workers_per_gather": "2",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "autovacuum": "off",
}
"""As for a machine of 24 GB with a solid-state disk and nothing else to do; what is loaded needs no log.

The cost of a random page stays at the default: with the 1.1 often advised for such disks, the server answers
questions about all cells through millions of look-ups in an index, which takes far longer than reading all once.
"""
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


class Server:
    """A PostgreSQL server with its data in a folder of its own.

    Attributes:
        directory: of data and socket; made when it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()

    def __enter__(self) -> Server:
        if not (self.directory / "data").is_dir():
            self.directory.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:  # the server refuses to run as root
                shutil.chown(self.directory, "postgres")
            self._run(
                "initdb", "-D", "data", "-U", "bench", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"
            )
        options = [f"-c {name}={value}" for name, value in SETTINGS.items()]
        socket = f"-k {self.directory}"
        self._run(
            "pg_ctl", "-D", "data", "-w", "-t", "120", "-l", "log", "-o", " ".join([socket, *options]), "start"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-t", "300", "-m", "fast", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        done = subprocess.run(
            [programs() / program, *arguments],
            cwd=self.directory,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=user and [],
            stdout=subprocess.DEVNULL,
            stderr=(self.directory / "errors").open("ab") if self.directory.is_dir() else None,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed; see {self.directory}/errors and log")


def programs() -> Path:
    """The folder of the newest server's programs.

    Raises:
        FileNotFoundError: there is none.
    """
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    if here := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        return here[-1].parent
    raise FileNotFoundError("no PostgreSQL server here")


def connect(directory: Path) -> psycopg.Connection:
    """A connection to the server of this folder, as its owner."""
    return psycopg.connect(host=str(directory.absolute()), user="bench", dbname="postgres", autocommit=True)


def load(connection: psycopg.Connection, table: str, columns: dict[str, str], batches: Iterable[pa.Table]) -> None:
    """Make a table and fill it; in one transaction, so that nothing is logged and every row is frozen."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        fixed = "TEXT" not in columns.values()
        with cursor.copy(f"COPY {table} FROM STDIN (FREEZE{', FORMAT binary' * fixed})") as copy:
            copy.write(_HEADER * fixed)
            for batch in batches:
                if fixed:
                    copy.write(_pack(batch, columns))
                else:
                    for row in batch.select(list(columns)).to_pylist():
                        copy.write_row(tuple(row.values()))
            copy.write(_TRAILER * fixed)


def select(connection: psycopg.Connection, query: str, columns: dict[str, str]) -> pa.Table:
    """The rows of a query whose columns have no NULL; in binary where all have fixed widths."""
    if "TEXT" in columns.values():
        rows = connection.execute(query.encode()).fetchall()
        return pa.table(dict(zip(columns, map(pa.array, zip(*rows, strict=True)), strict=True)))
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
        received = b"".join(copy)
    fields = np.frombuffer(received[len(_HEADER) : -len(_TRAILER)], _record(columns))
    return pa.table({name: fields[name].astype(fields[name].dtype.newbyteorder("=")) for name in columns})


def _pack(rows: pa.Table, columns: dict[str, str]) -> bytes:
    fields = np.empty(rows.num_rows, _record(columns))
    fields["_fields"] = len(columns)
    for name in columns:
        fields[f"_bytes_{name}"] = fields.dtype[name].itemsize
        fields[name] = rows[name].to_numpy()
    return fields.tobytes()


def _record(columns: dict[str, str]) -> np.dtype[np.void]:
    """A row in PostgreSQL's binary format: the number of fields, then length and value of each."""
    kinds = {"BIGINT": ">i8", "INTEGER": ">i4", "DOUBLE PRECISION": ">f8"}
    fields = [("_fields", ">i2")]
    for name, kind in columns.items():
        fields += [(f"_bytes_{name}", ">i4"), (name, kinds[kind])]
    return np.dtype(fields)
