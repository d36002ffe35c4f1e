"""A sandbox's queries, in a process of their own.

DuckDB bounds the memory of its operators, not that of one huge value, and it cannot stop while it makes one. A
process can be bounded by the system (on Linux) and ended at any time.

Both sides send frames: the length in 8 bytes, then so many bytes. What goes to the process is pickled; what comes
from it is never unpickled: JSON first, then the rows as an Arrow stream.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import duckdb
import pyarrow as pa

from warehouse import errors
from warehouse.errors import QueryTooLong, UsageError, WarehouseError
from warehouse.query.reading import Answer

_BESIDE = 700_000_000
"""Bytes for the interpreter, the libraries and an answer, beside DuckDB's memory."""
_A_THREAD = 16_000_000
_GRACE_S = 2.0
"""How long after its time a query may go on that DuckDB itself was told to stop."""
_HEAD = 8


class Session(NamedTuple):
    """What the process opens.

    Attributes:
        arguments: of `connect`.
        memory: bytes of DuckDB's memory.
        timeout: seconds that a query may take.
    """

    arguments: dict[str, Any]
    memory: int
    timeout: float


class Apart:
    """A process that answers one query after the other; it starts with the first, and again after it was ended."""

    def __init__(self, session: Session) -> None:
        """Take what the process will open."""
        self._session = session
        self._process: subprocess.Popen[bytes] | None = None
        self._alone = threading.Lock()
        self._registered: dict[str, pa.Table] = {}
        self._is_interrupted = False

    def register(self, name: str, table: pa.Table) -> None:
        """Make a table known as `local.NAME` there."""
        self._registered[name] = table
        self._end()

    def answer(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        """The answer to a query.

        Raises:
            UsageError: it took too long, or more memory than it may.
            duckdb.InterruptException: another thread called `interrupt`.
            WarehouseError, duckdb.Error: what the session says of the query.
        """
        with self._alone:
            process = self._started()
            self._is_interrupted = False
            with self._ending(process, self._session.timeout + _GRACE_S) as is_late:
                _send(process.stdin, pickle.dumps((query, dict(parameters))))
                head = _received(process.stdout)
                rows = _received(process.stdout) if head is not None else None
            if head is None or rows is None:
                raise self._why_it_ended(is_late())
            said = json.loads(head)
            if "error" in said:
                error = _error(said["error"], said["text"])
                if error is None or isinstance(error, duckdb.OutOfMemoryException | QueryTooLong):
                    self._end()  # what it holds by then, it may not give back
                raise error or self._too_large()
            return Answer(said["names"], said["kinds"], pa.ipc.open_stream(rows).read_all())

    def interrupt(self) -> None:
        """End what it does, from another thread."""
        self._is_interrupted = True
        self._end()

    def close(self) -> None:
        """End the process."""
        self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        # -c and not -m: what __main__ is called does not matter to what is pickled
        command = [sys.executable, "-c", "from warehouse.query.apart import main; main()"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True
        )
        self._process = process
        _send(process.stdin, pickle.dumps((self._session, self._registered)))
        said = _received(process.stdout)
        if said is None:
            raise self._why_it_ended(is_late=False)
        if said != b"ready":
            raise WarehouseError(said.decode())
        return process

    @contextmanager
    def _ending(self, process: subprocess.Popen[bytes], seconds: float) -> Iterator[Callable[[], bool]]:
        """End the process after some seconds, and on Ctrl-C; tells whether it took too long."""
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield late.is_set
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()

    def _why_it_ended(self, is_late: bool) -> Exception:
        self._end()
        if self._is_interrupted:
            return duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        if is_late:
            return QueryTooLong.after(self._session.timeout)
        return self._too_large()

    def _too_large(self) -> UsageError:
        most = f"{self._session.memory / 1e6:,.0f} MB"
        return UsageError(
            f"the query took more memory than the {most} that it may; ask for less, or allow more with memory="
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _error(kind: str, text: str) -> Exception | None:
    """An error as the session raised it; None for one that a session without memory makes."""
    for module, base in ((errors, WarehouseError), (duckdb, duckdb.Error)):
        found = getattr(module, kind, None)
        if isinstance(found, type) and issubclass(found, base):
            return found(text)
    return None


def _send(pipe: IO[bytes] | None, content: bytes) -> None:
    assert pipe is not None
    with contextlib.suppress(BrokenPipeError):  # it ended; the answer that does not come says so
        pipe.write(len(content).to_bytes(_HEAD, "big") + content)
        pipe.flush()


def _received(pipe: IO[bytes] | None) -> bytes | None:
    """A frame; None if the other side has ended."""
    assert pipe is not None
    head = pipe.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size = int.from_bytes(head, "big")
    content = pipe.read(size)
    return content if len(content) == size else None


def main() -> None:
    """Answer queries from the standard input until it ends."""
    from warehouse.query.session import opened

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the other side, which then ends this one
    asked, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no frame
    first = _received(asked)
    if first is None:
        return
    session, registered = pickle.loads(first)
    try:
        warehouse = opened(session)
        for name, table in registered.items():
            warehouse.register(name, table)
        _bound_memory(session.memory)
    except Exception as error:
        _send(out, str(error).encode())
        return
    _send(out, b"ready")
    while (question := _received(asked)) is not None:
        query, parameters = pickle.loads(question)
        try:
            answer = warehouse.answer(query, parameters)
        except Exception as error:
            _send(out, json.dumps({"error": type(error).__name__, "text": str(error)}).encode())
            _send(out, b"")
            continue
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, answer.rows.schema) as stream:
            stream.write_table(answer.rows)
        _send(out, json.dumps({"names": answer.names, "kinds": answer.kinds}).encode())
        _send(out, sink.getvalue().to_pybytes())


def _bound_memory(memory: int) -> None:
    """Have the system refuse more memory; macOS and Windows do not."""
    if sys.platform == "linux":
        import resource

        most = memory + _BESIDE + (os.cpu_count() or 1) * _A_THREAD
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
